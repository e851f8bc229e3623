"""The schema of a SQLite file: numbered SQL files, applied in order when the file is opened."""

from __future__ import annotations

from importlib import resources
from typing import Final

import aiosqlite

from igniter_connectors.ports import StoreUnavailable

SCHEMA_VERSION: Final = 7
"""What this version of the library reads and writes: the number of the last migration."""


async def migrate(connection: aiosqlite.Connection) -> None:
    """Applies the missing migrations: all of them, or none.

    Raises:
        StoreUnavailable: a newer version of the library made the schema.
    """
    version = await _stored_version(connection)
    if version > SCHEMA_VERSION:
        raise StoreUnavailable(
            f"the file's schema is version {version}, this library reads {SCHEMA_VERSION}:"
            " install a newer igniter-connectors"
        )
    if version == SCHEMA_VERSION:
        return
    # IMMEDIATE: of two processes one waits here, and then finds the tables. So the version is
    # read again inside the transaction.
    _ = await connection.execute_fetchall("BEGIN IMMEDIATE")
    try:
        for statement in _statements(since=await _stored_version(connection)):
            _ = await connection.execute_fetchall(statement)
        _ = await connection.execute_fetchall(f"PRAGMA user_version = {SCHEMA_VERSION}")
    except BaseException:
        _ = await connection.execute_fetchall("ROLLBACK")
        raise
    _ = await connection.execute_fetchall("COMMIT")


async def _stored_version(connection: aiosqlite.Connection) -> int:
    ((version,),) = await connection.execute_fetchall("PRAGMA user_version")
    return int(version)


def _statements(since: int) -> list[str]:
    """The statements of the files after a version. A statement ends in `;` at a line's end."""
    folder = resources.files("igniter_connectors.adapters.sqlite") / "migrations"
    files = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".sql")),
        key=lambda file: file.name,
    )
    return [one for file in files[since:] for one in file.read_text().split(";\n") if one.strip()]
