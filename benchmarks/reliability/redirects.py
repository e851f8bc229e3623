"""Endpoints that redirect to another host: no byte is sent there, whatever the status."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import urlsplit

import msgspec

from benchmarks.reliability.figure import Figure
from benchmarks.reliability.oauth_app import ACME, KEYRING, Forge, Organization, provider_of
from igniter_connectors import (
    Connector,
    ConnectorManager,
    Connectors,
    HttpRequest,
    MemoryStore,
    OAuthConnector,
    Principal,
    value_or_raise,
)
from igniter_connectors.adapters.httpx_client import HttpxClient
from igniter_connectors.core.oauth.discovery import judge_discovery, openid_configuration_request
from igniter_connectors.flows.oauth.revoke import revoke_due
from igniter_connectors.testing import FakeOAuthProvider, ManualClock, ProviderScript
from igniter_connectors.testing.provider.http_server import Request, Response, serve

CODES = (301, 302, 303, 307, 308)
ENDPOINTS = ("/token", "/userinfo", "/revoke", "/jwks", "/discovery", "/par", "/device")
_WELL_KNOWN = "/.well-known/openid-configuration"


class Redirecting(msgspec.Struct):
    """A provider with one endpoint that redirects to another host.

    Attributes:
        requests: Number of requests to that endpoint.
        leaked: The requests that arrived at the other host.
    """

    provider: FakeOAuthProvider
    where: str
    status: int
    elsewhere: str = ""
    requests: int = 0
    leaked: list[bytes] = []

    async def handle(self, request: Request) -> Response:
        """The redirect, or the provider's response."""
        path = "/discovery" if request.path == _WELL_KNOWN else request.path
        if path == self.where:
            self.requests += 1
            return Response(self.status, {"location": f"{self.elsewhere}/stolen"})
        answer = await self.provider.handle(request)
        if path == "/token" and self.where == "/jwks":
            body = msgspec.json.decode(answer.body) | {"id_token": "a.b.c"}
            return Response(answer.status, answer.headers, msgspec.json.encode(body))
        return answer

    async def steal(self, request: Request) -> Response:
        """The endpoint of the other host."""
        head = f"{request.method} {request.path} {request.query} {request.headers}".encode()
        self.leaked.append(head + request.body)
        return Response(200)


async def redirects() -> Figure:
    """Counts the bytes that arrive at the other host."""
    unrequested: list[str] = []
    leaked = cases = 0
    for where in ENDPOINTS:
        for status in CODES:
            cases += 1
            made = Redirecting(FakeOAuthProvider(ProviderScript()), where, status, leaked=[])
            async with (
                serve(made.handle) as made.provider.url,
                serve(made.steal) as made.elsewhere,
            ):
                await use_endpoint(made)
            leaked += sum(map(len, made.leaked))
            if not made.requests:
                unrequested.append(f"{where} {status}")
    return Figure(
        "redirects",
        f"{leaked} bytes in {cases} cases ({len(CODES)} codes, {len(ENDPOINTS)} endpoints)"
        + (f"; never requested: {unrequested}" if unrequested else ""),
        "0 bytes, every endpoint requested",
        leaked == 0 and not unrequested,
    )


async def use_endpoint(made: Redirecting) -> None:
    """Runs the operation that requests the endpoint."""
    provider = made.provider
    if made.where == "/discovery":
        http = HttpxClient(logger=logging.getLogger("reliability"))
        answer = await http.send(openid_configuration_request(provider.url))
        _ = judge_discovery(answer.unwrap(), provider.url)
        await http.close()
        return
    endpoints: dict[str, dict[str, object]] = {
        "/jwks": {
            "jwks_url": f"{provider.url}/jwks",
            "issuer": provider.url,
            "oauth_scopes": ("openid",),
        },
        "/par": {"pushed_authorization_url": f"{provider.url}/par"},
        "/device": {"device_authorization_url": f"{provider.url}/device"},
    }
    async with manager(made, endpoints.get(made.where, {})) as (connectors, connector, clock):
        at = connectors.scope(ACME).at(connector)
        if made.where == "/device":
            _ = await at.authorize_device(Forge())
            return
        await flow(connectors, connector)
        if made.where == "/revoke":
            value_or_raise(await at.disconnect())
            clock.advance(timedelta(seconds=31))
            _ = await revoke_due(connectors._engine)


@asynccontextmanager
async def manager(
    made: Redirecting, changes: dict[str, object]
) -> AsyncGenerator[
    tuple[Connectors[Forge, Organization], OAuthConnector[Forge, None, Forge], ManualClock], None
]:
    """An application with a connector for the provider."""
    clock = ManualClock()
    described = provider_of(made.provider, **changes)
    connector = Connector.create("forge").with_config(Forge).with_oauth(described).build()
    connectors = (
        ConnectorManager.create()
        .with_database(MemoryStore(clock=clock))
        .with_encryption(KEYRING)
        .with_base_url("http://127.0.0.1:1")
        .with_clock(clock)
        .add_scope(Organization)
        .add_connector(connector)
        .build()
    )
    async with connectors:
        await connectors._lifecycle.revocations.close()
        yield connectors, connector, clock


async def flow(
    connectors: Connectors[Forge, Organization], connector: OAuthConnector[Forge, None, Forge]
) -> None:
    """Runs an authorization as far as it gets."""
    ada = Principal(ACME, "ada")
    at = connectors.scope(ACME).at(connector)
    begun = value_or_raise(await at.authorize(Forge(), subject="ada"))
    started = await connectors.handle(HttpRequest("GET", begun.url), principal=ada)
    if started.status != 303:
        return
    http = HttpxClient(logger=logging.getLogger("reliability"))
    consented = await http.send(HttpRequest("GET", started.header("location") or ""))
    await http.close()
    cookie = (started.header("set-cookie") or "").partition(";")[0]
    callback = consented.unwrap().header("location") or ""
    parts = urlsplit(callback)
    assert parts.path.endswith("/oauth/callback")
    _ = await connectors.handle(HttpRequest("GET", callback, (("Cookie", cookie),)), principal=ada)
