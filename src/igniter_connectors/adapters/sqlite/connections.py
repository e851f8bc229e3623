# ruff: noqa: S608  # no statement is built from a value, as the types show
"""How a grant ends in SQLite: one transaction queues its tokens and changes its row."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, LiteralString

from igniter_connectors.adapters.sql import end_of_grant
from igniter_connectors.adapters.sql.connections import SqlConnections
from igniter_connectors.adapters.sql.dialect import IS_KEY, IS_LIVE
from igniter_connectors.adapters.sql.records import connection_values, key_values, to_connection
from igniter_connectors.adapters.sql.tables import BodyRow
from igniter_connectors.adapters.sqlite.database import Database
from igniter_connectors.adapters.sqlite.dialect import SQLITE, STATEMENTS
from igniter_connectors.adapters.sqlite.values import decode
from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.oauth.revocation import RevocationRequest
from igniter_connectors.ports import ConfigChange

_QUEUE: Final[LiteralString] = end_of_grant.queue_revocation(SQLITE, source="connections")
_IS_VERSION: Final[LiteralString] = f"{IS_KEY} AND id = :id AND version = :version AND {IS_LIVE}"

_REPLACE_CONFIG: Final = (
    SQLITE.statement(f"{_QUEUE} AND {_IS_VERSION}"),
    SQLITE.statement(f"""
        UPDATE connections AS c SET {end_of_grant.config_changed(SQLITE)}
        WHERE {_IS_VERSION} AND grant_id IS NOT NULL RETURNING 1
    """),
)
_DISCONNECT: Final = (
    STATEMENTS.connections.find,
    SQLITE.statement(f"{_QUEUE} AND {IS_KEY}"),
    SQLITE.statement(f"DELETE FROM webhook_endpoints WHERE {IS_KEY}"),
    SQLITE.statement(f"DELETE FROM connections WHERE {IS_KEY} AND grant_id IS NULL"),
    SQLITE.statement(f"""
        UPDATE connections AS c SET {end_of_grant.tombstone(SQLITE)} WHERE {IS_KEY} AND {IS_LIVE}
    """),
)
_SAVE_AUTHORIZED: Final = (
    SQLITE.statement(f"{_QUEUE} AND {IS_KEY} AND {end_of_grant.IS_EXPECTED}"),
    SQLITE.statement(f"""
        UPDATE connections AS c SET {end_of_grant.authorized(before="c")}
        WHERE {IS_KEY} AND {end_of_grant.IS_EXPECTED} RETURNING 1
    """),
)
_PURGE_TOMBSTONES: Final = SQLITE.statement("""
    DELETE FROM connections WHERE id IN (SELECT id FROM connections AS t
        WHERE status = 'disconnected' AND updated_at < :newest_allowed AND NOT EXISTS (SELECT 1
            FROM authorizations AS a WHERE (a.scope, a.identity, a.connector) =
            (t.scope, t.identity, t.connector)) LIMIT 1000) RETURNING 1
""")


class SQLiteConnections(SqlConnections):
    """`ConnectionStore` in one file."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, STATEMENTS)
        self._file = database

    async def replace_config_ending_grant(
        self,
        key: ConnectionKey,
        change: ConfigChange,
        *,
        grant_id: str,
        revocation: RevocationRequest | None,
    ) -> bool:
        """Writes the config and ends the grant if row and version match."""
        values = {
            **end_of_grant.config_values(key, change),
            **end_of_grant.request_values(revocation),
            "grant_id": grant_id,
        }
        _, changed = await self._file.write_together(_REPLACE_CONFIG, values)
        return bool(changed)

    async def disconnect(
        self, key: ConnectionKey, *, revocation: RevocationRequest | None, now: datetime
    ) -> ConnectionRecord | None:
        """Removes a row and its endpoints; a grant leaves a tombstone."""
        values = {
            **key_values(key),
            **end_of_grant.request_values(revocation),
            "updated_at": now,
        }
        found, *_ = await self._file.write_together(_DISCONNECT, values)
        return to_connection(key, decode(found[0], BodyRow)) if found else None

    async def purge_tombstones(self, *, older_than: timedelta) -> int:
        """Deletes tombstones that no pending authorization can meet any more."""
        return await self._file.write(_PURGE_TOMBSTONES, {"newest_allowed": -older_than})

    async def save_authorized(
        self,
        record: ConnectionRecord,
        *,
        expected_grant: str | None,
        revocation: RevocationRequest | None = None,
        keep_config: bool = False,
        version: int | None = None,
    ) -> bool:
        """Adds or overwrites a row at the end of an authorization."""
        if expected_grant is None:
            values = connection_values(record)
            return await self._file.write(STATEMENTS.connections.insert_first, values) > 0
        values = {
            **end_of_grant.authorized_values(
                record, expected_grant, keep_config=keep_config, version=version
            ),
            **end_of_grant.request_values(revocation),
        }
        _, changed = await self._file.write_together(_SAVE_AUTHORIZED, values)
        return bool(changed)
