"""The schema of a SQLite file: numbered SQL files, applied in order when the file is opened."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from contextlib import closing
from functools import cache
from importlib import resources
from typing import Final

import aiosqlite

from igniter_connectors.ports import StoreUnavailable

SCHEMA_VERSION: Final = 7
"""What this version of the library reads and writes: the number of the last migration."""

# How many faults one line names.
_MAX_NAMED: Final = 3

_OBJECTS: Final = """
    SELECT 'the ' || type || ' ' || name FROM sqlite_master
    WHERE type IN ('table', 'index') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
    UNION ALL
    SELECT 'the column ' || m.name || '.' || c.name
    FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c WHERE m.type = 'table'
"""


async def migrate(connection: aiosqlite.Connection) -> None:
    """Applies the missing migrations, all of them or none, and makes sure that the schema is whole.

    Raises:
        StoreUnavailable: a newer version of the library made the schema, the file is of another
            program, or it lacks a table, a column or an index.
    """
    version = await _stored_version(connection)
    if version > SCHEMA_VERSION:
        raise StoreUnavailable(
            f"the file's schema is version {version}, this library reads {SCHEMA_VERSION}:"
            " install a newer igniter-connectors"
        )
    if version < SCHEMA_VERSION:
        # IMMEDIATE: of two processes one waits here, and then finds the tables. So the version is
        # read again inside the transaction.
        _ = await connection.execute_fetchall("BEGIN IMMEDIATE")
        try:
            version = await _stored_version(connection)
            _require(await _objects(connection), _expected(version), whole=version > 0)
            for statement in _statements(since=version):
                _ = await connection.execute_fetchall(statement)
            _ = await connection.execute_fetchall(f"PRAGMA user_version = {SCHEMA_VERSION}")
        except BaseException:
            _ = await connection.execute_fetchall("ROLLBACK")
            raise
        _ = await connection.execute_fetchall("COMMIT")
    _require(await _objects(connection), _expected(SCHEMA_VERSION), whole=True)


def _require(found: Collection[str], expected: Collection[str], *, whole: bool) -> None:
    if whole:
        faults = [f"{one} is missing" for one in expected if one not in found]
    else:
        made_later = _expected(SCHEMA_VERSION)
        tables = [one for one in made_later if one.startswith("the table ") and one in found]
        faults = [f"{one} is of another program" for one in tables]
    if faults:
        more = f", and {len(faults) - _MAX_NAMED} more" if len(faults) > _MAX_NAMED else ""
        named = ", ".join(faults[:_MAX_NAMED])
        raise StoreUnavailable(f"SQLite: the file's schema is not this library's: {named}{more}")


async def _objects(connection: aiosqlite.Connection) -> Collection[str]:
    return dict.fromkeys(one for (one,) in await connection.execute_fetchall(_OBJECTS))


@cache
def _expected(version: int) -> Collection[str]:
    """The tables, columns and indexes that the migrations make, in order."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for statement in _statements(since=0, until=version):
            _ = connection.execute(statement)
        return dict.fromkeys(one for (one,) in connection.execute(_OBJECTS))


async def _stored_version(connection: aiosqlite.Connection) -> int:
    ((version,),) = await connection.execute_fetchall("PRAGMA user_version")
    return int(version)


def _statements(since: int, until: int = SCHEMA_VERSION) -> list[str]:
    """The statements of the files after a version, up to another.

    A statement ends in `;` at a line's end.
    """
    folder = resources.files("igniter_connectors.adapters.sqlite") / "migrations"
    files = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".sql")),
        key=lambda file: file.name,
    )
    return [
        one for file in files[since:until] for one in file.read_text().split(";\n") if one.strip()
    ]
