"""A process that serves every route and counts its response statuses.

`python -m benchmarks.reliability.openapi_server URL` serves on a free port of loopback and prints a
`Served`. It exits when its standard input closes, and then prints its responses by status.
"""

import asyncio
import socket
import sys
from collections import Counter
from typing import Any, cast

import msgspec
import uvicorn
from litestar import Litestar
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.types import ASGIApp, Receive, Scope, Send
from returns.result import Result, Success

from igniter_connectors import (
    ActionCall,
    ActionFailed,
    Connector,
    ConnectorManager,
    Connectors,
    Keyring,
    OAuthProvider,
    PostgresStore,
    Principal,
    Secret,
    Webhook,
    WebhookCall,
    WebhookFailed,
    http_action,
    value_or_raise,
)
from igniter_connectors import Scope as Tenant
from igniter_connectors.web import ConnectorsPlugin
from igniter_connectors.webhooks import META, StandardWebhooks


class Served(msgspec.Struct, frozen=True):
    """What a client needs to know. The token is part of the webhook endpoint's URL."""

    port: int
    token: str


class Organization(Tenant, frozen=True, tag="organization"):
    """A kind of tenant."""


class Api(msgspec.Struct, frozen=True):
    """Config of the connector `mail`."""

    key: Secret
    team: str = "core"


class Page(msgspec.Struct, frozen=True):
    """Config of the connector `pages`."""

    key: Secret
    team: str = "core"


class Folder(msgspec.Struct, frozen=True):
    """Config of the connector `drive`, which uses OAuth."""

    key: Secret
    team: str = "core"


class Say(msgspec.Struct, frozen=True):
    """Input and output of the action, and payload of the webhooks."""

    text: str


@http_action("say", input=Say, output=Say)
async def say(call: ActionCall[Api, object, Say]) -> Result[Say, ActionFailed]:
    return Success(call.input)


async def on_mail(_: WebhookCall[Api, object, Say]) -> Result[None, WebhookFailed]:
    return Success(None)


async def on_page(_: WebhookCall[Page, object, Say]) -> Result[None, WebhookFailed]:
    return Success(None)


def team(config: Page) -> str:
    return config.team


def team_of(payload: Say) -> tuple[str, ...]:
    return (payload.text,)


MAIL = (
    Connector.create("mail")
    .with_config(Api)
    .add_action(say)
    .with_webhook(Webhook(payload=Say, verification=StandardWebhooks(), handler=on_mail))
    .build()
)
PAGES = (
    Connector.create("pages")
    .with_config(Page)
    .with_webhook(
        Webhook(
            payload=Say,
            verification=META,
            handler=on_page,
            route=team_of,
            account_of=team,
            application_secrets=(Secret("an application's own secret, long enough"),),
        )
    )
    .build()
)
DRIVE = (
    Connector.create("drive")
    .with_config(Folder)
    .with_oauth(
        OAuthProvider(
            authorization_url="https://login.example.com/authorize",
            token_url="https://127.0.0.1:1/token",
            client_id="app",
            client_secret=Secret("client secret"),
        )
    )
    .build()
)


def build(url: str, origin: str) -> Connectors[Api | Page | Folder, Organization]:
    return (
        ConnectorManager.create()
        .with_database(PostgresStore(url))
        .with_encryption(Keyring.from_secret(Keyring.generate()))
        .with_base_url(origin)
        .add_scope(Organization)
        .add_connector(MAIL)
        .add_connector(PAGES)
        .add_connector(DRIVE)
        .build()
    )


async def ada(_: ASGIConnection[Any, object, object, State]) -> Principal | None:
    return Principal(Organization("acme"), "ada")


def counted(app: ASGIApp, statuses: Counter[int]) -> ASGIApp:
    """The application, with its responses counted."""

    async def counting(scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses[message["status"]] += 1
            await send(message)

        await app(scope, receive, sending)

    return counting


async def serve(url: str) -> None:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    connectors = build(url, f"http://127.0.0.1:{port}")
    app = Litestar(plugins=[ConnectorsPlugin(connectors, principal=ada)], logging_config=None)
    statuses: Counter[int] = Counter()
    # Uvicorn's own type for applications is that of the specification, with its typed dicts.
    served = cast("Any", counted(cast("ASGIApp", app), statuses))
    server = uvicorn.Server(uvicorn.Config(served, log_config=None, access_log=False))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # uvicorn has no event for this
        if serving.done():
            serving.result()
        await asyncio.sleep(0.01)
    at = connectors.scope(Organization("acme")).at(MAIL)
    value_or_raise(await at.connect(Api(Secret("key"))))
    endpoint = value_or_raise(await at.create_webhook())
    token = endpoint.url.reveal().rpartition("/")[2]
    sys.stdout.write(msgspec.json.encode(Served(port, token)).decode() + "\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    server.should_exit = True
    await serving
    sys.stdout.write(msgspec.json.encode(dict(statuses)).decode() + "\n")


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
