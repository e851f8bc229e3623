"""One SQLite file: a connection that writes, and one that reads."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final, LiteralString, TypeVar, cast, final

import aiosqlite
import msgspec

from igniter_connectors.adapters.sqlite.file_watch import FileWatch
from igniter_connectors.adapters.sqlite.migrations import migrate
from igniter_connectors.adapters.sqlite.values import Stored, decode, encode
from igniter_connectors.ports import Clock, StoreRefused, StoreUnavailable

R = TypeVar("R", bound=msgspec.Struct)

_BUSY_MILLISECONDS: Final = 5000

# OverflowError: an integer past 64 bits. ValueError: text that is not Unicode, a closed file.
_ERRORS: Final = (sqlite3.Error, ValueError, OverflowError)

# Primary result codes (https://sqlite.org/rescode.html) whose cause lies in the file's host or in
# another process. For every other code it lies in the statement, in its values or in the schema.
_TRANSIENT_CODES: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_PERM,
    }
)

_REASONS: Final = {
    sqlite3.SQLITE_BUSY: "another process is writing: ",
    sqlite3.SQLITE_READONLY: "the file is read-only: ",
    sqlite3.SQLITE_FULL: "the disk is full: ",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened: ",
    sqlite3.SQLITE_CORRUPT: "the file is damaged: ",
    sqlite3.SQLITE_NOTADB: "the file is not a database: ",
}


@final
class Database:
    """Runs statements, each its own transaction, or several in one.

    aiosqlite runs a connection's statements one after another in a thread of its own. So tasks
    cannot interleave within a statement, and a cancelled caller leaves its statement whole. A
    transaction is a task of its own behind a lock, which a cancelled caller does not cancel; so
    no transaction stays open. Several processes may use the file at once: WAL lets them read
    while one writes, and a writer waits up to 5 s for its turn. With `synchronous=FULL`,
    committed data survives a power failure.

    The file must stay where it is: see `FileWatch`.

    The clock is the host's: each statement gets its instant as the parameter `now`, and its
    monotonic time, which all processes of the host share, as `monotonic`.
    """

    def __init__(self, path: str, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._writer: aiosqlite.Connection | None = None
        self._reader: aiosqlite.Connection | None = None
        self._turn = asyncio.Lock()
        self._transactions: set[asyncio.Task[list[list[Sequence[Stored]]]]] = set()
        self._transaction = asyncio.Lock()
        self._watch: FileWatch | None = None

    async def open(self) -> None:
        """Opens both connections and migrates an older schema.

        Raises:
            StoreUnavailable: the file cannot be opened, or a newer version made its schema.
        """
        try:
            # aiosqlite leaves its thread running if the file cannot be opened, so test that first.
            await asyncio.to_thread(_create, self._path)
            self._writer = await self._connect()
            await migrate(self._writer)
            in_memory = self._path == ":memory:"
            self._reader = self._writer if in_memory else await self._connect()
            self._watch = None if in_memory else FileWatch(self._path)
        except (sqlite3.Error, OSError) as error:
            await self.close()
            raise _unavailable(error) from None
        except StoreUnavailable:
            await self.close()
            raise

    async def close(self) -> None:
        """Waits for running transactions, and closes both connections."""
        if self._transactions:
            _ = await asyncio.wait(self._transactions)
        reader, writer = self._reader, self._writer
        self._reader = self._writer = self._watch = None
        if reader is not None and reader is not writer:
            await reader.close()
        if writer is not None:
            await writer.close()

    async def read(
        self, statement: LiteralString, values: Mapping[str, Any], kind: type[R]
    ) -> list[R]:
        """The rows of a SELECT."""
        rows = await self._run(self._reader, statement, self.encode(values))
        return [decode(row, kind) for row in rows]

    async def write(self, statement: LiteralString, values: Mapping[str, Any]) -> int:
        """Runs a statement that ends in RETURNING; returns how many rows it changed."""
        return len(await self._write(statement, values))

    async def write_returning(
        self, statement: LiteralString, values: Mapping[str, Any], kind: type[R]
    ) -> list[R]:
        """As `write`, and returns the rows of RETURNING."""
        return [decode(row, kind) for row in await self._write(statement, values)]

    async def _write(
        self, statement: LiteralString, values: Mapping[str, Any]
    ) -> list[Sequence[Stored]]:
        async with self._turn:
            rows = await self._run(self._writer, statement, self.encode(values))
        self._check_file()  # else what was written is acknowledged and lost
        return rows

    async def write_together(
        self, statements: Sequence[LiteralString], values: Mapping[str, Any]
    ) -> list[list[Sequence[Stored]]]:
        """Runs statements as one transaction: all of them, or none. Returns the rows of each."""
        task = asyncio.create_task(self._transact(statements, self.encode(values)))
        self._transactions.add(task)
        task.add_done_callback(self._transactions.discard)
        return await asyncio.shield(task)

    async def _transact(
        self, statements: Sequence[LiteralString], values: Mapping[str, Stored]
    ) -> list[list[Sequence[Stored]]]:
        async with self._turn:
            # IMMEDIATE takes the lock before anything is read, so nothing changes in between.
            _ = await self._run(self._writer, "BEGIN IMMEDIATE")
            try:
                rows = [await self._run(self._writer, one, values) for one in statements]
                _ = await self._run(self._writer, "COMMIT")
            except BaseException:
                _ = await self._execute(self._writer, "ROLLBACK")
                raise
        self._check_file()
        return rows

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[aiosqlite.Connection, None]:
        """A transaction on a connection of its own, which is closed at the end.

        One at a time in this process, so that they do not use up each other's 5 s of waiting.

        Raises:
            StoreUnavailable: it cannot begin or commit, or the database is ":memory:".
        """
        if self._path == ":memory:" or self._writer is None:
            raise StoreUnavailable("SQLite: a transaction needs an open file")
        async with self._transaction:
            self._check_file()  # else SQLite would create a new file
            connection = await self._connect()
            try:
                await _must(connection, "BEGIN IMMEDIATE")
                yield connection
                await _must(connection, "COMMIT")
                self._check_file()
            finally:
                # Closing rolls back what was not committed.
                await connection.close()

    def encode(self, values: Mapping[str, Any]) -> dict[str, Stored]:
        """The values of a statement, with this instant in them."""
        return encode(values, self._clock.now(), self._clock.monotonic())

    async def _run(
        self,
        connection: aiosqlite.Connection | None,
        statement: str,
        values: Mapping[str, Stored] | None = None,
    ) -> list[Sequence[Stored]]:
        self._check_file()
        return await self._execute(connection, statement, values)

    def _check_file(self) -> None:
        if self._watch is not None:
            self._watch.check()

    async def _execute(
        self,
        connection: aiosqlite.Connection | None,
        statement: str,
        values: Mapping[str, Stored] | None = None,
    ) -> list[Sequence[Stored]]:
        if connection is None:
            raise StoreUnavailable("the store is not open: use `async with connectors:`")
        try:
            rows = await connection.execute_fetchall(statement, values or {})
        except _ERRORS as error:
            raise _unavailable(error) from None
        # aiosqlite types its rows as sqlite3.Row; here they are tuples.
        return cast("list[Sequence[Stored]]", list(rows))

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


async def _must(connection: aiosqlite.Connection, statement: str) -> None:
    try:
        _ = await connection.execute_fetchall(statement)
    except _ERRORS as error:
        raise _unavailable(error) from None


def _create(path: str) -> None:
    """Makes the file if there is none, for its owner alone: SQLite would let every user read it.

    SQLite gives `-wal` and `-shm` the same permissions.
    """
    if path != ":memory:":
        folder = Path(path).absolute().parent
        if not folder.is_dir():
            raise StoreRefused(f"SQLite: there is no folder {folder}: make it first")
        # Only a new file is opened here: to close an old one would release its locks.
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    sqlite3.connect(path).close()


def _unavailable(error: Exception) -> StoreUnavailable:
    # Only the error's name: SQLite's messages may quote values.
    name = getattr(error, "sqlite_errorname", "")
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    reason = _REASONS.get(code, "")
    kind = StoreUnavailable if _is_transient(error) else StoreRefused
    return kind(f"SQLite: {reason}{type(error).__name__} {name}".strip())


def _is_transient(error: Exception) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _TRANSIENT_CODES
    # Without a code, Python refused a value. aiosqlite's ValueError says that the file was closed.
    return isinstance(error, ValueError) and not isinstance(error, UnicodeError)
