"""Ends tasks, also those that do not end when they are cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine
from contextlib import suppress
from typing import Any, Final

STOP_SECONDS: Final = 3.0
"""How long a task has to end after it is first cancelled."""

# A task that ends normally may need this long for its own `finally`.
_AGAIN_SECONDS: Final = 1.0

# A task whose coroutine is closed ends in the event loop's next rounds.
_CLOSED_SECONDS: Final = 0.1


async def stop_tasks(
    *tasks: asyncio.Task[Any],  # of any result: it is not read
    within_seconds: float = STOP_SECONDS,
) -> Collection[asyncio.Task[Any]]:
    """Cancels the tasks and waits until they end, but not for ever.

    One cancellation is not always enough, because code may swallow it: a handler with a broad
    `except`, or Python 3.11's `asyncio.wait_for`, whose awaited future ends in the same moment.
    So the cancellation is repeated each second. A task that is left after `within_seconds` is
    ended by force: its coroutine is closed, which raises GeneratorExit where it waits.

    Returns:
        The tasks that were ended by force. One of them still runs if it catches GeneratorExit
        too; nobody waits for it.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_seconds
    running = {task for task in tasks if not task.done()}
    while running and (left := deadline - loop.time()) > 0:
        for task in running:
            _ = task.cancel()
        _, running = await asyncio.wait(running, timeout=min(_AGAIN_SECONDS, left))
    for task in running:
        _close_coroutine(task)
        _ = task.cancel()
    if running:
        _ = await asyncio.wait(running, timeout=_CLOSED_SECONDS)
    return running


def _close_coroutine(task: asyncio.Task[Any]) -> None:
    coroutine = task.get_coro()
    # RuntimeError if it catches GeneratorExit; any other exception is of its own `finally`.
    with suppress(BaseException):
        if isinstance(coroutine, Coroutine):
            coroutine.close()
