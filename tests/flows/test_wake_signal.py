"""A signal for one waiting task."""

from __future__ import annotations

import asyncio

from igniter_connectors.flows.wake_signal import WakeSignal


async def test_a_signal_that_is_set_before_the_wait_is_not_lost() -> None:
    """The wait returns at once, and the next wait waits again."""
    signal = WakeSignal()
    signal.set()
    signal.set()
    await asyncio.wait_for(signal.wait(within_seconds=60), 1)
    second = asyncio.create_task(signal.wait(within_seconds=60))
    await asyncio.sleep(0)
    assert not second.done()
    signal.set()
    await asyncio.wait_for(second, 1)


async def test_a_wait_ends_by_itself() -> None:
    """After the given time, without a signal."""
    await asyncio.wait_for(WakeSignal().wait(within_seconds=0.001), 1)


def test_one_signal_serves_one_event_loop_after_another() -> None:
    """A manager may be opened in a new loop."""
    signal = WakeSignal()
    for _ in range(2):
        asyncio.run(signal.wait(within_seconds=0.001))
        signal.set()
        asyncio.run(asyncio.wait_for(signal.wait(within_seconds=60), 1))
