"""A clock that moves when it is told to."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import final


@final
class ManualClock:
    """Stands still until `advance`. Who sleeps on it wakes when its time has come."""

    def __init__(self, now: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now = now
        self._elapsed = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        """The instant it stands at."""
        return self._now

    def monotonic(self) -> float:
        """The seconds it was advanced by in all."""
        return self._elapsed

    def advance(self, by: timedelta) -> None:
        """Moves on, and wakes those whose time has come."""
        self._now += by
        self._elapsed += by.total_seconds()
        waiting = self._sleepers
        self._sleepers = [one for one in waiting if one[0] > self._elapsed]
        for until, sleeper in waiting:
            if until <= self._elapsed and not sleeper.done():
                sleeper.set_result(None)

    async def sleep(self, seconds: float) -> None:
        """Waits until the clock was advanced by this much."""
        sleeper = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._elapsed + seconds, sleeper))
        await sleeper
