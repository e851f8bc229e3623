"""Reads request bodies: each within a deadline and a limit, and all within a limit together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable
from enum import Enum
from typing import TypeAlias, final

from igniter_connectors.core.webhook.retry_policy import DeliveryLimits

NextPart: TypeAlias = Callable[[], Awaitable[tuple[bytes, bool] | None]]
"""The next part of a body, and whether more follows. None if the client has gone."""


class BodyFault(Enum):
    """Why a body was not read to its end."""

    TOO_LARGE = "too large"
    TOO_SLOW = "too slow"
    TOO_MANY = "too many"
    GONE = "gone"


def parts_of(body: AsyncIterable[bytes]) -> NextPart:
    """The parts that a framework's request yields. An exception of it means that the client has
    gone: each framework has its own."""
    parts = aiter(body)

    async def next_part() -> tuple[bytes, bool] | None:
        try:
            return await anext(parts), True
        except StopAsyncIteration:
            return b"", False
        except Exception:
            return None

    return next_part


@final
class BodyReader:
    """Reads the bodies of one process.

    A body that never ends costs a request's memory for the deadline at most. One timer serves
    all bodies: it is set anew when it goes off, while `asyncio.timeout` sets one for each.
    """

    def __init__(self) -> None:
        self._held = 0
        self._due: dict[asyncio.Task[object], float] = {}
        self._late: set[asyncio.Task[object]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def read(
        self, next_part: NextPart, *, limit_bytes: int, limits: DeliveryLimits
    ) -> bytes | BodyFault:
        """The whole body, or why there is none.

        Args:
            next_part: Called until no more follows.
            limit_bytes: The limit of this body.
            limits: `body_within` is its deadline, and `unfinished_bodies_bytes` the limit of
                all bodies that are not complete yet. One alone may pass that.
        """
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None  # a coroutine runs in a task
        cancelling = task.cancelling()
        due = loop.time() + limits.body_within.total_seconds()
        self._due[task] = due
        if self._loop is not loop:  # the first body, or none was being read for a while
            self._loop = loop
            _ = loop.call_at(due, self._end_late, loop)
        try:
            part = await next_part()
            if part is None:
                return BodyFault.GONE
            body, more_follows = part
            if more_follows:
                return await self._read_rest(next_part, body, limit_bytes, limits)
            return body if len(body) <= limit_bytes else BodyFault.TOO_LARGE
        except asyncio.CancelledError:
            # As `asyncio.timeout` does it: the cancellation may be the caller's as well.
            if task in self._late and task.uncancel() <= cancelling:
                return BodyFault.TOO_SLOW
            raise
        finally:
            _ = self._due.pop(task, None)
            self._late.discard(task)

    async def _read_rest(
        self, next_part: NextPart, first: bytes, limit_bytes: int, limits: DeliveryLimits
    ) -> bytes | BodyFault:
        body, counted = bytearray(first), 0
        try:
            while True:
                self._held += len(body) - counted
                counted = len(body)
                if counted > limit_bytes:
                    return BodyFault.TOO_LARGE
                if limits.unfinished_bodies_bytes < self._held > counted:
                    return BodyFault.TOO_MANY
                part = await next_part()
                if part is None:
                    return BodyFault.GONE
                body += part[0]
                if not part[1]:
                    return bytes(body) if len(body) <= limit_bytes else BodyFault.TOO_LARGE
        finally:
            self._held -= counted

    def _end_late(self, loop: asyncio.AbstractEventLoop) -> None:
        """Ends the reads whose deadline has passed, and sets the timer for the next one."""
        now = loop.time()
        while self._due:
            task, due = next(iter(self._due.items()))
            if due > now:
                _ = loop.call_at(due, self._end_late, loop)
                return
            del self._due[task]
            self._late.add(task)
            _ = task.cancel()
        self._loop = None
