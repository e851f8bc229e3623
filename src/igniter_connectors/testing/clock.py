"""A clock that tests advance by hand."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import final


@final
class ManualClock:
    """A `Clock` whose time changes only in `advance`.

    Args:
        now: The first instant, aware.
    """

    def __init__(self, now: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now = now
        self._elapsed = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        """The current instant."""
        return self._now

    def monotonic(self) -> float:
        """Seconds that the clock has advanced since it was created."""
        return self._elapsed

    def advance(self, by: timedelta) -> None:
        """Moves the time forward and wakes every sleeper whose time has come."""
        self._now += by
        self._elapsed += by.total_seconds()
        sleepers = self._sleepers
        self._sleepers = [sleeper for sleeper in sleepers if sleeper[0] > self._elapsed]
        for wake_at, woken in sleepers:
            if wake_at <= self._elapsed and not woken.done():
                woken.set_result(None)

    async def sleep(self, seconds: float) -> None:
        """Returns once the clock has advanced by this many seconds."""
        woken = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._elapsed + seconds, woken))
        await woken
