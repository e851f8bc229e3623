"""The schema of a PostgreSQL database: numbered SQL files, applied in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from importlib import resources
from typing import Final

import msgspec
import psycopg
from psycopg import IsolationLevel

from igniter_connectors.adapters.postgres.connection import Address, ServerConnection, connected
from igniter_connectors.adapters.postgres.errors import MIGRATE
from igniter_connectors.adapters.postgres.schema import require_schema, schema_of
from igniter_connectors.ports import StoreUnavailable

SCHEMA_VERSION: Final = 7
"""What this version of the library reads and writes: the number of the last migration."""

# An arbitrary number, which no other program should lock in the same database.
_LOCK: Final = 0x1641_7E12_C0EC

# How long a statement waits for a table. Shorter than a reader's own wait for a lock
# (`Address.lock_timeout`), so that the readers behind it do not fail.
_LOCK_WAIT: Final = timedelta(milliseconds=100)

_PAUSE_SECONDS: Final = 0.5

# The session that has used one of the tables for the longest time.
_HOLDER: Final = """
    SELECT c.relname::text, a.pid, coalesce(a.state, 'another user')
    FROM pg_locks AS l JOIN pg_class AS c ON c.oid = l.relation
    JOIN pg_stat_activity AS a ON a.pid = l.pid
    WHERE l.granted AND starts_with(c.relname, 'igniter_') AND c.relkind IN ('r', 'p')
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND l.pid <> pg_backend_pid()
    ORDER BY a.xact_start LIMIT 1
"""

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


async def migrate(
    address: Address, *, within: timedelta, on_wait: Callable[[str], None] | None = None
) -> tuple[Migration, ...]:
    """Applies the missing migrations: all of them, or none.

    Of several concurrent processes one migrates; the others wait for it, and then find nothing
    to do. The transaction holds the lock, so the lock ends with it, also behind a pooler.

    While a statement waits for a table that another session uses, every later reader of the
    table waits behind it. So it waits for a moment only; then the transaction is rolled back, and
    tried again after a pause.

    Args:
        address: The database. Its user must be allowed to create tables.
        within: How long everything may take, including the wait for another process and for
            locks on tables.
        on_wait: Called before each pause, with a line that says what is waited for.

    Returns:
        What was applied.

    Raises:
        StoreUnavailable: the database did not answer, the time was over, the tables are of
            another program, or a newer version made the schema.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + within.total_seconds()
    async with connected(address, lasting=within) as connection:
        # At this level each statement sees what was committed before it. So after the wait for
        # the lock, the version is the one that the other process left.
        await connection.set_isolation_level(IsolationLevel.READ_COMMITTED)
        while True:
            try:
                return await _migrate(connection, timedelta(seconds=end - loop.time()))
            except psycopg.errors.LockNotAvailable:
                if end - loop.time() <= _PAUSE_SECONDS:
                    raise
            if on_wait is not None:
                on_wait(await _obstacle(connection))
            await asyncio.sleep(_PAUSE_SECONDS)


async def _migrate(connection: ServerConnection, left: timedelta) -> tuple[Migration, ...]:
    async with connection.transaction():
        _ = await connection.execute("SET LOCAL statement_timeout = 0")
        await _limit_locks(connection, left)
        _ = await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        await _limit_locks(connection, _LOCK_WAIT)
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


async def _limit_locks(connection: ServerConnection, limit: timedelta) -> None:
    milliseconds = str(max(limit // timedelta(milliseconds=1), 1))
    _ = await connection.execute("SELECT set_config('lock_timeout', %s, true)", (milliseconds,))


async def _obstacle(connection: ServerConnection) -> str:
    found = await (await connection.execute(_HOLDER)).fetchone()
    if found is None:
        return "waiting for a lock on a table"
    table, process, state = found
    return f"waiting for {table}: session {process} uses it ({state})"


async def require_current(connection: ServerConnection) -> None:
    """Makes sure that the schema is this library's, and whole.

    Raises:
        StoreUnavailable: it is not; the reason says what is wrong, or what to do.
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
    await require_schema(connection, schema_of(one.script for one in migrations()))


async def _missing(connection: ServerConnection) -> tuple[Migration, ...]:
    version = await _stored_version(connection)
    _refuse_newer(version)
    return migrations()[version:]


async def _stored_version(connection: ServerConnection) -> int:
    """The version of a database's schema; 0 if it was never migrated.

    Raises:
        StoreUnavailable: what is recorded is not the migrations of this library in order.
    """
    found = await connection.execute("SELECT to_regclass('igniter_migrations') IS NOT NULL")
    if await found.fetchone() != (True,):
        return 0
    await require_schema(connection, schema_of([_CREATE_TABLE]))
    found = await connection.execute("SELECT version, name FROM igniter_migrations ORDER BY 1")
    recorded = await found.fetchall()
    known = migrations()
    for number, (version, name) in enumerate(recorded, start=1):
        if version != number:
            raise StoreUnavailable(
                f"PostgreSQL: migration {number} is not recorded in igniter_migrations, but"
                f" {version} is"
            )
        if number <= len(known) and name != known[number - 1].name:
            raise StoreUnavailable(
                f"PostgreSQL: igniter_migrations records another migration {number} than"
                f" {known[number - 1].name}"
            )
    return len(recorded)


def _refuse_newer(version: int) -> None:
    if version > SCHEMA_VERSION:
        raise StoreUnavailable(
            f"PostgreSQL: the schema is version {version}, this library reads"
            f" {SCHEMA_VERSION}: install a newer igniter-connectors"
        )
