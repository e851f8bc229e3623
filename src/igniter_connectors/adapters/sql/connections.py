"""Rows of connections in SQL: their config, their switch, and pages of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from igniter_connectors.adapters.sql.database import SqlPart
from igniter_connectors.adapters.sql.end_of_grant import config_values
from igniter_connectors.adapters.sql.records import (
    connection_values,
    key_values,
    to_connection,
    to_connections,
)
from igniter_connectors.adapters.sql.tables import (
    BodyRow,
    ConnectionRow,
    CountRow,
    GrantIdRow,
    TotalRow,
)
from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.ports import ConfigChange


class SqlConnections(SqlPart):
    """The methods of `ConnectionStore` that are one statement in either dialect."""

    async def find(self, key: ConnectionKey) -> ConnectionRecord | None:
        """The row, or None."""
        rows = await self._database.read(self._sql.connections.find, key_values(key), BodyRow)
        return to_connection(key, rows[0]) if rows else None

    async def last_grant(self, key: ConnectionKey) -> str | None:
        """The id of the grant in the row or its tombstone."""
        statement = self._sql.connections.last_grant
        rows = await self._database.read(statement, key_values(key), GrantIdRow)
        return rows[0].grant_id if rows else None

    async def insert(self, record: ConnectionRecord) -> bool:
        """Adds a row, also in a tombstone's place; False if the key has a row."""
        values = connection_values(record)
        return await self._database.write(self._sql.connections.insert, values) > 0

    async def replace_config(self, key: ConnectionKey, change: ConfigChange) -> bool:
        """Writes the config if row and version match."""
        values = config_values(key, change)
        return await self._database.write(self._sql.connections.replace_config, values) > 0

    async def set_enabled(self, key: ConnectionKey, *, enabled: bool, now: datetime) -> bool:
        """Switches a connection; False if there is none."""
        values = {**key_values(key), "enabled": enabled, "updated_at": now}
        return await self._database.write(self._sql.connections.set_enabled, values) > 0

    async def list(
        self, scope: str, identity: str, *, after: tuple[str, str] | None, limit: int
    ) -> Sequence[ConnectionRecord]:
        """One page of a tenant's rows, in order."""
        connector, account = after or ("", "")
        values = {
            **key_values(ConnectionKey(scope, identity, connector, account)),
            "row_limit": limit,
        }
        rows = await self._database.read(self._sql.connections.list, values, ConnectionRow)
        return to_connections(rows)

    async def count(self, scope: str, identity: str) -> int:
        """How many connections one tenant has."""
        values = {"scope": scope, "identity": identity}
        (row,) = await self._database.read(self._sql.connections.count, values, TotalRow)
        return row.total

    async def count_by_connector(self) -> Mapping[str, int]:
        """How many connections each connector has. On PostgreSQL 0.1 s per million."""
        rows = await self._database.read(self._sql.connections.count_by_connector, {}, CountRow)
        return {row.connector: row.count for row in rows}
