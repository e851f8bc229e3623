"""A connector for figures: a chat whose events arrive at one URL for the whole application."""

import msgspec
from returns.result import Result, Success

from igniter_connectors import (
    ConfigConnector,
    Connector,
    ConnectorManager,
    Connectors,
    Keyring,
    Scope,
    Secret,
    Webhook,
    WebhookCall,
    WebhookFailed,
)
from igniter_connectors.stores import Store
from igniter_connectors.webhooks import DeliveryLimits, StandardWebhooks

KEYRING = Keyring.from_secret(Keyring.generate())
SECRETS = tuple(Secret("whsec_" + letters * 8) for letters in ("QUJD", "REVG", "R0hJ"))


class Organization(Scope, frozen=True, tag="organization"):
    """A kind of tenant."""


class Chat(msgspec.Struct, frozen=True):
    """The config: a secret, and which team at the provider."""

    token: Secret
    team: str


class Said(msgspec.Struct, frozen=True):
    """The payload."""

    team: str


async def hear(_: WebhookCall[Chat, object, Said]) -> Result[None, WebhookFailed]:
    """Handles an event."""
    return Success(None)


def chat_manager(
    store: Store,
) -> tuple[Connectors[Chat, Organization], ConfigConnector[Chat, None, Chat]]:
    """A manager that receives events and handles none."""
    webhook = Webhook(
        payload=Said,
        verification=StandardWebhooks(),
        handler=hear,
        route=lambda said: said.team,
        application_secrets=SECRETS[:1],
        account_of=lambda config: config.team,
    )
    chat = Connector.create("chat").with_config(Chat).with_webhook(webhook).build()
    manager = (
        ConnectorManager.create()
        .with_database(store)
        .with_encryption(KEYRING)
        .with_base_url("https://app.example.com")
        .with_delivery_limits(DeliveryLimits(handlers_at_once=0))
        .add_scope(Organization)
        .add_connector(chat)
        .build()
    )
    return manager, chat


async def routed(store: Store, team: str) -> list[str]:
    """The tenants that get a team's events, sorted."""
    found = await store.routing.find_by_account("chat", team)
    return sorted(one.key.identity for one in found)
