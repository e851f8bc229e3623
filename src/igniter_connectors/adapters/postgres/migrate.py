"""Bringing a database's schema up to date: in one transaction, one process at a time."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from psycopg import IsolationLevel

from igniter_connectors.adapters.postgres.connection import Address, Link, connected
from igniter_connectors.adapters.postgres.schema import (
    Migration,
    migrations,
    refuse_newer,
    stored_version,
)

# Any number that no other program locks in the same database.
_LOCK: Final = 0x1641_7E12_C0EC

_RECORD: Final = """
    CREATE TABLE IF NOT EXISTS igniter_migrations (
        version     integer     NOT NULL PRIMARY KEY,
        name        text        NOT NULL,
        applied_at  timestamptz NOT NULL DEFAULT now()
    )
"""


async def plan(address: Address) -> tuple[Migration, ...]:
    """The migrations that `migrate` would apply now, in order. Changes nothing.

    Raises:
        StoreUnavailable: the database does not answer, or its schema is newer than this.
    """
    async with connected(address) as link:
        return await _missing(link)


async def migrate(address: Address, *, within: timedelta) -> tuple[Migration, ...]:
    """Applies what is missing: all of it, or nothing.

    Of several processes at once one migrates. The others wait for it, and then find nothing
    to do. The lock is the transaction's, so it goes with its holder, also behind a pooler.

    Args:
        address: The database. Its user must be allowed to create tables.
        within: How long it may take altogether, the wait for another process and for locks
            on tables included.

    Returns:
        What was applied.

    Raises:
        StoreUnavailable: the database did not answer, was not done in time, or its schema
            is newer than this.
    """
    async with connected(address, lasting=within) as link:
        # Each statement sees what others committed before it: after the wait, the version
        # that the one waited for has left.
        await link.set_isolation_level(IsolationLevel.READ_COMMITTED)
        async with link.transaction():
            limit = str(within // timedelta(milliseconds=1))
            _ = await link.execute("SET LOCAL statement_timeout = 0")
            _ = await link.execute("SELECT set_config('lock_timeout', %s, true)", (limit,))
            _ = await link.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            _ = await link.execute(_RECORD)
            missing = await _missing(link)
            for migration in missing:
                # Several statements in one go are never prepared.
                _ = await link.execute(migration.script.encode(), prepare=False)
                _ = await link.execute(
                    "INSERT INTO igniter_migrations (version, name) VALUES (%s, %s)",
                    (migration.version, migration.name),
                )
        return missing


async def _missing(link: Link) -> tuple[Migration, ...]:
    version = await stored_version(link)
    refuse_newer(version)
    return migrations()[version:]
