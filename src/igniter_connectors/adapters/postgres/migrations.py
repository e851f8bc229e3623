"""The schema of a PostgreSQL database: numbered SQL files, applied in one transaction."""

from __future__ import annotations

from datetime import timedelta
from importlib import resources
from typing import Final

import msgspec
from psycopg import IsolationLevel

from igniter_connectors.adapters.postgres.connection import Address, ServerConnection, connected
from igniter_connectors.adapters.postgres.errors import MIGRATE
from igniter_connectors.ports import StoreUnavailable

SCHEMA_VERSION: Final = 7
"""What this version of the library reads and writes: the number of the last migration."""

# An arbitrary number, which no other program should lock in the same database.
_LOCK: Final = 0x1641_7E12_C0EC

_CREATE_TABLE: Final = """
    CREATE TABLE IF NOT EXISTS igniter_migrations (
        version     integer     NOT NULL PRIMARY KEY,
        name        text        NOT NULL,
        applied_at  timestamptz NOT NULL DEFAULT now()
    )
"""


class Migration(msgspec.Struct, frozen=True):
    """One numbered file. It brings a schema from the version before to its own."""

    version: int
    name: str
    script: str


def migrations() -> tuple[Migration, ...]:
    """All migrations in order, numbered from 1 without a gap."""
    folder = resources.files("igniter_connectors.adapters.postgres") / "migrations"
    files = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".sql")),
        key=lambda file: file.name,
    )
    return tuple(
        Migration(number, file.name.removesuffix(".sql"), file.read_text(encoding="utf-8"))
        for number, file in enumerate(files, start=1)
    )


async def plan(address: Address) -> tuple[Migration, ...]:
    """The migrations that `migrate` would apply now, in order. Changes nothing.

    Raises:
        StoreUnavailable: the database does not answer, or a newer version made its schema.
    """
    async with connected(address) as connection:
        return await _missing(connection)


async def migrate(address: Address, *, within: timedelta) -> tuple[Migration, ...]:
    """Applies the missing migrations: all of them, or none.

    Of several concurrent processes one migrates; the others wait for it, and then find nothing
    to do. The transaction holds the lock, so the lock ends with it, also behind a pooler.

    Args:
        address: The database. Its user must be allowed to create tables.
        within: How long everything may take, including the wait for another process and for
            locks on tables.

    Returns:
        What was applied.

    Raises:
        StoreUnavailable: the database did not answer, the time was over, or a newer version
            made the schema.
    """
    async with connected(address, lasting=within) as connection:
        # At this level each statement sees what was committed before it. So after the wait for
        # the lock, the version is the one that the other process left.
        await connection.set_isolation_level(IsolationLevel.READ_COMMITTED)
        async with connection.transaction():
            limit = str(within // timedelta(milliseconds=1))
            _ = await connection.execute("SET LOCAL statement_timeout = 0")
            _ = await connection.execute("SELECT set_config('lock_timeout', %s, true)", (limit,))
            _ = await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            _ = await connection.execute(_CREATE_TABLE)
            missing = await _missing(connection)
            for migration in missing:
                # A script has several statements, which cannot be prepared.
                _ = await connection.execute(migration.script.encode(), prepare=False)
                _ = await connection.execute(
                    "INSERT INTO igniter_migrations (version, name) VALUES (%s, %s)",
                    (migration.version, migration.name),
                )
        return missing


async def require_current(connection: ServerConnection) -> None:
    """Makes sure that the schema is this library's.

    Raises:
        StoreUnavailable: it is not; the reason says what to do.
    """
    version = await _stored_version(connection)
    if version == 0:
        raise StoreUnavailable(f"PostgreSQL: the database has no tables yet: {MIGRATE}")
    if version < SCHEMA_VERSION:
        raise StoreUnavailable(
            f"PostgreSQL: the schema is version {version}, this library reads"
            f" {SCHEMA_VERSION}: {MIGRATE}"
        )
    _refuse_newer(version)


async def _missing(connection: ServerConnection) -> tuple[Migration, ...]:
    version = await _stored_version(connection)
    _refuse_newer(version)
    return migrations()[version:]


async def _stored_version(connection: ServerConnection) -> int:
    """The version of a database's schema; 0 if it was never migrated."""
    found = await connection.execute("SELECT to_regclass('igniter_migrations') IS NOT NULL")
    if await found.fetchone() != (True,):
        return 0
    found = await connection.execute("SELECT coalesce(max(version), 0) FROM igniter_migrations")
    row = await found.fetchone()
    return 0 if row is None else int(row[0])


def _refuse_newer(version: int) -> None:
    if version > SCHEMA_VERSION:
        raise StoreUnavailable(
            f"PostgreSQL: the schema is version {version}, this library reads"
            f" {SCHEMA_VERSION}: install a newer igniter-connectors"
        )
