"""Accounts at providers, and the connections that belong to them, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from igniter_connectors.adapters.sql.database import SqlPart
from igniter_connectors.adapters.sql.records import Values, key_values, to_connections
from igniter_connectors.adapters.sql.tables import ConnectionRow
from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord


@final
class SqlRouting(SqlPart):
    """`RoutingStore`: one statement each."""

    async def add_account(self, key: ConnectionKey, *, row: str, account: str) -> None:
        """Adds an account to those of a connection's row."""
        _ = await self._database.write(self._sql.routing.add, _values(key, row, account))

    async def keep_account(self, key: ConnectionKey, *, row: str, account: str) -> None:
        """Deletes every other account of a connection's row."""
        _ = await self._database.write(self._sql.routing.delete_others, _values(key, row, account))

    async def forget_accounts(self, key: ConnectionKey) -> None:
        """Deletes all accounts of a connection."""
        _ = await self._database.write(self._sql.routing.delete_all, key_values(key))

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


def _values(key: ConnectionKey, row: str, account: str) -> Values:
    return {**key_values(key), "connection_id": row, "upstream": account}
