"""What a worker does beside webhooks: it renews in time what nobody uses, and revokes."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from igniter_connectors import (
    ConnectorManager,
    Connectors,
    MemoryStore,
    OAuthProvider,
    PostgresStore,
    WrongWiring,
    value_or_raise,
)
from igniter_connectors.testing import (
    FakeOAuthProvider,
    ManualClock,
    ProviderScript,
    running_provider,
)
from igniter_connectors.typing import WorkDone
from igniter_connectors.webhooks import DeliveryLimits
from tests.flows.mailroom import Call, Plan, mailroom, manager
from tests.flows.oauth.test_token_source import ACME, KEY
from tests.sample import KEYRING, Organization
from tests.web.github import GitHub, github, site
from tests.web.test_oauth import come_back, oauth, ticket

LIFE = timedelta(days=10)
SAFE = timedelta(days=7, hours=23)
LAPSING = timedelta(days=8, minutes=1)
"""The last fifth of a refresh token's life has begun."""


def lapsing(provider: FakeOAuthProvider) -> OAuthProvider:
    """The scripted provider, whose refresh tokens lapse."""
    return replace(
        oauth(provider), refresh_token_lifetime=LIFE, revocation_url=provider.revocation_url
    )


async def connect(provider: FakeOAuthProvider, store: MemoryStore, clock: ManualClock) -> None:
    """A tenant authorizes and goes away."""
    async with (
        site(lapsing(provider), store=store, clock=clock) as at_site,
        at_site.browser() as browser,
    ):
        await browser.get(await come_back(browser, await ticket(at_site)))


def manager_of(
    provider: FakeOAuthProvider, store: MemoryStore, clock: ManualClock
) -> Connectors[GitHub, Organization]:
    """A manager of the worker's own."""
    return (
        ConnectorManager.create()
        .with_database(store)
        .with_encryption(KEYRING)
        .with_base_url("https://app.example.com")
        .with_clock(clock)
        .add_scope(Organization)
        .add_connector(github(lapsing(provider)))
        .build()
    )


async def generation(store: MemoryStore) -> int:
    """Of the tenant's grant."""
    record = await store.find(KEY)
    assert record is not None
    assert record.grant is not None
    return record.grant.generation


@pytest.mark.parametrize(("age", "renewed"), [(SAFE, 0), (LAPSING, 1)])
async def test_once_renews_what_would_lapse(age: timedelta, renewed: int) -> None:
    """In the last fifth of the refresh token's life, and not before; and once."""
    clock = ManualClock()
    store = MemoryStore(clock=clock)
    async with running_provider() as provider:
        await connect(provider, store, clock)
        clock.advance(age)
        async with manager_of(provider, store, clock).as_worker() as worker:
            await worker.once()
            await worker.once()
        assert provider.refresh_requests == renewed
        assert worker.done() == WorkDone(renewed=renewed)
    assert await generation(store) == 1 + renewed


async def test_a_worker_renews_at_the_start_and_every_so_often() -> None:
    """The next round comes within a quarter more of the time that was asked for."""
    clock = ManualClock()
    store = MemoryStore(clock=clock)
    async with running_provider() as provider:
        await connect(provider, store, clock)
        async with manager_of(provider, store, clock).as_worker() as worker:
            worker.start(renew_every=timedelta(hours=1))
            for round in (1, 2):
                await asyncio.sleep(0.05)
                clock.advance(LAPSING)
                async with asyncio.timeout(5):
                    while worker.done().renewed < round:  # noqa: ASYNC110  # it tells nobody
                        await asyncio.sleep(0.01)
        assert (provider.refresh_requests, provider.refused) == (2, 0)
    assert await generation(store) == 3


async def test_closing_waits_for_a_renewal_that_was_sent() -> None:
    """What the provider rotated is stored."""
    clock = ManualClock()
    store = MemoryStore(clock=clock)
    async with running_provider(ProviderScript(answer_late_seconds=0.2)) as provider:
        await connect(provider, store, clock)
        clock.advance(LAPSING)
        async with manager_of(provider, store, clock).as_worker() as worker:
            worker.start()
            async with asyncio.timeout(5):
                while provider.refresh_requests < 1:  # noqa: ASYNC110  # as above
                    await asyncio.sleep(0.005)
    assert await generation(store) == 2


async def test_once_revokes_what_others_could_not() -> None:
    """The provider was down when the tenant disconnected."""
    clock = ManualClock()
    store = MemoryStore(clock=clock)
    async with running_provider(ProviderScript(revocation_status=503)) as provider:
        await connect(provider, store, clock)
        connectors = manager_of(provider, store, clock)
        async with connectors.without_delivery():
            github = value_or_raise(connectors.find("github"))
            value_or_raise(await connectors.scope(ACME).at(github).disconnect())
        provider.script.revocation_status = 200
        clock.advance(timedelta(hours=2))
        async with manager_of(provider, store, clock).as_worker() as worker:
            await worker.once()
        assert worker.done() == WorkDone(revocations=1)
        async with manager_of(provider, store, clock).as_worker() as worker:
            await worker.once()
        assert worker.done() == WorkDone()


async def test_a_worker_keeps_to_the_limits_it_is_given() -> None:
    """Not to those the manager was built with; ones that cannot be kept to are refused."""
    store, plan = MemoryStore(), Plan(limits=DeliveryLimits(handlers_at_once=0))
    async with mailroom(store, plan) as room:
        assert (await room.post("hi")).status == 204
        await room.connectors.settled()
        assert room.texts == []
    calls: list[Call] = []
    connectors, _ = manager(store, plan, calls)
    with pytest.raises(WrongWiring, match="handlers_at_once must be at least 0"):
        async with connectors.as_worker(DeliveryLimits(handlers_at_once=-1)):
            raise AssertionError
    async with connectors.as_worker(DeliveryLimits()) as worker:
        await worker.once()
    assert [call.payload.text for call in calls] == ["hi"]
    assert worker.done() == WorkDone(handled=1)


async def test_what_is_left_to_others_is_told_to_who_listens(database_url: str) -> None:
    """Whatever is recorded and at once begun is nobody else's: it is told to none."""
    listener, rung = PostgresStore(database_url, deadline=timedelta(seconds=5)), asyncio.Event()
    listening = asyncio.create_task(listener.inbox.listen(rung.set))
    try:
        async with asyncio.timeout(5):
            await rung.wait()  # it listens now
        async with mailroom(PostgresStore(database_url, deadline=timedelta(seconds=5))) as room:
            rung.clear()
            assert (await room.post("mine", "msg_1")).status == 204
            await room.connectors.settled()
            await asyncio.sleep(0.2)
            assert not rung.is_set()
            endpoint = room.endpoint
        plan = Plan(limits=DeliveryLimits(handlers_at_once=0))
        async with mailroom(
            PostgresStore(database_url, deadline=timedelta(seconds=5)), plan, endpoint=endpoint
        ) as room:
            assert (await room.post("yours", "msg_2")).status == 204
            async with asyncio.timeout(5):
                await rung.wait()
            rung.clear()
            # Several that share a statement; one is enough.
            await asyncio.gather(*(room.post("yours", f"id_{n}") for n in range(20)))
            async with asyncio.timeout(5):
                await rung.wait()
            await asyncio.sleep(0.2)
            rung.clear()
            assert (await room.post("yours", "msg_2")).status == 204  # a duplicate
            await asyncio.sleep(0.2)
            assert not rung.is_set()
    finally:
        listening.cancel()
        await asyncio.wait([listening])
