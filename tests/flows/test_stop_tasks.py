"""Ending tasks, whatever they do when they are cancelled."""

from __future__ import annotations

import asyncio

from igniter_connectors.flows.stop_tasks import stop_tasks


async def started(work: asyncio.Task[None]) -> None:
    """Lets the task reach what it waits for."""
    await asyncio.sleep(0.01)
    assert not work.done()


async def test_a_task_that_cleans_up_is_cancelled_once() -> None:
    """Its `finally` runs to its end."""
    cancelled = 0
    cleaned = asyncio.Event()

    async def work() -> None:
        nonlocal cancelled
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled += 1
            raise
        finally:
            await asyncio.sleep(0.1)
            cleaned.set()

    task = asyncio.create_task(work())
    await started(task)
    assert not await stop_tasks(task)
    assert task.cancelled()
    assert (cancelled, cleaned.is_set()) == (1, True)


async def test_a_task_that_swallows_one_cancellation_is_cancelled_again() -> None:
    """As `asyncio.wait_for` of Python 3.11 swallows it."""
    swallowed = 0

    async def work() -> None:
        nonlocal swallowed
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            swallowed += 1
        await asyncio.sleep(60)

    task = asyncio.create_task(work())
    await started(task)
    assert not await stop_tasks(task)
    assert task.cancelled()
    assert swallowed == 1


async def test_a_task_that_swallows_every_cancellation_is_ended_by_force() -> None:
    """GeneratorExit is raised where it waits."""
    ended: list[str] = []

    async def deaf() -> None:
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                continue
            except GeneratorExit:
                ended.append("closed")
                raise

    async def work() -> None:
        await deaf()

    task = asyncio.create_task(work())
    await started(task)
    assert set(await stop_tasks(task, within_seconds=0.1)) == {task}
    assert task.done()
    assert ended == ["closed"]
    assert isinstance(task.exception(), RuntimeError)


async def test_nobody_waits_for_a_task_that_swallows_everything() -> None:
    """The other tasks are ended all the same."""
    may_end = False

    async def deaf() -> None:
        while not may_end:
            try:
                await asyncio.sleep(0.01)
            except BaseException:  # the worst that a handler can do
                continue

    async def work() -> None:
        await asyncio.sleep(60)

    left, other = asyncio.create_task(deaf()), asyncio.create_task(work())
    await started(left)
    assert set(await stop_tasks(left, other, within_seconds=0.1)) == {left}
    assert (left.done(), other.done()) == (False, True)
    may_end = True
    _ = await asyncio.wait({left})


async def test_a_task_that_has_ended_is_left_alone() -> None:
    """And no task at all is nothing to wait for."""

    async def work() -> None:
        return None

    task = asyncio.create_task(work())
    await task
    assert not await stop_tasks(task)
    assert not await stop_tasks()
    assert not task.cancelled()
