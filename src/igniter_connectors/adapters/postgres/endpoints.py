# ruff: noqa: S608  # no statement is built from a value, as the types show
"""Webhook endpoints in PostgreSQL: look-ups in batches, and rotation in one statement."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from igniter_connectors.adapters.postgres.batched_reads import BatchedEndpoints
from igniter_connectors.adapters.postgres.dialect import POSTGRES, STATEMENTS
from igniter_connectors.adapters.sql.dialect import listed, marks
from igniter_connectors.adapters.sql.endpoints import NEW_ENDPOINT, SqlEndpoints
from igniter_connectors.adapters.sql.records import endpoint_values
from igniter_connectors.core.connection.record import ConnectionRecord
from igniter_connectors.core.webhook.endpoint import EndpointRecord

ROTATE: Final = POSTGRES.statement(f"""
    WITH replaced AS ({STATEMENTS.endpoints.end_replaced}),
    added AS (INSERT INTO igniter_webhook_endpoints ({listed(NEW_ENDPOINT)})
        SELECT {marks(NEW_ENDPOINT)} FROM replaced ON CONFLICT DO NOTHING)
    SELECT 1 FROM replaced
""")


class PostgresEndpoints(SqlEndpoints):
    """`EndpointStore` in PostgreSQL."""

    _batched_endpoints: BatchedEndpoints

    async def find_endpoint(
        self, token_hash: bytes
    ) -> tuple[EndpointRecord, ConnectionRecord] | None:
        """A live endpoint with its connection. Concurrent callers share a query."""
        return await self._batched_endpoints.find(token_hash)

    async def rotate_endpoint(
        self, new: EndpointRecord, *, replaces: str, overlap: timedelta
    ) -> bool:
        """Adds an endpoint in the place of another, which ends after the overlap."""
        values = {**endpoint_values(new), "replaces": replaces, "overlap": overlap}
        return await self._database.write(ROTATE, values) > 0
