# ruff: noqa: S608  # no statement is built from a value, as the types show
"""Rows of connections in PostgreSQL: look-ups in batches, and how a grant ends."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, LiteralString

from igniter_connectors.adapters.postgres.batched_reads import BatchedConnections
from igniter_connectors.adapters.postgres.database import Database
from igniter_connectors.adapters.postgres.dialect import POSTGRES, STATEMENTS
from igniter_connectors.adapters.sql import end_of_grant
from igniter_connectors.adapters.sql.connections import SqlConnections
from igniter_connectors.adapters.sql.dialect import IS_KEY, IS_LIVE, KEY, columns, equal, listed
from igniter_connectors.adapters.sql.records import connection_values, key_values, to_connection
from igniter_connectors.adapters.sql.tables import BodyRow
from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.oauth.revocation import RevocationRequest
from igniter_connectors.ports import ConfigChange

# A grant ends in one statement: `was` locks the row as it is, `queued` copies its tokens to the
# queue of revocations, and the rest changes the row.
_QUEUED: Final[LiteralString] = (
    f"queued AS ({end_of_grant.queue_revocation(POSTGRES, source='was')})"
)
_IS_ROW: Final[LiteralString] = equal(KEY, "c", "was")

REPLACE_CONFIG_ENDING_GRANT: Final = POSTGRES.statement(f"""
    WITH was AS (SELECT * FROM igniter_connections WHERE {IS_KEY} AND id = :id
        AND version = :version AND {IS_LIVE} AND grant_id IS NOT NULL FOR UPDATE), {_QUEUED}
    UPDATE igniter_connections AS c SET {end_of_grant.config_changed(POSTGRES)}
    FROM was WHERE {_IS_ROW} RETURNING 1
""")

# No foreign key deletes the endpoints, since a partitioned table has no unique index on `id`.
DISCONNECT: Final = POSTGRES.statement(f"""
    WITH was AS (SELECT * FROM igniter_connections WHERE {IS_KEY} AND {IS_LIVE} FOR UPDATE),
    ended AS (DELETE FROM igniter_webhook_endpoints WHERE {IS_KEY}), {_QUEUED},
    gone AS (DELETE FROM igniter_connections AS c USING was
        WHERE {_IS_ROW} AND was.grant_id IS NULL),
    tomb AS (UPDATE igniter_connections AS c SET {end_of_grant.tombstone(POSTGRES)}
        FROM was WHERE {_IS_ROW} AND was.grant_id IS NOT NULL)
    SELECT {listed(columns(BodyRow))} FROM was
""")

SAVE_AUTHORIZED: Final = POSTGRES.statement(f"""
    WITH was AS (SELECT * FROM igniter_connections WHERE {IS_KEY}
        AND {end_of_grant.IS_EXPECTED} FOR UPDATE), {_QUEUED}
    UPDATE igniter_connections AS c SET {end_of_grant.authorized(before="was")}
    FROM was WHERE {_IS_ROW} RETURNING 1
""")

# Crosses tenants.
PURGE_TOMBSTONES: Final = POSTGRES.statement(f"""
    DELETE FROM igniter_connections AS c USING (SELECT * FROM igniter_connections AS t
        WHERE t.status = 'disconnected' AND t.updated_at < now() - :older_than::interval
        AND NOT EXISTS (SELECT 1 FROM igniter_authorizations AS a
            WHERE (a.scope, a.identity, a.connector) = (t.scope, t.identity, t.connector))
        ORDER BY t.updated_at LIMIT 1000 FOR UPDATE SKIP LOCKED) AS was
    WHERE {_IS_ROW} RETURNING 1
""")


class PostgresConnections(SqlConnections):
    """`ConnectionStore` in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, STATEMENTS)
        self._batched = BatchedConnections(database)

    async def find(self, key: ConnectionKey) -> ConnectionRecord | None:
        """The row, or None. Concurrent callers share a query."""
        return await self._batched.find(key)

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
        return await self._database.write(REPLACE_CONFIG_ENDING_GRANT, values) > 0

    async def disconnect(
        self, key: ConnectionKey, *, revocation: RevocationRequest | None, now: datetime
    ) -> ConnectionRecord | None:
        """Removes a row and its endpoints; a grant leaves a tombstone."""
        values = {
            **key_values(key),
            **end_of_grant.request_values(revocation),
            "updated_at": now,
        }
        rows = await self._database.write_returning(DISCONNECT, values, BodyRow)
        return to_connection(key, rows[0]) if rows else None

    async def purge_tombstones(self, *, older_than: timedelta) -> int:
        """Deletes tombstones that no pending authorization can meet any more."""
        return await self._database.write(PURGE_TOMBSTONES, {"older_than": older_than})

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
            return await self._database.write(STATEMENTS.connections.insert_first, values) > 0
        values = {
            **end_of_grant.authorized_values(
                record, expected_grant, keep_config=keep_config, version=version
            ),
            **end_of_grant.request_values(revocation),
        }
        return await self._database.write(SAVE_AUTHORIZED, values) > 0
