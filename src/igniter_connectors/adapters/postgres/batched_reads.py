# ruff: noqa: S608  # no statement is built from a value, as the types show
"""Look-ups of connections and webhook endpoints in batches: concurrent callers share a query.

At 16 tasks this gives three to four times the throughput of one query each, because most of a
read's cost is the client's, not the look-up's.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, Final, LiteralString, Protocol, TypeAlias, final

from igniter_connectors.adapters.postgres.batching import Batches
from igniter_connectors.adapters.postgres.connection import Row
from igniter_connectors.adapters.postgres.dialect import POSTGRES, STATEMENTS
from igniter_connectors.adapters.postgres.text_array import TextArray
from igniter_connectors.adapters.sql.database import RowUnreadable
from igniter_connectors.adapters.sql.dialect import KEY, columns, equal, listed
from igniter_connectors.adapters.sql.records import key_values, to_connection, to_found_endpoint
from igniter_connectors.adapters.sql.tables import BodyRow, FoundEndpointRow
from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.webhook.endpoint import EndpointRecord
from igniter_connectors.ports import StoreUnavailable

FoundConnection: TypeAlias = ConnectionRecord | None
FoundEndpoint: TypeAlias = tuple[EndpointRecord, ConnectionRecord] | None

# With 1, two tasks would take turns; with more than 2, sharing would begin only at many tasks.
_PLAIN_LIMIT: Final = 2

FIND: Final = STATEMENTS.connections.find

# LATERAL with a LIMIT is one index scan per key, whatever the planner assumes about the table's
# size. A plain join was a quarter slower, and `= ANY` cannot compare four columns at once.
FIND_MANY: Final = POSTGRES.statement(f"""
    SELECT c.*, k.place
    FROM unnest({", ".join(f":{name}::text[]" for name in KEY)})
        WITH ORDINALITY AS k ({listed(KEY)}, place)
    CROSS JOIN LATERAL (SELECT {listed(columns(BodyRow))} FROM igniter_connections AS c
        WHERE {equal(KEY, "c", "k")} AND status <> 'disconnected' LIMIT 1) AS c
""")

# See FIND_MANY.
FIND_ENDPOINTS: Final = POSTGRES.statement(f"""
    SELECT f.* FROM unnest(:token_hashes::bytea[]) AS h (token_hash) CROSS JOIN LATERAL
        (SELECT {STATEMENTS.endpoints.found} FROM {STATEMENTS.endpoints.with_connection}
        WHERE e.token_hash = h.token_hash AND {STATEMENTS.endpoints.is_live} LIMIT 1) AS f
""")


class PlacedRow(BodyRow):
    """A row of `FIND_MANY`: `place` counts the keys from 1."""

    place: int


class Reader(Protocol):
    """What runs the queries: `Database`."""

    def until(self) -> float:
        """The event loop's time at which a call that begins now must end."""
        ...

    async def run(
        self, statement: LiteralString, values: Mapping[str, Any], *, until: float
    ) -> Sequence[Row]:
        """The rows of a statement."""
        ...


@final
class BatchedConnections:
    """`find` for any number of tasks of one event loop."""

    def __init__(self, database: Reader) -> None:
        self._database = database
        self._reads = Batches(
            database.until, self._find_one, self._find_many, plain_limit=_PLAIN_LIMIT
        )

    def find(self, key: ConnectionKey) -> Coroutine[object, None, FoundConnection]:
        """The row, or None; as `Batches.submit`."""
        return self._reads.submit(key)

    async def _find_one(self, key: ConnectionKey, until: float) -> FoundConnection:
        rows = await self._database.run(FIND, key_values(key), until=until)
        return to_connection(key, BodyRow(*rows[0])) if rows else None

    async def _find_many(
        self, keys: Sequence[ConnectionKey], until: float
    ) -> Sequence[FoundConnection | StoreUnavailable]:
        # A key that several callers wait for is read once.
        distinct = list(dict.fromkeys(keys))
        values = {
            "scope": TextArray([key.scope for key in distinct]),
            "identity": TextArray([key.identity for key in distinct]),
            "connector": TextArray([key.connector for key in distinct]),
            "account": TextArray([key.account for key in distinct]),
        }
        found: dict[ConnectionKey, FoundConnection | StoreUnavailable] = {}
        for values_of_row in await self._database.run(FIND_MANY, values, until=until):
            row = PlacedRow(*values_of_row)
            key = distinct[row.place - 1]
            try:
                found[key] = to_connection(key, row)
            except RowUnreadable as error:
                found[key] = error
        return [found.get(key) for key in keys]


@final
class BatchedEndpoints:
    """`find_endpoint` for any number of tasks of one event loop."""

    def __init__(self, database: Reader) -> None:
        self._database = database
        self._reads = Batches(database.until, self._find_one, self._find_many)

    async def find(self, token_hash: bytes) -> FoundEndpoint:
        """A live endpoint with its connection."""
        return await self._reads.submit(token_hash)

    async def close(self) -> None:
        """Waits for running statements."""
        await self._reads.close()

    async def _find_one(self, token_hash: bytes, until: float) -> FoundEndpoint:
        rows = await self._database.run(
            STATEMENTS.endpoints.find, {"token_hash": token_hash}, until=until
        )
        return to_found_endpoint(FoundEndpointRow(*rows[0])) if rows else None

    async def _find_many(
        self, hashes: Sequence[bytes], until: float
    ) -> Sequence[FoundEndpoint | StoreUnavailable]:
        # Concurrent deliveries are more often to one endpoint than to several.
        values = {"token_hashes": list(set(hashes))}
        found: dict[bytes, FoundEndpoint | StoreUnavailable] = {}
        for values_of_row in await self._database.run(FIND_ENDPOINTS, values, until=until):
            row = FoundEndpointRow(*values_of_row)
            try:
                found[row.token_hash] = to_found_endpoint(row)
            except RowUnreadable as error:
                found[row.token_hash] = error
        return [found.get(token_hash) for token_hash in hashes]
