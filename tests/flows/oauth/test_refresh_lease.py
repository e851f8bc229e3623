"""Refreshes of several tenants, and of processes that differ."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import parse_qs

import msgspec
from returns.result import Failure, Result, Success

from igniter_connectors import (
    AccessToken,
    HttpRequest,
    HttpResponse,
    Keyring,
    MemoryStore,
    OAuthProvider,
    Secret,
)
from igniter_connectors.adapters.system import SystemEntropy
from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord, Grant
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.core.problem import TokenProblem
from igniter_connectors.core.sealing.cipher_cache import Ciphers
from igniter_connectors.core.webhook.retry_policy import DeliveryLimits
from igniter_connectors.flows.deliveries import Deliveries
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.event_bus import EventBus
from igniter_connectors.flows.oauth.token_source import access_token
from igniter_connectors.flows.renewals import Renewals
from igniter_connectors.flows.sealing import seal_tokens
from igniter_connectors.ports import Store
from igniter_connectors.problems import RefreshFailed
from igniter_connectors.testing import ManualClock
from igniter_connectors.typing import HttpFailed
from tests.web.github import GitHub, github

KEYRING = Keyring.from_secret(Keyring.generate())
CONNECTOR = github(
    OAuthProvider(
        authorization_url="https://p.example/a",
        token_url="https://p.example/t",
        client_id="app",
        client_secret=Secret("application's own"),
    )
)
LOGGER = logging.getLogger("tests.refresh_lease")


def ok(name: str) -> HttpResponse:
    """A new token."""
    body = {"access_token": f"new-{name}", "refresh_token": name, "expires_in": 3600}
    return HttpResponse(200, (), msgspec.json.encode(body))


def key_of(name: str) -> ConnectionKey:
    """A tenant's connection."""
    return ConnectionKey("organization", name, "github")


@dataclass
class Provider:
    """Answers a refresh by its refresh token, which is the tenant's name."""

    answer: Callable[[str], HttpResponse | None] = ok
    asked: list[str] = field(default_factory=list)

    async def send(
        self,
        request: HttpRequest,
        *,
        deadline: timedelta = timedelta(seconds=10),
        limit_bytes: int = 0,
    ) -> Result[HttpResponse, HttpFailed]:
        """The HTTP port."""
        name = parse_qs(request.body.decode())["refresh_token"][0]
        self.asked.append(name)
        found = self.answer(name)
        return Failure(HttpFailed(sent=True)) if found is None else Success(found)


@dataclass
class Process:
    """One process on a store that others may share."""

    engine: Engine

    async def call(self, name: str) -> AccessToken | TokenProblem:
        """The tenant's token, renewed if it has to be."""
        record = await self.engine.store.find(key_of(name))
        assert record is not None
        return await access_token(self.engine, CONNECTOR, record, GitHub(Secret("hook")))


def process(
    store: Store, provider: Provider, clock: ManualClock, keyring: Keyring = KEYRING
) -> Process:
    """A process with a keyring of its own."""
    return Process(
        Engine(
            store,
            provider,
            clock,
            SystemEntropy(),
            Ciphers(keyring),
            EventBus(None, LOGGER),
            Renewals(clock),
            Deliveries(DeliveryLimits(), LOGGER),
            LOGGER,
            {"github": CONNECTOR},
        )
    )


async def insert_expired(at: Process, name: str) -> None:
    """A connection whose token has expired."""
    now = at.engine.clock.now()
    tokens = TokenSet(Secret("old"), Secret(name), expires_at=now)
    sealed = seal_tokens(at.engine, tokens, key_of(name), row=name, generation=1).unwrap()
    grant = Grant(
        sealed,
        1,
        f"grant-{name}",
        (),
        refreshable=True,
        refreshed_at=now - timedelta(hours=1),
        expires_at=now,
    )
    row = ConnectionRecord(key_of(name), name, b"{}", b"", True, 1, now, now, grant=grant)
    await at.engine.store.insert(row)


async def record_of(store: Store, name: str) -> ConnectionRecord:
    """The row."""
    record = await store.find(key_of(name))
    assert record is not None
    return record


def refused_for(*names: str) -> Callable[[str], HttpResponse]:
    """Atlassian's answer to an invalid refresh token, for these tenants."""
    body = b'{"error":"unauthorized_client","error_description":"refresh_token is invalid"}'
    return lambda name: HttpResponse(403, (), body) if name in names else ok(name)


async def test_one_tenants_refusal_stops_no_other_tenant() -> None:
    """Its connection backs off alone."""
    clock = ManualClock()
    provider = Provider(refused_for("sick"))
    at = process(MemoryStore(clock=clock), provider, clock)
    for name in ("sick", "a", "b"):
        await insert_expired(at, name)
    assert isinstance(await at.call("sick"), RefreshFailed)
    assert isinstance(await at.call("a"), AccessToken)
    assert isinstance(await at.call("b"), AccessToken)
    assert isinstance(await at.call("sick"), RefreshFailed)
    assert provider.asked == ["sick", "a", "b"]


async def test_a_client_that_every_tenant_is_refused_with_is_paused() -> None:
    """After three tenants; then one request at a time finds out whether it is mended."""
    clock = ManualClock()
    provider = Provider(refused_for("a", "b", "c", "d", "e"))
    at = process(MemoryStore(clock=clock), provider, clock)
    for name in "abcde":
        await insert_expired(at, name)
    for name in "abcde":
        assert isinstance(await at.call(name), RefreshFailed)
    assert provider.asked == ["a", "b", "c"]
    clock.advance(timedelta(seconds=61))
    for name in "adbec":
        assert isinstance(await at.call(name), RefreshFailed)
    assert provider.asked == ["a", "b", "c", "d"]
    provider.answer = ok
    clock.advance(timedelta(seconds=61))
    for name in "ebcad":
        assert isinstance(await at.call(name), AccessToken)
