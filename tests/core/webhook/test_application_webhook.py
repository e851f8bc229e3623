"""Webhooks with one URL for the whole application: what their connectors must define."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import Struct
from returns.result import Result

from igniter_connectors.core.connector.builder import Connector
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.problem import WebhookFailed, WrongWiring
from igniter_connectors.core.secret import Secret
from igniter_connectors.core.webhook.presets import GITHUB
from igniter_connectors.core.webhook.schemes import AcceptUnsignedEvents, StandardWebhooks
from igniter_connectors.core.webhook.webhook import Webhook, WebhookCall


class Chat(Struct, frozen=True):
    team: str


class Said(Struct, frozen=True):
    team: str


SECRETS = (Secret("whsec_" + "QUJD" * 8),)
PROVIDER = OAuthProvider(
    authorization_url="https://p.example/a", token_url="https://p.example/t", client_id="app"
)


async def never(_: WebhookCall[Chat, object, Said]) -> Result[None, WebhookFailed]:
    raise AssertionError("core runs no handler")


def built(webhook: Webhook[Chat, object, Said], provider: OAuthProvider | None) -> object:
    builder = Connector.create("chat").with_config(Chat).with_webhook(webhook)
    return builder.build() if provider is None else builder.with_oauth(provider).build()


@pytest.mark.parametrize(
    ("fault", "webhook", "provider"),
    [
        ("need a route", {"application_secrets": SECRETS}, None),
        ("need a route", {"account_of": str}, None),
        ("needs application_secrets", {"route": str}, None),
        ("scheme's format", {"route": str, "application_secrets": (Secret("short"),)}, None),
        ("needs account_of", {"route": str, "application_secrets": SECRETS}, None),
        (
            "is its subject",
            {"route": str, "application_secrets": SECRETS, "account_of": str},
            PROVIDER,
        ),
    ],
)
def test_what_could_route_nothing_is_refused_when_it_is_built(
    fault: str, webhook: dict[str, Any], provider: OAuthProvider | None
) -> None:
    """The message names what is missing."""
    made = Webhook(payload=Said, verification=StandardWebhooks(), handler=never, **webhook)
    with pytest.raises(WrongWiring, match=fault):
        built(made, provider)


def test_what_can_route_is_built() -> None:
    """An OAuth connector routes by subject. Unsigned events need no secret."""
    by_subject = Webhook(
        payload=Said,
        verification=GITHUB,
        handler=never,
        route=lambda said: said.team,
        application_secrets=(Secret("a secret of the app"),),
    )
    assert built(by_subject, PROVIDER)
    unsigned = Webhook(
        payload=Said,
        verification=AcceptUnsignedEvents(),
        handler=never,
        route=lambda said: said.team,
        account_of=lambda config: config.team,
    )
    assert built(unsigned, None)
