"""Tasks of the manager outlive their callers, and closing waits for them within a bound."""

from __future__ import annotations

import asyncio

import pytest

from igniter_connectors.flows.owned_tasks import OwnedTasks


async def test_a_cancelled_caller_does_not_end_the_work() -> None:
    """The work runs to its end."""
    tasks, go, done = OwnedTasks(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        _ = await go.wait()
        done.set()

    caller = asyncio.create_task(tasks.run(work()))
    await asyncio.sleep(0.01)
    _ = caller.cancel()
    _ = await asyncio.wait([caller])
    assert caller.cancelled()
    go.set()
    assert await tasks.close() == 0
    assert done.is_set()


async def test_the_result_and_the_exception_reach_the_caller() -> None:
    """As if the caller awaited the work itself."""
    tasks = OwnedTasks()

    async def fail() -> None:
        raise ValueError("wrong")

    assert await tasks.run(asyncio.sleep(0, "result")) == "result"
    with pytest.raises(ValueError, match="wrong"):
        await tasks.run(fail())


async def test_closing_waits_for_tasks_that_tasks_start() -> None:
    """Until none runs."""
    tasks, done = OwnedTasks(), asyncio.Event()

    async def inner() -> None:
        await asyncio.sleep(0.02)
        done.set()

    async def outer() -> None:
        await asyncio.sleep(0.01)
        _ = tasks.start(inner())

    _ = tasks.start(outer())
    assert await tasks.close() == 0
    assert done.is_set()


async def test_closing_is_bounded() -> None:
    """A task that does not end is cancelled, and one that ignores that is ended by force."""
    tasks = OwnedTasks()

    async def stubborn() -> None:
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                continue

    slow, deaf = tasks.start(asyncio.sleep(60)), tasks.start(stubborn())
    assert await tasks.close(within_seconds=0.05) == 2
    assert slow.cancelled()
    assert deaf.done()
