"""Webhook endpoints, looked up together where deliveries come together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias, final

from igniter_connectors.adapters.postgres.batching import Batches
from igniter_connectors.adapters.postgres.connection import Row
from igniter_connectors.adapters.postgres.database import Database
from igniter_connectors.adapters.postgres.errors import RowUnreadable
from igniter_connectors.adapters.postgres.rows import ENDPOINT, to_connection, to_endpoint
from igniter_connectors.adapters.postgres.statements import FIND_ENDPOINT, FIND_ENDPOINTS
from igniter_connectors.core.connection.record import ConnectionRecord
from igniter_connectors.core.webhook.endpoint import EndpointRecord
from igniter_connectors.ports import StoreUnavailable

Found: TypeAlias = tuple[EndpointRecord, ConnectionRecord]

_WIDTH: Final = len(ENDPOINT)


@final
class CoalescedEndpoints:
    """`find_endpoint` for any number of tasks of one event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._look_ups = Batches(database.until, self._find_one, self._find_many)

    async def find(self, token_hash: bytes) -> Found | None:
        """A live endpoint with its connection."""
        return await self._look_ups.submit(token_hash)

    async def close(self) -> None:
        """Waits for statements on their way."""
        await self._look_ups.close()

    async def _find_one(self, token_hash: bytes, until: float) -> Found | None:
        rows = await self._database.run(FIND_ENDPOINT, (token_hash,), until=until)
        return _read(rows[0]) if rows else None

    async def _find_many(
        self, hashes: Sequence[bytes], until: float
    ) -> Sequence[Found | StoreUnavailable | None]:
        # Deliveries to one endpoint come together more often than to several.
        rows = await self._database.run(FIND_ENDPOINTS, (list(set(hashes)),), until=until)
        found: dict[bytes, Found | StoreUnavailable] = {}
        for row in rows:
            try:
                found[row[0]] = _read(row)
            except RowUnreadable as error:
                found[row[0]] = error
        return [found.get(token_hash) for token_hash in hashes]


def _read(row: Row) -> Found:
    endpoint = to_endpoint(row[:_WIDTH])
    return endpoint, to_connection(endpoint.key, row[_WIDTH:])
