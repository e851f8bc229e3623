"""An application with webhooks, for `--app tests.cli.mail_app:connectors`.

With MAIL_APP_HANDLER its handler does not end: it swallows "cancellation" or "everything", or waits
for a "thread".
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from datetime import timedelta

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
from igniter_connectors.webhooks import DeliveryLimits, StandardWebhooks
from tests.sample import Organization


class Mail(msgspec.Struct, frozen=True):
    """Config of the connector."""

    key: Secret


class Team(msgspec.Struct, frozen=True):
    """Config of a connector whose events arrive for the whole application."""

    key: Secret
    name: str


class Letter(msgspec.Struct, frozen=True):
    """Payload of the webhook."""

    text: str


async def read(call: WebhookCall[Mail, object, Letter]) -> Result[None, WebhookFailed]:
    """Handles a letter. In these tests it runs only in the worker."""
    match os.environ.get("MAIL_APP_HANDLER"):
        case "cancellation":
            await never_end(asyncio.CancelledError)
        case "failure":
            return call.failed(f"no room \x9b for {call.config.key.reveal()}")
        case "everything":
            await never_end(BaseException)
        case "thread":
            _ = sys.stdout.write("in the handler\n")
            _ = sys.stdout.flush()
            await asyncio.to_thread(time.sleep, 600)
        case _:
            pass
    return Success(None)


async def never_end(swallowed: type[BaseException]) -> None:
    """Goes on, whatever of this kind is raised where it waits."""
    _ = sys.stdout.write("in the handler\n")
    _ = sys.stdout.flush()
    while True:
        try:
            await asyncio.sleep(600)
        except swallowed:
            continue


mail = (
    Connector.create("mail")
    .with_config(Mail)
    .with_webhook(Webhook(payload=Letter, verification=StandardWebhooks(), handler=read))
    .build()
)


async def read_for_team(call: WebhookCall[Team, object, Letter]) -> Result[None, WebhookFailed]:
    """Handles a letter to a team."""
    return Success(None)


team = (
    Connector.create("team")
    .with_config(Team)
    .with_webhook(
        Webhook(
            payload=Letter,
            verification=StandardWebhooks(),
            handler=read_for_team,
            route=lambda letter: letter.text,
            application_secrets=(Secret("whsec_" + "QUJD" * 8),),
            account_of=lambda config: config.name,
        )
    )
    .build()
)


def build(settings: Settings) -> Connectors[Mail | Team, Organization]:
    """The application's manager."""
    return (
        ConnectorManager.create()
        .with_settings(settings)
        .with_delivery_limits(DeliveryLimits(stop_within=timedelta(seconds=1)))
        .add_scope(Organization)
        .add_connector(mail)
        .add_connector(team)
        .build()
    )


connectors = build(Settings.from_environment())
