"""The refresh tasks of one process."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from msgspec.structs import replace

from igniter_connectors.core.connection.record import ConnectionRecord
from igniter_connectors.core.oauth.refresh import DefiniteFailure
from igniter_connectors.core.problem import TokenProblem
from igniter_connectors.flows.renewals import Renewals
from igniter_connectors.problems import RefreshFailed
from igniter_connectors.testing import ManualClock
from tests.flows.forge import KEY, PROVIDER

FAILED = RefreshFailed("forge")


class Work:
    """A refresh that ends when the test says so."""

    def __init__(self) -> None:
        self.started = 0
        self.may_end = asyncio.Event()

    async def run(self) -> ConnectionRecord | TokenProblem:
        """The work."""
        self.started += 1
        await self.may_end.wait()
        return FAILED


async def test_all_callers_of_one_connection_get_one_task() -> None:
    """A second one starts only after the first one ended."""
    renewals, work = Renewals(ManualClock()), Work()
    first, same = renewals.run(KEY, work.run), renewals.run(KEY, work.run)
    other = renewals.run(replace(KEY, account="other"), work.run)
    assert first is same
    assert first is not other
    work.may_end.set()
    assert [*await asyncio.gather(first, other)] == [FAILED, FAILED]
    assert renewals.run(KEY, work.run) is not first
    await renewals.close()
    assert work.started == 3


async def test_a_following_attempt_starts_when_the_running_one_ends() -> None:
    """Once, and nobody has to ask for it."""
    renewals, work, following = Renewals(ManualClock()), Work(), Work()
    first = renewals.run(KEY, work.run)
    renewals.run_again(KEY, following.run)
    await asyncio.sleep(0)
    assert following.started == 0
    work.may_end.set()
    following.may_end.set()
    await first
    for _ in range(3):
        await asyncio.sleep(0)
    assert (work.started, following.started) == (1, 1)


async def test_closing_waits_for_what_runs_and_starts_nothing_more() -> None:
    """A following attempt is not started; the manager may be opened again afterwards."""
    renewals, work, following = Renewals(ManualClock()), Work(), Work()
    renewals.run(KEY, work.run)
    renewals.run_again(KEY, following.run)
    closing = asyncio.create_task(renewals.close())
    for _ in range(3):
        await asyncio.sleep(0)
    assert renewals.is_closing
    assert not closing.done()
    work.may_end.set()
    await asyncio.wait_for(closing, 1)
    assert (following.started, renewals.is_closing) == (0, False)


def test_a_client_that_is_refused_is_paused() -> None:
    """That client only, for a minute and a little more for the refused tenant; or until the
    provider accepts it."""
    clock = ManualClock()
    renewals = Renewals(clock)
    assert renewals.client_pause(PROVIDER, KEY) is None
    renewals.client_refused(PROVIDER, KEY, DefiniteFailure(is_client_credentials=True))
    assert renewals.client_pause(PROVIDER, KEY) == timedelta(seconds=75)
    assert renewals.client_pause(PROVIDER, replace(KEY, identity="b")) == timedelta(seconds=60)
    assert renewals.client_pause(replace(PROVIDER, client_id="other"), KEY) is None
    clock.advance(timedelta(seconds=75))
    assert renewals.client_pause(PROVIDER, KEY) is None
    renewals.client_refused(PROVIDER, KEY, DefiniteFailure(is_client_credentials=True))
    renewals.client_accepted(PROVIDER, KEY)
    assert renewals.client_pause(PROVIDER, KEY) is None


def test_another_failure_pauses_no_client() -> None:
    """A provider that is down says nothing about the client."""
    renewals = Renewals(ManualClock())
    renewals.client_refused(PROVIDER, KEY, DefiniteFailure())
    assert renewals.client_pause(PROVIDER, KEY) is None
