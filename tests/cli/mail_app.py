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
    """Config of the connector."""

    key: Secret


class Letter(msgspec.Struct, frozen=True):
    """Payload of the webhook."""

    text: str


async def read(call: WebhookCall[Mail, object, Letter]) -> Result[None, WebhookFailed]:
    """Handles a letter. In these tests it runs only in the worker."""
    return Success(None)


mail = (
    Connector.create("mail")
    .with_config(Mail)
    .with_webhook(Webhook(payload=Letter, verification=StandardWebhooks(), handler=read))
    .build()
)


def build(settings: Settings) -> Connectors[Mail, Organization]:
    """The application's manager."""
    return (
        ConnectorManager.create()
        .with_settings(settings)
        .add_scope(Organization)
        .add_connector(mail)
        .build()
    )


connectors = build(Settings.from_environment())
