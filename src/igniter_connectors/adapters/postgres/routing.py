# ruff: noqa: S608  # the types show that no statement is put together from a value
"""The accounts at providers in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, LiteralString, final

from igniter_connectors.adapters.postgres.connection import Row
from igniter_connectors.adapters.postgres.database import Database
from igniter_connectors.adapters.postgres.rows import BODY, KEY, key_values, to_connection
from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord

_IS_KEY: Final[LiteralString] = " AND ".join(f"{column} = %s" for column in KEY)
_ON_KEY: Final[LiteralString] = " AND ".join(f"c.{column} = a.{column}" for column in KEY)
_C: Final[LiteralString] = ", ".join(f"c.{column}" for column in (*KEY, *BODY))

ADD_ACCOUNT: Final[LiteralString] = (
    f"INSERT INTO igniter_webhook_accounts ({', '.join(KEY)}, connection_id, upstream)"
    " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING 1"
)
KEEP_ACCOUNT: Final[LiteralString] = (
    f"DELETE FROM igniter_webhook_accounts WHERE {_IS_KEY} AND connection_id = %s"
    " AND upstream <> %s RETURNING 1"
)
FORGET_ACCOUNTS: Final[LiteralString] = (
    f"DELETE FROM igniter_webhook_accounts WHERE {_IS_KEY} RETURNING 1"
)
# These two cross tenants: the tenant is what they look for.
FIND_BY_ACCOUNT: Final[LiteralString] = (
    f"SELECT {_C} FROM igniter_webhook_accounts AS a JOIN igniter_connections AS c"
    f" ON {_ON_KEY} AND c.id = a.connection_id"
    " WHERE a.connector = %s AND a.upstream = %s LIMIT 1000"
)
FIND_BY_SUBJECT: Final[LiteralString] = (
    f"SELECT {_C} FROM igniter_connections AS c WHERE c.connector = %s AND c.subject = %s"
    " AND c.grant_id IS NOT NULL"
    " LIMIT 1000"
)

_KEY_WIDTH: Final = len(KEY)


@final
class PostgresRouting:
    """The accounts of a `PostgresStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_account(self, key: ConnectionKey, *, row: str, account: str) -> None:
        """Says that a connection's row belongs to an account."""
        _ = await self._database.write(ADD_ACCOUNT, (*key_values(key), row, account))

    async def keep_account(self, key: ConnectionKey, *, row: str, account: str) -> None:
        """Forgets every other account of a connection's row."""
        _ = await self._database.write(KEEP_ACCOUNT, (*key_values(key), row, account))

    async def forget_accounts(self, key: ConnectionKey) -> None:
        """Forgets all accounts of a connection."""
        _ = await self._database.write(FORGET_ACCOUNTS, key_values(key))

    async def find_by_account(self, connector: str, account: str) -> Sequence[ConnectionRecord]:
        """The connections that belong to an account."""
        return await self._find(FIND_BY_ACCOUNT, connector, account)

    async def find_by_subject(self, connector: str, subject: str) -> Sequence[ConnectionRecord]:
        """The connections that a subject authorized."""
        return await self._find(FIND_BY_SUBJECT, connector, subject)

    async def _find(
        self, statement: LiteralString, connector: str, name: str
    ) -> Sequence[ConnectionRecord]:
        until = self._database.until()
        rows = await self._database.run(statement, (connector, name), until=until)
        return [_read(row) for row in rows]


def _read(row: Row) -> ConnectionRecord:
    return to_connection(ConnectionKey(*row[:_KEY_WIDTH]), row[_KEY_WIDTH:])
