"""An OAuth connector for tests, and the application that serves it."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec
from litestar import Litestar
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from returns.pipeline import is_successful
from returns.result import Result, Success

from igniter_connectors import (
    ActionCall,
    Connector,
    ConnectorManager,
    Connectors,
    MemoryStore,
    OAuthConnector,
    OAuthProvider,
    Principal,
    Secret,
    action,
)
from igniter_connectors.core.http.messages import origin_of
from igniter_connectors.core.problem import ActionFailed
from igniter_connectors.ports import Clock, Store
from igniter_connectors.web import ConnectorsPlugin
from tests.sample import KEYRING, Organization
from tests.web.documented import Documented
from tests.web.served import bound_socket, port_of, served


class GitHub(msgspec.Struct, frozen=True):
    """The config that a tenant gives with the authorization."""

    webhook_secret: Secret
    team: str = "core"


class WhoAmI(msgspec.Struct, frozen=True):
    """The input: the URL of the user info."""

    url: str


class Me(msgspec.Struct, frozen=True):
    """The output."""

    sub: str


@action("who_am_i", input=WhoAmI, output=Me)
async def who_am_i(call: ActionCall[GitHub, object, WhoAmI]) -> Result[Me, ActionFailed]:
    """Asks the provider with the connection's access token."""
    answer = await call.http.get(call.input.url)
    if not is_successful(answer):
        return call.failed("no answer")
    if answer.unwrap().status != 200:
        return call.failed(f"status {answer.unwrap().status}")
    return Success(msgspec.json.decode(answer.unwrap().body, type=Me))


@action("list_gists", input=WhoAmI, output=Me, oauth_scopes=["repo", "gist"])
async def list_gists(call: ActionCall[GitHub, object, WhoAmI]) -> Result[Me, ActionFailed]:
    """Declares two scopes that the provider's definition does not."""
    return Success(Me(call.input.url))


Github = OAuthConnector[GitHub, None, GitHub]


def github(provider: OAuthProvider) -> Github:
    """The connector at a provider."""
    return (
        Connector.create("github")
        .with_config(GitHub)
        .with_api(origin_of(provider.userinfo_url or provider.token_url))
        .add_action(who_am_i)
        .add_action(list_gists)
        .with_oauth(provider)
        .build()
    )


async def who_is_signed_in(
    request: ASGIConnection[Any, object, object, State],
) -> Principal | None:
    """The session of the application, from a header: `organization/person`."""
    tenant, _, person = request.headers.get("x-session", "").partition("/")
    return Principal(Organization(tenant), person) if person else None


@dataclass
class Site:
    """A served application with the connector in it."""

    connectors: Connectors[GitHub, Organization]
    connector: Github
    origin: str
    document: Documented

    def browser(self, session: str | None = "acme/ada") -> httpx.AsyncClient:
        """A browser with its own cookies, in which a person is signed in.

        Each answer of the application is checked against its document.
        """
        headers = {} if session is None else {"x-session": session}
        hooks = {"response": [self._check]}
        return httpx.AsyncClient(base_url=self.origin, headers=headers, event_hooks=hooks)

    async def _check(self, answer: httpx.Response) -> None:
        if str(answer.url).startswith(f"{self.origin}/connect"):
            await self.document.check(answer)


def callback_of(listener: socket.socket) -> str:
    """The redirect URI to register at the provider."""
    return f"http://127.0.0.1:{port_of(listener)}/connectors/github/oauth/callback"


@asynccontextmanager
async def site(
    provider: OAuthProvider,
    *,
    listener: socket.socket | None = None,
    store: Store | None = None,
    clock: Clock | None = None,
) -> AsyncGenerator[Site, None]:
    """The application over real HTTP on loopback."""
    listener = listener or bound_socket()
    origin = f"http://127.0.0.1:{port_of(listener)}"
    connector = github(provider)
    builder = (
        ConnectorManager.create()
        .with_database(store or MemoryStore())
        .with_encryption(KEYRING)
        .with_base_url(origin)
        .add_scope(Organization)
        .add_connector(connector)
    )
    connectors = (builder.with_clock(clock) if clock is not None else builder).build()
    app = Litestar(
        plugins=[ConnectorsPlugin(connectors, principal=who_is_signed_in)], logging_config=None
    )
    async with served(app, listener):
        yield Site(connectors, connector, origin, Documented(app))
