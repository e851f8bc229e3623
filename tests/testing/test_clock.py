"""The manual clock: sleepers wake at their time, and not before."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from igniter_connectors.testing import ManualClock


async def test_a_sleeper_wakes_when_its_time_has_come() -> None:
    """Not one microsecond before."""
    clock = ManualClock()
    sleeper = asyncio.create_task(clock.sleep(60))
    await asyncio.sleep(0)
    clock.advance(timedelta(seconds=60) - timedelta(microseconds=1))
    await asyncio.sleep(0)
    assert not sleeper.done()
    clock.advance(timedelta(microseconds=1))
    await asyncio.wait_for(sleeper, 1)


def test_advancing_moves_both_times() -> None:
    """The wall clock and the monotonic clock move by the same amount."""
    clock = ManualClock(datetime(2026, 2, 3, tzinfo=UTC))
    clock.advance(timedelta(hours=2))
    assert clock.now() == datetime(2026, 2, 3, 2, tzinfo=UTC)
    assert clock.monotonic() == 7200


async def test_a_cancelled_sleeper_does_not_stop_the_clock() -> None:
    """Other sleepers still wake."""
    clock = ManualClock()
    gone, waiting = asyncio.create_task(clock.sleep(1)), asyncio.create_task(clock.sleep(1))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    clock.advance(timedelta(seconds=1))
    await asyncio.wait_for(waiting, 1)
