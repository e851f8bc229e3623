"""A connector's webhook, and the argument of its handler."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import replace
from returns.result import Failure, Result

from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.problem import WebhookFailed
from igniter_connectors.core.secret import Secret
from igniter_connectors.core.webhook.presets import GITHUB
from igniter_connectors.core.webhook.retry_policy import Delivery, Retries
from igniter_connectors.core.webhook.webhook import (
    BODY_LIMIT_BYTES,
    Webhook,
    WebhookCall,
    webhook_fault,
)
from tests.core.api_calls import Named, Senders
from tests.core.test_scope import Organization


class Config(Struct):
    key: Secret


class Payload(Struct):
    text: str


def receive(call: WebhookCall[Config, None, Payload]) -> Awaitable[Result[None, WebhookFailed]]:
    raise AssertionError("core runs no handler")


def call(senders: Senders) -> WebhookCall[Config, None, Payload]:
    return WebhookCall(
        Payload("hello"),
        Config(Secret("canary")),
        None,
        senders,
        Named("github"),
        "default",
        Organization("acme"),
        "evt_1",
        datetime(2026, 3, 1, tzinfo=UTC),
        Delivery(ConnectionKey("organization", "acme", "github"), "id", "me", 2, timedelta(days=7)),
    )


def test_the_default_body_limit_is_one_mebibyte() -> None:
    """The body limit is the connector's own, if it has one."""
    assert BODY_LIMIT_BYTES == 1_048_576
    assert (
        Webhook(payload=Payload, verification=GITHUB, handler=receive).body_limit_bytes == 1_048_576
    )
    smaller = Webhook(payload=Payload, verification=GITHUB, handler=receive, body_limit_bytes=1)
    assert smaller.body_limit_bytes == 1


def test_a_handler_says_why_it_failed() -> None:
    """The problem names the connector."""
    assert call(Senders()).failed("busy") == Failure(WebhookFailed("github", "busy"))


def test_a_call_does_not_show_the_secrets_of_its_config() -> None:
    """A handler that logs its whole call leaks no secret."""
    assert "canary" not in repr(call(Senders()))


def test_a_webhooks_handler_has_the_same_client_as_an_actions() -> None:
    """The token is decrypted, or refreshed, when the handler calls the API."""
    senders = Senders()
    made = call(senders)
    assert made.connector == "github"
    assert senders.made == []
    assert made.http is made.http
    assert senders.made == [("github", made.config, None, None)]


def test_a_call_tells_its_attempt_and_its_event() -> None:
    """For idempotent handlers."""
    assert (call(Senders()).attempt, call(Senders()).id, call(Senders()).possible_replay) == (
        2,
        "id",
        False,
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"time_limit": timedelta(0)},
        {"keep_body_for": timedelta(microseconds=-1)},
        {"keep_body_for": timedelta(days=30, microseconds=1)},
        {"retries": Retries(attempts=0)},
        {"dedupe_identical_bodies_for": timedelta(0)},
        {"dedupe_identical_bodies_for": timedelta(days=30, microseconds=1)},
    ],
    ids=str,
)
def test_a_webhook_that_cannot_do_what_it_says_is_named(changes: dict[str, Any]) -> None:
    """One step outside the valid range."""
    good = Webhook(payload=Payload, verification=GITHUB, handler=receive)
    assert webhook_fault(good) is None
    for days in (0, 30):
        assert webhook_fault(replace(good, keep_body_for=timedelta(days=days))) is None
    assert webhook_fault(replace(good, **changes)) is not None
