"""An application for `litestar --app tests.web.document_app:app`."""

from __future__ import annotations

import msgspec
from litestar import Litestar
from returns.result import Result, Success

from igniter_connectors import (
    ActionCall,
    ActionFailed,
    Connector,
    ConnectorManager,
    MemoryStore,
    OAuthProvider,
    Secret,
    Webhook,
    WebhookCall,
    WebhookFailed,
    http_action,
)
from igniter_connectors.web import ConnectorsPlugin
from igniter_connectors.webhooks import META
from tests.sample import KEYRING, Organization


class Mail(msgspec.Struct, frozen=True):
    """The config."""

    key: Secret
    team: str = ""


class Drive(msgspec.Struct, frozen=True):
    """The config of the connector with OAuth."""

    folder: str


class Letter(msgspec.Struct, frozen=True):
    """The payload, and the input."""

    text: str


async def handle(_: WebhookCall[Mail, object, Letter]) -> Result[None, WebhookFailed]:
    return Success(None)


def route(letter: Letter) -> tuple[str, ...]:
    return (letter.text,)


def team(config: Mail) -> str:
    return config.team


@http_action("send", input=Letter, output=Letter)
async def send(call: ActionCall[Mail, object, Letter]) -> Result[Letter, ActionFailed]:
    return Success(call.input)


mail = (
    Connector.create("mail")
    .with_config(Mail)
    .with_webhook(
        Webhook(
            payload=Letter,
            verification=META,
            handler=handle,
            route=route,
            account_of=team,
            application_secrets=(Secret("an application's own secret, long enough"),),
        )
    )
    .add_action(send)
    .build()
)
drive = (
    Connector.create("drive")
    .with_config(Drive)
    .with_oauth(
        OAuthProvider(
            authorization_url="https://login.example/authorize",
            token_url="https://login.example/token",
            client_id="app",
            client_secret=Secret("client secret"),
        )
    )
    .build()
)
connectors = (
    ConnectorManager.create()
    .with_database(MemoryStore())
    .with_encryption(KEYRING)
    .with_base_url("https://app.example")
    .add_scope(Organization)
    .add_connector(mail)
    .add_connector(drive)
    .build()
)
app = Litestar(plugins=[ConnectorsPlugin(connectors)], logging_config=None)
