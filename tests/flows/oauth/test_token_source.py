"""Refresh in one process: once for all who wait, and never lost with a caller."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from igniter_connectors import MemoryStore, problem_of, value_or_raise
from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.problem import NeedsReauth, RefreshFailed
from igniter_connectors.ports import StoreUnavailable
from igniter_connectors.testing import (
    FakeOAuthProvider,
    ManualClock,
    ProviderScript,
    running_provider,
)
from tests.sample import Organization
from tests.web.github import Me, Site, WhoAmI, site, who_am_i
from tests.web.test_oauth import come_back, oauth, ticket

ACME = Organization("acme")
KEY = ConnectionKey("organization", "acme", "github")


@asynccontextmanager
async def connected_site(
    script: ProviderScript | None = None,
) -> AsyncGenerator[tuple[Site, FakeOAuthProvider, ManualClock, MemoryStore], None]:
    """A site with a connected tenant, whose clock the test turns."""
    clock = ManualClock()
    store = MemoryStore(clock=clock)
    async with running_provider(script) as provider:
        async with site(oauth(provider), store=store, clock=clock) as at_site:
            async with at_site.browser() as browser:
                await browser.get(await come_back(browser, await ticket(at_site)))
            yield at_site, provider, clock, store


async def call(at_site: Site, provider: FakeOAuthProvider) -> object:
    """One action; the account or the problem."""
    at = at_site.connectors.scope(ACME).at(at_site.connector)
    answer = await at.action(who_am_i).call(WhoAmI(provider.userinfo_url))
    problem = problem_of(answer)
    return value_or_raise(answer) if problem is None else problem


async def test_twenty_actions_at_expiry_make_one_request() -> None:
    """All succeed with the one new token."""
    async with connected_site(ProviderScript(answer_after_seconds=0.05)) as (
        at_site,
        provider,
        clock,
        _,
    ):
        clock.advance(timedelta(hours=1))
        answers = await asyncio.gather(*(call(at_site, provider) for _ in range(20)))
        assert answers == [Me("account-1")] * 20
        assert (provider.refresh_requests, provider.refused) == (1, 0)


async def test_a_token_due_for_renewal_serves_while_one_refresh_runs_beside() -> None:
    """Nobody waits for it."""
    async with connected_site() as (at_site, provider, clock, store):
        clock.advance(timedelta(minutes=55))
        assert await call(at_site, provider) == Me("account-1")
        await asyncio.sleep(0.1)
        assert provider.refresh_requests == 1
        record = await store.find(KEY)
        assert record is not None
        assert record.grant is not None
        assert record.grant.generation == 2
        assert await call(at_site, provider) == Me("account-1")
        assert provider.refresh_requests == 1


async def test_callers_that_are_cancelled_take_no_grant_with_them() -> None:
    """The request was sent: its answer is stored, whoever asked for it."""
    async with connected_site(ProviderScript(answer_after_seconds=0.1)) as (
        at_site,
        provider,
        clock,
        store,
    ):
        clock.advance(timedelta(hours=1))
        tasks = [asyncio.create_task(call(at_site, provider)) for _ in range(5)]
        await asyncio.sleep(0.05)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        assert all(task.cancelled() for task in tasks)
        await asyncio.sleep(0.2)
        record = await store.find(KEY)
        assert record is not None
        assert record.grant is not None
        assert record.grant.generation == 2
        assert await call(at_site, provider) == Me("account-1")
        assert (provider.refresh_requests, provider.refused) == (1, 0)


async def test_closing_waits_for_what_was_sent() -> None:
    """A manager that closes mid-refresh stores the answer first."""
    async with connected_site(ProviderScript(answer_after_seconds=0.1)) as (
        at_site,
        provider,
        clock,
        store,
    ):
        clock.advance(timedelta(hours=1))
        task = asyncio.create_task(call(at_site, provider))
        await asyncio.sleep(0.05)
        await at_site.connectors.__aexit__(None, None, None)
        record = await store.find(KEY)
        assert record is not None
        assert record.grant is not None
        assert record.grant.generation == 2
        await asyncio.wait({task})
        await at_site.connectors.__aenter__()


async def test_a_dead_grant_is_found_out_once() -> None:
    """One request, then none in the next thousand actions."""
    async with connected_site() as (at_site, provider, clock, _):
        provider.revoke_all()
        clock.advance(timedelta(hours=1))
        for _ in range(1000):
            assert await call(at_site, provider) == NeedsReauth("github", "needs_reauth")
        assert provider.refresh_requests == 1


@pytest.mark.parametrize(
    ("status", "error"),
    [(503, "server_error"), (429, "slow_down"), (503, "invalid_grant")],
)
async def test_a_provider_in_trouble_is_asked_again_later_and_the_grant_lives(
    status: int, error: str
) -> None:
    """Back-off, Retry-After in full, and then it works. A 503 says nothing about the grant."""
    async with connected_site() as (at_site, provider, clock, _):
        clock.advance(timedelta(hours=1))
        provider.script.token_status, provider.script.token_error = status, error
        provider.script.retry_after = "120"
        problem = await call(at_site, provider)
        assert isinstance(problem, RefreshFailed)
        assert problem.retry_at == clock.now() + timedelta(seconds=120)
        for _ in range(20):
            assert isinstance(await call(at_site, provider), RefreshFailed)
        assert provider.refresh_requests == 0
        assert provider.token_requests == 2
        at = at_site.connectors.scope(ACME).at(at_site.connector)
        assert value_or_raise(await at.explain()).state == "waiting_to_retry"
        provider.script.token_status = 200
        clock.advance(timedelta(seconds=120))
        assert await call(at_site, provider) == Me("account-1")


async def test_a_token_that_lives_serves_through_the_provider_s_trouble() -> None:
    """A refresh that fails beside the call is nobody's problem while the token lives."""
    async with connected_site() as (at_site, provider, clock, _):
        provider.script.token_status = 503
        clock.advance(timedelta(minutes=55))
        for _ in range(5):
            assert await call(at_site, provider) == Me("account-1")
            await asyncio.sleep(0.02)
        assert provider.token_requests == 2


async def test_renewed_tokens_wait_for_a_database_that_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The provider has rotated: the commit is tried until it lands."""
    async with connected_site() as (at_site, provider, clock, _):
        clock.advance(timedelta(hours=1))
        save, tries = MemoryStore.save_renewed, 0

        async def failing(self: MemoryStore, *args: object, **kwargs: object) -> bool:
            nonlocal tries
            tries += 1
            if tries < 4:
                raise StoreUnavailable("away")
            return await save(self, *args, **kwargs)  # type: ignore[arg-type]  # passed through

        monkeypatch.setattr(MemoryStore, "save_renewed", failing)
        task = asyncio.create_task(call(at_site, provider))
        for _ in range(100):
            await asyncio.sleep(0.005)
            clock.advance(timedelta(seconds=1))
        assert await task == Me("account-1")
        assert tries == 4
        assert (provider.refresh_requests, provider.refused) == (1, 0)
