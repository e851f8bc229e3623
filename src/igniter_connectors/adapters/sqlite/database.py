"""One SQLite file: a connection that writes, one that reads, and the schema's version."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from importlib import resources
from typing import Final, cast, final

import aiosqlite

from igniter_connectors.adapters.sqlite.rows import Value
from igniter_connectors.ports import StoreUnavailable

SCHEMA_VERSION: Final = 3
_BUSY_MILLISECONDS: Final = 5000


@final
class Database:
    """Runs statements, each its own transaction, or a few that belong together.

    aiosqlite runs a connection's statements one after another in a thread of its own, so
    tasks cannot mix theirs; a caller that is cancelled leaves its statement whole. A
    transaction is a task of its own behind a lock, which a cancelled caller does not take
    down, so none can be left half open. Several
    processes may use the file at once: WAL lets them read while one writes, and a writer
    waits 5 s for its turn. `synchronous=FULL`: what was acknowledged outlives a power cut.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._writer: aiosqlite.Connection | None = None
        self._reader: aiosqlite.Connection | None = None
        self._turn = asyncio.Lock()
        self._transactions: set[asyncio.Task[list[list[Sequence[Value]]]]] = set()
        self._transaction = asyncio.Lock()

    async def open(self) -> None:
        """Opens both connections and brings an older schema up to date.

        Raises:
            StoreUnavailable: the file cannot be opened, or its schema is newer than this.
        """
        try:
            # aiosqlite's thread outlives a file that cannot be opened, so look first.
            await asyncio.to_thread(_can_open, self._path)
            self._writer = await self._connect()
            await self._migrate(self._writer)
            in_memory = self._path == ":memory:"
            self._reader = self._writer if in_memory else await self._connect()
        except (sqlite3.Error, OSError) as error:
            await self.close()
            raise _unavailable(error) from None
        except StoreUnavailable:
            await self.close()
            raise

    async def close(self) -> None:
        """Waits for transactions under way, and closes both connections."""
        if self._transactions:
            _ = await asyncio.wait(self._transactions)
        reader, writer = self._reader, self._writer
        self._reader = self._writer = None
        if reader is not None and reader is not writer:
            await reader.close()
        if writer is not None:
            await writer.close()

    async def read(self, statement: str, values: Sequence[Value] = ()) -> list[Sequence[Value]]:
        """The rows of a SELECT."""
        return await self._run(self._reader, statement, values)

    async def write(self, statement: str, values: Sequence[Value] = ()) -> list[Sequence[Value]]:
        """Changes something; the rows of its RETURNING."""
        async with self._turn:
            return await self._run(self._writer, statement, values)

    async def write_together(
        self, *steps: tuple[str, Sequence[Value]]
    ) -> list[list[Sequence[Value]]]:
        """Runs statements as one transaction: all of them, or none. The rows of each."""
        task = asyncio.create_task(self._transact(steps))
        self._transactions.add(task)
        task.add_done_callback(self._transactions.discard)
        return await asyncio.shield(task)

    async def _transact(
        self, steps: Sequence[tuple[str, Sequence[Value]]]
    ) -> list[list[Sequence[Value]]]:
        async with self._turn:
            # IMMEDIATE: the lock is taken before anything is read, so nothing changes between.
            _ = await self._run(self._writer, "BEGIN IMMEDIATE")
            try:
                rows = [await self._run(self._writer, *step) for step in steps]
                _ = await self._run(self._writer, "COMMIT")
            except BaseException:
                _ = await self._run(self._writer, "ROLLBACK")
                raise
        return rows

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[aiosqlite.Connection, None]:
        """A transaction on a connection of its own, which goes with it, whatever happens inside.

        One at a time in this process, so that they do not use up each other's time to wait.

        Raises:
            StoreUnavailable: it cannot begin or commit, or the database is in memory alone.
        """
        if self._path == ":memory:" or self._writer is None:
            raise StoreUnavailable("SQLite: a transaction needs an open file")
        async with self._transaction:
            connection = await self._connect()
            try:
                await _must(connection, "BEGIN IMMEDIATE")
                yield connection
                await _must(connection, "COMMIT")
            finally:
                # Closing rolls back what was not committed.
                await connection.close()

    async def _run(
        self,
        connection: aiosqlite.Connection | None,
        statement: str,
        values: Sequence[Value] = (),
    ) -> list[Sequence[Value]]:
        if connection is None:
            raise StoreUnavailable("the store is not open: use `async with connectors:`")
        try:
            rows = await connection.execute_fetchall(statement, values)
        except (sqlite3.Error, ValueError) as error:
            raise _unavailable(error) from None
        # aiosqlite's rows are sqlite3.Row or tuples of what SQLite stores.
        return cast("list[Sequence[Value]]", list(rows))

    async def _connect(self) -> aiosqlite.Connection:
        connection = await aiosqlite.connect(self._path, isolation_level=None)
        for setting in (
            f"busy_timeout = {_BUSY_MILLISECONDS}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
        ):
            _ = await connection.execute_fetchall(f"PRAGMA {setting}")
        return connection

    async def _migrate(self, connection: aiosqlite.Connection) -> None:
        rows = list(await connection.execute_fetchall("PRAGMA user_version"))
        if rows[0][0] > SCHEMA_VERSION:
            raise StoreUnavailable(
                f"the file's schema is version {rows[0][0]}, this library reads {SCHEMA_VERSION}:"
                " install a newer igniter-connectors"
            )
        if rows[0][0] == SCHEMA_VERSION:
            return
        # One script, one transaction. IMMEDIATE: of two processes one waits, and then finds
        # the tables made; hence the second look, inside.
        _ = await connection.execute_fetchall("BEGIN IMMEDIATE")
        try:
            rows = list(await connection.execute_fetchall("PRAGMA user_version"))
            for statement in _statements(since=rows[0][0]):
                _ = await connection.execute_fetchall(statement)
            _ = await connection.execute_fetchall(f"PRAGMA user_version = {SCHEMA_VERSION}")
        except BaseException:
            _ = await connection.execute_fetchall("ROLLBACK")
            raise
        _ = await connection.execute_fetchall("COMMIT")


async def _must(connection: aiosqlite.Connection, statement: str) -> None:
    try:
        _ = await connection.execute_fetchall(statement)
    except (sqlite3.Error, ValueError) as error:
        raise _unavailable(error) from None


def _can_open(path: str) -> None:
    sqlite3.connect(path).close()


def _statements(since: int) -> list[str]:
    """What the numbered files after a version say; a statement ends where a line ends in `;`."""
    folder = resources.files("igniter_connectors.adapters.sqlite") / "migrations"
    files = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".sql")),
        key=lambda file: file.name,
    )
    return [one for file in files[since:] for one in file.read_text().split(";\n") if one.strip()]


def _unavailable(error: Exception) -> StoreUnavailable:
    # The error's name alone: SQLite's texts quote values of constraints.
    name = getattr(error, "sqlite_errorname", "")
    return StoreUnavailable(f"SQLite: {type(error).__name__} {name}".strip())
