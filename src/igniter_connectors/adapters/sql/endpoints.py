"""Webhook endpoints in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from igniter_connectors.adapters.sql.database import SqlPart
from igniter_connectors.adapters.sql.dialect import KEY
from igniter_connectors.adapters.sql.records import (
    endpoint_values,
    key_values,
    to_endpoint,
    to_found_endpoint,
)
from igniter_connectors.adapters.sql.tables import EndpointRow, FoundEndpointRow
from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.webhook.endpoint import EndpointRecord

# The columns of an endpoint that is new: nothing ends yet.
NEW_ENDPOINT: Final = (*KEY, "token_hash", "id", "connection_id", "sealed_secret", "created_at")


class SqlEndpoints(SqlPart):
    """The methods of `EndpointStore` that are one statement in either dialect."""

    async def add_endpoint(self, endpoint: EndpointRecord) -> None:
        """Adds a webhook endpoint."""
        _ = await self._database.write(self._sql.endpoints.add, endpoint_values(endpoint))

    async def find_endpoint(
        self, token_hash: bytes
    ) -> tuple[EndpointRecord, ConnectionRecord] | None:
        """A live endpoint with its connection."""
        rows = await self._database.read(
            self._sql.endpoints.find, {"token_hash": token_hash}, FoundEndpointRow
        )
        return to_found_endpoint(rows[0]) if rows else None

    async def list_endpoints(self, key: ConnectionKey) -> Sequence[EndpointRecord]:
        """A connection's endpoints, oldest first."""
        rows = await self._database.read(self._sql.endpoints.list, key_values(key), EndpointRow)
        return [to_endpoint(row) for row in rows]

    async def save_endpoint_secret(
        self,
        key: ConnectionKey,
        *,
        endpoint: str,
        sealed_secret: bytes,
        overlap: timedelta = timedelta(0),
        expected: bytes | None = None,
    ) -> bool:
        """Replaces an endpoint's signing secret."""
        values = {
            **key_values(key),
            "id": endpoint,
            "sealed_secret": sealed_secret,
            "expected_secret": expected,
            "overlap": overlap if overlap > timedelta(0) else None,
        }
        return await self._database.write(self._sql.endpoints.save_secret, values) > 0

    async def end_previous_secret(
        self, key: ConnectionKey, *, endpoint: str, overlap: timedelta
    ) -> bool:
        """Ends an endpoint's previous secret after the overlap."""
        values = {**key_values(key), "id": endpoint, "overlap": overlap}
        return await self._database.write(self._sql.endpoints.end_previous, values) > 0

    async def remove_endpoint(self, key: ConnectionKey, *, endpoint: str) -> bool:
        """Deletes an endpoint."""
        values = {**key_values(key), "id": endpoint}
        return await self._database.write(self._sql.endpoints.remove, values) > 0

    async def retire_endpoint(
        self, key: ConnectionKey, *, endpoint: str, overlap: timedelta
    ) -> bool:
        """Ends an endpoint after the overlap."""
        values = {**key_values(key), "id": endpoint, "overlap": overlap}
        return await self._database.write(self._sql.endpoints.retire, values) > 0
