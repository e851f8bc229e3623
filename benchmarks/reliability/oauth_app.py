"""An application with an OAuth connector, served over real HTTP."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
import uvicorn
from litestar import Litestar
from litestar.connection import ASGIConnection
from returns.result import Result, Success

from igniter_connectors import (
    ActionCall,
    ActionFailed,
    Connector,
    ConnectorManager,
    Connectors,
    Keyring,
    OAuthConnector,
    OAuthProvider,
    Principal,
    Scope,
    Secret,
    Webhook,
    WebhookCall,
    WebhookFailed,
    http_action,
    value_or_raise,
)
from igniter_connectors.ports import Store
from igniter_connectors.web import ConnectorsPlugin, Permit
from igniter_connectors.webhooks import StandardWebhooks


class Organization(Scope, frozen=True, tag="organization"):
    """A kind of tenant."""


class Forge(msgspec.Struct, frozen=True):
    """Config of the connector."""

    hook: Secret = Secret("hook")


class Note(msgspec.Struct, frozen=True):
    """Payload of the webhook, and input of the action."""

    text: str = ""


@http_action("ping", input=Note, output=Note)
async def ping(call: ActionCall[Forge, object, Note]) -> Result[Note, ActionFailed]:
    """Returns its input."""
    return Success(call.input)


async def on_note(_: WebhookCall[Forge, object, Note]) -> Result[None, WebhookFailed]:
    """Accepts the event."""
    return Success(None)


KEYRING = Keyring.from_secret(Keyring.generate())
ACME = Organization("acme")


async def signed_in(request: ASGIConnection[Any, Any, Any, Any]) -> Principal | None:
    """The signed-in user, from a header `organization/person` instead of a session."""
    tenant, _, person = request.headers.get("x-session", "").partition("/")
    return Principal(Organization(tenant), person) if person else None


class OAuthApp(msgspec.Struct):
    """An application that is being served."""

    connectors: Connectors[Forge, Organization]
    connector: OAuthConnector[Forge, None, Forge]
    origin: str
    litestar: Litestar
    permit: Permit | None = None

    async def begin(self, browser: httpx.AsyncClient) -> str:
        """Opens a ticket in the browser and consents. Returns the callback's URL, unopened."""
        at = self.connectors.scope(ACME).at(self.connector)
        ticket = value_or_raise(await at.authorize(Forge(), subject="ada")).url
        opened = await browser.get(ticket, headers={"x-session": "acme/ada"})
        assert opened.status_code == 303, opened.text
        # The provider is another site and gets none of these cookies.
        answer = await browser.get(opened.headers["location"], headers={"cookie": ""})
        return str(answer.headers["location"])


def provider_of(provider: Any, **changes: object) -> OAuthProvider:
    """The `OAuthProvider` for a fake provider, with these fields changed."""
    described = OAuthProvider(
        authorization_url=provider.authorization_url,
        token_url=provider.token_url,
        userinfo_url=provider.userinfo_url,
        revocation_url=provider.revocation_url,
        client_id=provider.client_id,
        client_secret=provider.client_secret,
    )
    return msgspec.structs.replace(described, **changes)


def listening() -> socket.socket:
    """A socket on a free port of loopback."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    return listener


@asynccontextmanager
async def running_apps(
    provider: OAuthProvider, stores: Sequence[Store], *, permit: Permit | None = None
) -> AsyncGenerator[list[OAuthApp], None]:
    """One served application per store. All have the base URL of the first."""
    listeners = [listening() for _ in stores]
    base = f"http://127.0.0.1:{listeners[0].getsockname()[1]}"
    webhook = Webhook(payload=Note, verification=StandardWebhooks(), handler=on_note)
    connector = (
        Connector.create("forge")
        .with_config(Forge)
        .add_action(ping)
        .with_webhook(webhook)
        .with_oauth(provider)
        .build()
    )
    made: list[OAuthApp] = []
    servers: list[tuple[uvicorn.Server, asyncio.Task[None]]] = []
    try:
        for store, listener in zip(stores, listeners, strict=True):
            connectors = (
                ConnectorManager.create()
                .with_database(store)
                .with_encryption(KEYRING)
                .with_base_url(base)
                .add_scope(Organization)
                .add_connector(connector)
                .build()
            )
            plugin = ConnectorsPlugin(connectors, principal=signed_in, permit=permit)
            app = Litestar(plugins=[plugin], logging_config=None)
            config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="on")
            server = uvicorn.Server(config)
            servers.append((server, asyncio.create_task(server.serve(sockets=[listener]))))
            while not server.started:  # noqa: ASYNC110  # uvicorn has no event for this
                await asyncio.sleep(0.01)
            made.append(
                OAuthApp(
                    connectors,
                    connector,
                    f"http://127.0.0.1:{listener.getsockname()[1]}",
                    app,
                    permit,
                )
            )
        yield made
    finally:
        for server, serving in servers:
            server.should_exit = True
            await serving
        for listener in listeners:
            listener.close()
