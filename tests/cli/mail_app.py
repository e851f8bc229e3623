"""An application with webhooks, for `--app tests.cli.mail_app:connectors`."""

from __future__ import annotations

import msgspec
from returns.result import Result, Success

from igniter_connectors import (
    Connector,
    ConnectorManager,
    Connectors,
    Secret,
    Settings,
    Webhook,
    WebhookCall,
    WebhookFailed,
)
from igniter_connectors.webhooks import StandardWebhooks
from tests.sample import Organization


class Mail(msgspec.Struct, frozen=True):
    """The config."""

    key: Secret


class Letter(msgspec.Struct, frozen=True):
    """The payload."""

    text: str


async def read(call: WebhookCall[Mail, object, Letter]) -> Result[None, WebhookFailed]:
    """Runs in the worker alone."""
    return Success(None)


mail = (
    Connector.create("mail")
    .with_config(Mail)
    .with_webhook(Webhook(payload=Letter, verification=StandardWebhooks(), handler=read))
    .build()
)


def build(settings: Settings) -> Connectors[Mail, Organization]:
    """A manager."""
    return (
        ConnectorManager.create()
        .with_settings(settings)
        .add_scope(Organization)
        .add_connector(mail)
        .build()
    )


connectors = build(Settings.from_environment())
