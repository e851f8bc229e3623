"""Tasks that belong to the manager: they run to their end, whatever becomes of their callers."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Final, TypeVar, final

from igniter_connectors.flows.stop_tasks import stop_tasks

V = TypeVar("V")

MAX_CLOSE_SECONDS: Final = 30.0
"""How long closing waits for tasks. Longer than the requests of a callback may take."""


@final
class OwnedTasks:
    """Work that must not be lost half-way: tokens that a provider issues, until they are stored.

    A caller awaits its task through `asyncio.shield`, so a cancelled caller, such as the request
    of a browser that goes away, does not end the work. Closing the manager waits for the work.
    """

    __slots__ = ("_running",)

    def __init__(self) -> None:
        self._running: set[asyncio.Task[object]] = set()

    def start(self, work: Coroutine[object, None, V]) -> asyncio.Task[V]:
        """Starts the work as a task of the manager."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def run(self, work: Coroutine[object, None, V]) -> V:
        """The result of the work. If the caller is cancelled, the work goes on."""
        return await asyncio.shield(self.start(work))

    async def close(self, *, within_seconds: float = MAX_CLOSE_SECONDS) -> int:
        """Waits for the tasks that run and for those that they start.

        Tasks that are still running after `within_seconds` are cancelled. Returns how many.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within_seconds
        while self._running and loop.time() < deadline:
            _ = await asyncio.wait(list(self._running), timeout=deadline - loop.time())
        abandoned = list(self._running)
        _ = await stop_tasks(*abandoned)
        return len(abandoned)
