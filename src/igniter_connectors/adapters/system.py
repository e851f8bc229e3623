"""The system's clock and entropy: the only place that reads either."""

from __future__ import annotations

import asyncio
import secrets
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, final


@final
class SystemClock:
    """The host's time."""

    def now(self) -> datetime:
        """The present instant, in UTC."""
        return datetime.now(UTC)

    if TYPE_CHECKING:

        @staticmethod
        def monotonic() -> float:
            """Seconds since a fixed instant."""
            ...

    else:
        # The function itself: every action calls it, and a method around it doubles the cost.
        # Without the branch above, type checkers could only guess its type.
        monotonic = staticmethod(time.monotonic)

    async def sleep(self, seconds: float) -> None:
        """Waits."""
        await asyncio.sleep(seconds)


@final
class SystemEntropy:
    """The operating system's random source."""

    def octets(self, count: int) -> bytes:
        """Fresh random bytes."""
        return secrets.token_bytes(count)

    def fraction(self) -> float:
        """A number from 0 to 1."""
        return secrets.randbelow(1 << 32) / (1 << 32)
