"""Refreshes of several tenants, and of processes that differ."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs

import msgspec
import pytest
from returns.result import Failure, Result, Success

from igniter_connectors import (
    AccessToken,
    HttpRequest,
    HttpResponse,
    Keyring,
    MemoryStore,
    OAuthProvider,
    Secret,
    SQLiteStore,
)
from igniter_connectors.adapters.system import SystemEntropy
from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord, Grant
from igniter_connectors.core.oauth.refresh_lease import Lease
from igniter_connectors.core.oauth.revocation import RevocationRequest, revocation_of
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.core.problem import TokenProblem
from igniter_connectors.core.sealing.cipher_cache import Ciphers
from igniter_connectors.core.webhook.retry_policy import DeliveryLimits
from igniter_connectors.flows.deliveries import Deliveries
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.event_bus import EventBus
from igniter_connectors.flows.oauth.renew_expiring import renew_expiring
from igniter_connectors.flows.oauth.revoke import revoke_due
from igniter_connectors.flows.oauth.token_source import access_token
from igniter_connectors.flows.renewals import Renewals
from igniter_connectors.flows.sealing import place_of, seal_bytes, seal_tokens
from igniter_connectors.ports import Clock, Store
from igniter_connectors.problems import DatabaseFailed, DecryptFailed, NeedsReauth, RefreshFailed
from igniter_connectors.stores import StoreUnavailable
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


def process(store: Store, provider: Provider, clock: Clock, keyring: Keyring = KEYRING) -> Process:
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
        refresh_expires_at=now + timedelta(days=1),
    )
    key = key_of(name)
    config = seal_bytes(at.engine, b'{"secret":"hook"}', place_of("config", key, name)).unwrap()
    row = ConnectionRecord(key, name, b"{}", config, True, 1, now, now, grant=grant)
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


OLD, NEW = Keyring.generate(), Keyring.generate()
OLD_ONLY = Keyring.from_secret(OLD)
ROTATED = Keyring.from_secret(NEW, [OLD])


async def test_a_process_without_the_key_leaves_the_row_to_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It takes no lease and writes no schedule, and it logs the missing key's id, once."""
    clock = ManualClock()
    store = MemoryStore(clock=clock)
    provider = Provider()
    behind, rotated = (process(store, provider, clock, keys) for keys in (OLD_ONLY, ROTATED))
    await insert_expired(rotated, "a")
    before = await record_of(store, "a")
    for _ in range(5):
        assert isinstance(await behind.call("a"), DecryptFailed)
        assert await renew_expiring(behind.engine) == 0
    assert await record_of(store, "a") == before
    (line,) = caplog.messages
    assert ROTATED.sealing_key.id.hex() in line
    assert isinstance(await rotated.call("a"), AccessToken)
    assert provider.asked == ["a"]


async def test_a_row_that_is_sealed_anew_meanwhile_does_not_back_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The lease is given back as it was."""
    clock = ManualClock()
    store = MemoryStore(clock=clock)
    behind, rotated = (process(store, Provider(), clock, keys) for keys in (OLD_ONLY, ROTATED))
    await insert_expired(behind, "a")
    tokens = TokenSet(Secret("old"), Secret("a"), expires_at=clock.now())
    sealed = seal_tokens(rotated.engine, tokens, key_of("a"), row="a", generation=1).unwrap()
    take = store.take_lease

    async def take_lease(
        key: ConnectionKey, *, generation: int, owner: str, duration: timedelta
    ) -> Lease | None:
        lease = await take(key, generation=generation, owner=owner, duration=duration)
        return None if lease is None else msgspec.structs.replace(lease, sealed_tokens=sealed)

    monkeypatch.setattr(store, "take_lease", take_lease)
    assert isinstance(await behind.call("a"), DecryptFailed)
    record = await record_of(store, "a")
    assert (record.failures, record.lease_owner, record.unresolved) == (0, None, False)
    assert record.next_attempt_at == clock.now()


async def test_a_revocation_that_does_not_open_here_counts_no_attempt() -> None:
    """It waits for a process that can open it, however long that takes."""
    clock = ManualClock()
    store = MemoryStore(clock=clock)
    behind, rotated = (process(store, Provider(), clock, keys) for keys in (OLD_ONLY, ROTATED))
    await insert_expired(rotated, "a")
    record = await record_of(store, "a")
    assert record.grant is not None
    await store.revocations.add(revocation_of(record, record.grant, id="r"), due_in=timedelta(0))
    for _ in range(50):
        assert await revoke_due(behind.engine) == 1
        clock.advance(timedelta(minutes=1))
    (pending,) = await store.revocations.claim(limit=9, duration=timedelta(0))
    assert pending.attempts == 0


def lose_answers(
    monkeypatch: pytest.MonkeyPatch, store: MemoryStore, *, count: int, is_taken: bool = True
) -> None:
    """Loses the first answers to `take_lease`; without `is_taken`, the requests too."""
    take, left = store.take_lease, count

    async def take_lease(
        key: ConnectionKey, *, generation: int, owner: str, duration: timedelta
    ) -> Lease | None:
        nonlocal left
        if left:
            left -= 1
            if is_taken:
                await take(key, generation=generation, owner=owner, duration=duration)
            raise StoreUnavailable("lost")
        return await take(key, generation=generation, owner=owner, duration=duration)

    monkeypatch.setattr(store, "take_lease", take_lease)


@pytest.mark.parametrize("is_taken", [True, False])
async def test_a_lost_answer_to_the_lease_delays_nobody(
    monkeypatch: pytest.MonkeyPatch, is_taken: bool
) -> None:
    """The taker finds its own lease again, with the mark as it was."""
    clock = ManualClock()
    store = MemoryStore(clock=clock)
    lose_answers(monkeypatch, store, count=1, is_taken=is_taken)
    provider = Provider(lambda _: HttpResponse(400, (), b'{"error":"invalid_grant"}'))
    at = process(store, provider, clock)
    await insert_expired(at, "a")
    answer = await asyncio.wait_for(at.call("a"), 1)
    # Not `lost_rotation`: no earlier attempt is unresolved.
    assert answer == NeedsReauth("github", "needs_reauth")
    assert provider.asked == ["a"]


async def test_a_lease_lost_behind_an_outage_is_found_by_the_next_attempt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both answers are lost; the caller hears of the database, the next one waits for nothing."""
    clock = ManualClock()
    store = MemoryStore(clock=clock)
    lose_answers(monkeypatch, store, count=2)
    at = process(store, Provider(), clock)
    await insert_expired(at, "a")
    assert isinstance(await at.call("a"), DatabaseFailed)
    assert (await record_of(store, "a")).lease_owner is not None
    assert isinstance(await asyncio.wait_for(at.call("a"), 1), AccessToken)


class SteppedClock:
    """A host's clock whose wall time can be set, and whose host may have booted before."""

    def __init__(self, booted: float = 0) -> None:
        self.manual = ManualClock()
        self.step = timedelta()
        self._booted = booted

    def now(self) -> datetime:
        """The wall clock."""
        return self.manual.now() + self.step

    def monotonic(self) -> float:
        """Seconds since the boot."""
        return self._booted + self.manual.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Waits."""
        await self.manual.sleep(seconds)


def store_of(kind: str, folder: Path, clock: Clock) -> Store:
    """A store in memory or in a file."""
    return (
        MemoryStore(clock=clock) if kind == "memory" else SQLiteStore(folder / "c.db", clock=clock)
    )


async def take(store: Store, owner: str) -> Lease | None:
    """A lease of 15 seconds."""
    return await store.take_lease(
        key_of("a"), generation=1, owner=owner, duration=timedelta(seconds=15)
    )


@pytest.mark.parametrize("hours", [1, -1, 24 * 365, -24 * 365])
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_a_step_of_the_clock_neither_ends_nor_prolongs_a_lease(
    tmp_path: Path, kind: str, hours: int
) -> None:
    """A refresh runs while the host's clock is set."""
    clock = SteppedClock()
    store = store_of(kind, tmp_path, clock)
    await store.open()
    try:
        await insert_expired(process(store, Provider(), clock), "a")
        assert await take(store, "first") is not None
        clock.step = timedelta(hours=hours)
        assert await take(store, "second") is None
        clock.manual.advance(timedelta(seconds=14.9))
        assert await take(store, "second") is None
        clock.manual.advance(timedelta(seconds=0.2))
        second = await take(store, "second")
        assert second is not None
        assert second.unresolved_before
    finally:
        await store.close()


async def test_a_lease_ends_with_a_reboot(tmp_path: Path) -> None:
    """The monotonic clock starts again, so the stored end is far in its future."""
    clock = SteppedClock(booted=1_000_000)
    store = store_of("sqlite", tmp_path, clock)
    await store.open()
    await insert_expired(process(store, Provider(), clock), "a")
    assert await take(store, "first") is not None
    await store.close()
    rebooted = store_of("sqlite", tmp_path, SteppedClock(booted=60))
    await rebooted.open()
    assert await take(rebooted, "second") is not None
    await rebooted.close()


@pytest.mark.parametrize("hours", [1, -1])
async def test_a_revocation_waits_for_the_lease_whatever_the_clock_says(
    tmp_path: Path, hours: int
) -> None:
    """Disconnected while a refresh runs and after the clock was set."""
    clock = SteppedClock()
    store = store_of("sqlite", tmp_path, clock)
    await store.open()
    try:
        await insert_expired(process(store, Provider(), clock), "a")
        assert await take(store, "first") is not None
        clock.step = timedelta(hours=hours)
        asked = RevocationRequest("r", timedelta())
        await store.disconnect(key_of("a"), revocation=asked, now=clock.now())
        clock.manual.advance(timedelta(seconds=14.9))
        assert not await store.revocations.claim(limit=9, duration=timedelta(minutes=1))
        clock.manual.advance(timedelta(seconds=0.2))
        assert len(await store.revocations.claim(limit=9, duration=timedelta(minutes=1))) == 1
    finally:
        await store.close()
