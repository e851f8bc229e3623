"""Wakes a task that waits for work, in this process."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import final


@final
class WakeSignal:
    """A signal for one waiting task. If it is set while no task waits, the next wait returns at
    once."""

    def __init__(self) -> None:
        self._is_set = False
        self._waiter: asyncio.Event | None = None

    def set(self) -> None:
        """Wakes the waiting task."""
        self._is_set = True
        if self._waiter is not None:
            self._waiter.set()

    async def wait(self, *, within_seconds: float) -> None:
        """Waits until the signal is set, or for that long. One task at a time may wait."""
        # A new event for each wait belongs to the event loop that waits.
        self._waiter = asyncio.Event()
        if not self._is_set:
            with suppress(TimeoutError):
                async with asyncio.timeout(within_seconds):
                    _ = await self._waiter.wait()
        self._is_set = False
        self._waiter = None
