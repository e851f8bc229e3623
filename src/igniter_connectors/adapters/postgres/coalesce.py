"""Reads that wait together go out together: one query for all of them.

At 16 tasks this gives three to four times the throughput of a query each, since what a read
costs is mostly its way through the client, not the look-up. Nobody waits for others to come:
a batch is whoever has come while the reads before it were on their way. A read that finds
nobody before it is not queued at all; it takes the plain statement, in its caller's own task.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Final, LiteralString, Protocol, TypeAlias, final

from igniter_connectors.adapters.postgres.failure import RowUnreadable
from igniter_connectors.adapters.postgres.link import Row
from igniter_connectors.adapters.postgres.rows import key_values, to_connection
from igniter_connectors.adapters.postgres.statements import FIND, FIND_MANY
from igniter_connectors.adapters.postgres.text_array import TextArray
from igniter_connectors.core.connection import ConnectionKey, ConnectionRecord
from igniter_connectors.ports import StoreUnavailable

# Plain reads at once. With one, two tasks would take turns; with more, tasks would have to be
# many before they share.
_PLAIN_LIMIT: Final = 2

# Queries on their way at once, the shared ones that are late included.
_LIMIT: Final = 4

# A batch is usually answered in less than 1 ms. While one is on its way the next gathers; one
# that takes longer than this holds up nobody any more.
_LATE_SECONDS: Final = 0.02

# Keys in one query: beyond this a row's own cost, some 20 µs, is all there is left to save.
BATCH_LIMIT: Final = 64

Outcome: TypeAlias = ConnectionRecord | StoreUnavailable | None


class Reader(Protocol):
    """What runs the queries: `Database`."""

    def until(self) -> float:
        """The loop's time at which a call that begins now is over."""
        ...

    async def run(
        self, statement: LiteralString, values: Sequence[Any], *, until: float
    ) -> Sequence[Row]:
        """The rows of a statement."""
        ...


class _Waiters:
    """Those who wait for one key, and the time at which the first of them has to know."""

    __slots__ = ("futures", "until")

    def __init__(self, until: float) -> None:
        self.until = until
        self.futures: list[asyncio.Future[Outcome]] = []

    def tell(self, outcome: Outcome) -> None:
        for future in self.futures:
            if not future.done():  # its caller was cancelled, which is nobody else's business
                future.set_result(outcome)


_Batch: TypeAlias = dict[ConnectionKey, _Waiters]


@final
class CoalescedReads:
    """`find` for any number of tasks of one event loop."""

    def __init__(self, database: Reader) -> None:
        self._database = database
        self._in_flight = 0
        # The batch that the queue waits for: none, or one that is not late yet.
        self._gathers_behind: asyncio.Task[None] | None = None
        self._waiting: _Batch = {}
        self._drains: set[asyncio.Task[None]] = set()

    async def find(self, key: ConnectionKey) -> ConnectionRecord | None:
        """The row, or None; within the deadline, the time in the queue included.

        Raises:
            StoreUnavailable: the database does not answer, or this row cannot be read.
        """
        if self._in_flight < _PLAIN_LIMIT and self._gathers_behind is None and not self._waiting:
            self._in_flight += 1
            try:
                return await self._find_alone(key, self._database.until())
            finally:
                self._in_flight -= 1
                self._drain_if_possible()
        waiters = self._waiting.get(key)
        if waiters is None:
            waiters = self._waiting[key] = _Waiters(self._database.until())
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        waiters.futures.append(future)
        self._drain_if_possible()
        outcome = await future
        if isinstance(outcome, StoreUnavailable):
            raise StoreUnavailable(outcome.reason)  # each caller an exception of its own
        return outcome

    def _drain_if_possible(self) -> None:
        if self._waiting and self._gathers_behind is None and self._in_flight < _LIMIT:
            self._in_flight += 1
            task = self._gathers_behind = asyncio.create_task(self._drain())
            self._drains.add(task)
            task.add_done_callback(self._drains.discard)

    async def _drain(self) -> None:
        """Sends one batch after another as long as anybody waits and none is late."""
        own = asyncio.current_task()
        loop = asyncio.get_running_loop()
        try:
            while self._waiting and self._gathers_behind is own:
                batch = self._take_batch()
                late = loop.call_later(_LATE_SECONDS, self._wait_no_longer)
                try:
                    await self._answer(batch)
                except BaseException:
                    _tell_all(batch.values(), StoreUnavailable("PostgreSQL: the read was ended"))
                    raise
                finally:
                    late.cancel()
                # Those who were told run now, and ask again before this ends: so tasks that
                # read in a loop stay together.
                await asyncio.sleep(0)
        finally:
            self._in_flight -= 1
            if self._gathers_behind is own:
                self._gathers_behind = None
            self._drain_if_possible()

    def _wait_no_longer(self) -> None:
        self._gathers_behind = None
        self._drain_if_possible()

    def _take_batch(self) -> _Batch:
        waiting = self._waiting
        if len(waiting) <= BATCH_LIMIT:
            self._waiting = {}
            return waiting
        return {key: waiting.pop(key) for key in list(waiting)[:BATCH_LIMIT]}

    async def _answer(self, batch: _Batch) -> None:
        # Dictionaries keep their order: the first has waited longest.
        until = next(iter(batch.values())).until
        columns = [TextArray(column) for column in zip(*map(key_values, batch), strict=True)]
        try:
            rows = await self._database.run(FIND_MANY, columns, until=until)
        except RowUnreadable:
            await self._answer_singly(batch)
            return
        except StoreUnavailable as error:
            _tell_all(batch.values(), error)
            return
        keys = list(batch)
        found: dict[ConnectionKey, Outcome] = {}
        for row in rows:
            key = keys[int(row[0]) - 1]
            try:
                found[key] = to_connection(key, row[1:])
            except RowUnreadable as error:
                found[key] = error
        for key, waiters in batch.items():
            waiters.tell(found.get(key))

    async def _answer_singly(self, batch: _Batch) -> None:
        """After a value that cannot be read at all, which spoils the whole answer."""
        for key, waiters in batch.items():
            try:
                waiters.tell(await self._find_alone(key, waiters.until))
            except StoreUnavailable as error:
                waiters.tell(error)

    async def _find_alone(self, key: ConnectionKey, until: float) -> ConnectionRecord | None:
        rows = await self._database.run(FIND, key_values(key), until=until)
        return to_connection(key, rows[0]) if rows else None


def _tell_all(all_waiters: Iterable[_Waiters], outcome: Outcome) -> None:
    for waiters in all_waiters:
        waiters.tell(outcome)
