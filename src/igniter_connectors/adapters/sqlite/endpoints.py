# ruff: noqa: S608  # no statement is built from a value, as the types show
"""Webhook endpoints in SQLite: rotation in one transaction."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from igniter_connectors.adapters.sql.dialect import IS_KEY, listed, marks
from igniter_connectors.adapters.sql.endpoints import NEW_ENDPOINT, SqlEndpoints
from igniter_connectors.adapters.sql.records import endpoint_values
from igniter_connectors.adapters.sqlite.database import Database
from igniter_connectors.adapters.sqlite.dialect import SQLITE, STATEMENTS
from igniter_connectors.core.webhook.endpoint import EndpointRecord

_ROTATE: Final = (
    SQLITE.statement(STATEMENTS.endpoints.end_replaced),
    SQLITE.statement(f"""
        INSERT INTO webhook_endpoints ({listed(NEW_ENDPOINT)})
        SELECT {marks(NEW_ENDPOINT)} WHERE EXISTS (SELECT 1 FROM webhook_endpoints
            WHERE {IS_KEY} AND id = :replaces AND replaced_by = :id)
        ON CONFLICT DO NOTHING
    """),
)


class SQLiteEndpoints(SqlEndpoints):
    """`EndpointStore` in one file."""

    _file: Database

    async def rotate_endpoint(
        self, new: EndpointRecord, *, replaces: str, overlap: timedelta
    ) -> bool:
        """Adds an endpoint in the place of another, which ends after the overlap."""
        values = {**endpoint_values(new), "replaces": replaces, "overlap": overlap}
        replaced, _ = await self._file.write_together(_ROTATE, values)
        return bool(replaced)
