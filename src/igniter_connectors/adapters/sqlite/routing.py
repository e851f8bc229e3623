"""The accounts at providers in SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, final

from igniter_connectors.adapters.sqlite.database import Database
from igniter_connectors.adapters.sqlite.rows import CONNECTION, to_connection
from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord

_C: Final = ", ".join(f"c.{column.strip()}" for column in CONNECTION.split(","))
_KEY: Final = "scope = ? AND identity = ? AND connector = ? AND account = ?"
_ADD: Final = (
    "INSERT INTO webhook_accounts (scope, identity, connector, account, connection_id, upstream)"
    " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_KEEP: Final = f"DELETE FROM webhook_accounts WHERE {_KEY} AND connection_id = ? AND upstream <> ?"
_FORGET: Final = f"DELETE FROM webhook_accounts WHERE {_KEY}"
_BY_ACCOUNT: Final = (
    f"SELECT {_C} FROM webhook_accounts AS a JOIN connections AS c ON c.id = a.connection_id"
    " WHERE a.connector = ? AND a.upstream = ? LIMIT 1000"
)
_BY_SUBJECT: Final = (
    f"SELECT {_C} FROM connections AS c WHERE c.connector = ? AND c.subject = ?"
    " AND c.grant_id IS NOT NULL LIMIT 1000"
)


@final
class SQLiteRouting:
    """The accounts in the file of a `SQLiteStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_account(self, key: ConnectionKey, *, row: str, account: str) -> None:
        """Says that a connection's row belongs to an account."""
        _ = await self._database.write(_ADD, (*_key(key), row, account))

    async def keep_account(self, key: ConnectionKey, *, row: str, account: str) -> None:
        """Forgets every other account of a connection's row."""
        _ = await self._database.write(_KEEP, (*_key(key), row, account))

    async def forget_accounts(self, key: ConnectionKey) -> None:
        """Forgets all accounts of a connection."""
        _ = await self._database.write(_FORGET, _key(key))

    async def find_by_account(self, connector: str, account: str) -> Sequence[ConnectionRecord]:
        """The connections that belong to an account."""
        rows = await self._database.read(_BY_ACCOUNT, (connector, account))
        return [to_connection(row) for row in rows]

    async def find_by_subject(self, connector: str, subject: str) -> Sequence[ConnectionRecord]:
        """The connections that a subject authorized."""
        rows = await self._database.read(_BY_SUBJECT, (connector, subject))
        return [to_connection(row) for row in rows]


def _key(key: ConnectionKey) -> tuple[str, str, str, str]:
    return (key.scope, key.identity, key.connector, key.account)
