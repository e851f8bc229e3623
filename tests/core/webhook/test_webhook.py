"""A connector's webhook, and what its handler is given."""

from __future__ import annotations

from collections.abc import Awaitable

from msgspec import Struct
from returns.result import Failure, Result

from igniter_connectors.core.problem import WebhookFailed
from igniter_connectors.core.secret import Secret
from igniter_connectors.core.webhook.schemes import GITHUB
from igniter_connectors.core.webhook.webhook import BODY_LIMIT_BYTES, Webhook, WebhookCall
from tests.core.test_action import NoNetwork
from tests.core.test_scope import Organization


class Config(Struct):
    key: Secret


class Payload(Struct):
    text: str


def receive(call: WebhookCall[Config, None, Payload]) -> Awaitable[Result[None, WebhookFailed]]:
    raise AssertionError("core runs no handler")


def call() -> WebhookCall[Config, None, Payload]:
    return WebhookCall(
        Payload("hello"),
        Config(Secret("canary")),
        None,
        NoNetwork(),
        "github",
        "default",
        Organization("acme"),
        "evt_1",
    )


def test_a_body_has_one_mebibyte_unless_told() -> None:
    """The cap is the connector's own where it says one."""
    assert BODY_LIMIT_BYTES == 1_048_576
    assert (
        Webhook(payload=Payload, verification=GITHUB, handler=receive).body_limit_bytes == 1_048_576
    )
    smaller = Webhook(payload=Payload, verification=GITHUB, handler=receive, body_limit_bytes=1)
    assert smaller.body_limit_bytes == 1


def test_a_handler_says_why_it_failed() -> None:
    """The problem names the connector; the provider delivers again."""
    assert call().failed("busy") == Failure(WebhookFailed("github", "busy"))


def test_a_call_does_not_show_the_secrets_of_its_config() -> None:
    """A handler that logs its whole call leaks none."""
    assert "canary" not in repr(call())
