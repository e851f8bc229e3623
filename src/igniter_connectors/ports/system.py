"""Time, randomness and telemetry."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from igniter_connectors.core.event import Event


class Clock(Protocol):
    """The time. `now` may jump, `monotonic` never does."""

    def now(self) -> datetime:
        """The current instant, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since a fixed instant, the same for all processes of a host: its boot, for one.

        Processes that share a SQLite file count their leases on it.
        """
        ...

    async def sleep(self, seconds: float) -> None:
        """Waits."""
        ...


class Entropy(Protocol):
    """Unpredictable bytes."""

    def octets(self, count: int) -> bytes:
        """Fresh random bytes, good enough for keys, nonces and tokens."""
        ...

    def fraction(self) -> float:
        """A number from 0 to 1, for jitter; not for secrets."""
        ...


class Observer(Protocol):
    """Telemetry. Called synchronously for every event, before the caller continues."""

    def observe(self, event: Event) -> None:
        """Counts, times or traces. Keep it fast. An exception is logged and dropped."""
        ...
