"""What decides nothing and cannot be decided: time, chance, and who looks on."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from igniter_connectors.core.event import Event


class Clock(Protocol):
    """The time. `now` may step, `monotonic` never does."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since some fixed instant."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Waits."""
        ...


class Entropy(Protocol):
    """Unpredictable bytes."""

    def octets(self, count: int) -> bytes:
        """Fresh random bytes, fit for keys, nonces and tokens."""
        ...

    def fraction(self) -> float:
        """A number from 0 to 1, for jitter; not for secrets."""
        ...


class Observer(Protocol):
    """Telemetry: told of each event at once, in the caller's own time, so it returns fast."""

    def observe(self, event: Event) -> None:
        """Counts, times or traces. What it raises is logged and goes no further."""
        ...
