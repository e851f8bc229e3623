"""Waking whoever waits for work, in this process."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import final


@final
class WakeSignal:
    """Rung when there is something to do. Rung while nobody listens, the next one hears it."""

    def __init__(self) -> None:
        self._was_rung = False
        self._listener: asyncio.Event | None = None

    def ring(self) -> None:
        """Wakes the listener."""
        self._was_rung = True
        if self._listener is not None:
            self._listener.set()

    async def heard(self, *, within_seconds: float) -> None:
        """Waits for a ring, or for that long. One listener at a time."""
        # An event of its own for each wait belongs to the loop that waits.
        self._listener = asyncio.Event()
        if not self._was_rung:
            with suppress(TimeoutError):
                async with asyncio.timeout(within_seconds):
                    _ = await self._listener.wait()
        self._was_rung = False
        self._listener = None
