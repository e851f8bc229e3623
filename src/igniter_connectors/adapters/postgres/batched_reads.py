"""Reads that wait together go out together: one query for all of them.

At 16 tasks this gives three to four times the throughput of a query each, since what a read
costs is mostly its way through the client, not the look-up.
"""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any, Final, LiteralString, Protocol, TypeAlias, final

from igniter_connectors.adapters.postgres.batching import Batches
from igniter_connectors.adapters.postgres.connection import Row
from igniter_connectors.adapters.postgres.errors import RowUnreadable
from igniter_connectors.adapters.postgres.rows import key_values, to_connection
from igniter_connectors.adapters.postgres.statements import FIND, FIND_MANY
from igniter_connectors.adapters.postgres.text_array import TextArray
from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.ports import StoreUnavailable

Found: TypeAlias = ConnectionRecord | None

# With one, two tasks would take turns; with more, tasks would have to be many before they share.
_PLAIN_LIMIT: Final = 2


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


@final
class CoalescedReads:
    """`find` for any number of tasks of one event loop."""

    def __init__(self, database: Reader) -> None:
        self._database = database
        self._reads = Batches(
            database.until, self._find_one, self._find_many, plain_limit=_PLAIN_LIMIT
        )

    def find(self, key: ConnectionKey) -> Coroutine[object, None, Found]:
        """The row, or None; as `Batches.submit`."""
        return self._reads.submit(key)

    async def _find_one(self, key: ConnectionKey, until: float) -> Found:
        rows = await self._database.run(FIND, key_values(key), until=until)
        return to_connection(key, rows[0]) if rows else None

    async def _find_many(
        self, keys: Sequence[ConnectionKey], until: float
    ) -> Sequence[Found | StoreUnavailable]:
        # A busy connection is read once for everyone who waits for it.
        distinct = list(dict.fromkeys(keys))
        columns = [TextArray(column) for column in zip(*map(key_values, distinct), strict=True)]
        found: dict[ConnectionKey, Found | StoreUnavailable] = {}
        for row in await self._database.run(FIND_MANY, columns, until=until):
            key = distinct[int(row[0]) - 1]
            try:
                found[key] = to_connection(key, row[1:])
            except RowUnreadable as error:
                found[key] = error
        return [found.get(key) for key in keys]
