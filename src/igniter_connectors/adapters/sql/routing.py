"""Accounts at providers, and the connections that belong to them, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from igniter_connectors.adapters.sql.database import SqlPart
from igniter_connectors.adapters.sql.records import key_values, to_connections
from igniter_connectors.adapters.sql.tables import ConnectionRow
from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord


@final
class SqlRouting(SqlPart):
    """`RoutingStore`: one statement each."""

    async def find_by_account(self, connector: str, account: str) -> Sequence[ConnectionRecord]:
        """The connections that belong to an account."""
        rows = await self._database.read(
            self._sql.routing.find_by_account,
            {"connector": connector, "upstream": account},
            ConnectionRow,
        )
        return to_connections(rows)

    async def find_by_subject(self, connector: str, subject: str) -> Sequence[ConnectionRecord]:
        """The connections that a subject authorized."""
        rows = await self._database.read(
            self._sql.routing.find_by_subject,
            {"connector": connector, "subject": subject},
            ConnectionRow,
        )
        return to_connections(rows)

    async def list_of_connector(
        self, connector: str, *, after: ConnectionKey | None, limit: int
    ) -> Sequence[ConnectionRecord]:
        """One page of a connector's connections, of all tenants."""
        start = after or ConnectionKey("", "", connector, "")
        values = {**key_values(start), "row_limit": limit}
        rows = await self._database.read(self._sql.routing.list_of_connector, values, ConnectionRow)
        return to_connections(rows)

    async def correct_account(
        self, key: ConnectionKey, *, row: str, version: int, account: str | None
    ) -> bool:
        """Writes the account that a row's config names, if row and version match."""
        values = {**key_values(key), "id": row, "version": version, "upstream": account}
        return await self._database.write(self._sql.routing.correct_account, values) > 0
