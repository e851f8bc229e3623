"""Migrations of a SQLite file: rows from before them, and what a schema lacks."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from igniter_connectors.adapters.sqlite import SQLiteStore
from igniter_connectors.adapters.sqlite.migrations import SCHEMA_VERSION, _statements
from igniter_connectors.ports import StoreUnavailable
from tests.adapters.sqlite.test_inbox import file_of_version


def run(path: Path, *statements: str) -> None:
    """Somebody else's connection."""
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


async def made(path: Path) -> SQLiteStore:
    """A store whose file is whole, and closed."""
    store = SQLiteStore(path)
    await store.open()
    await store.close()
    return store


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        (["DROP TABLE revocations"], "the table revocations is missing"),
        (
            ["ALTER TABLE connections RENAME COLUMN profile TO other"],
            "the column connections.profile is missing$",
        ),
        (["DROP INDEX webhook_inbox_heads"], "the index webhook_inbox_heads is missing$"),
        (
            ["DROP TABLE connections", "CREATE TABLE connections (host TEXT)"],
            r"the index connections\w+ is missing, .* and \d+ more$",
        ),
    ],
)
async def test_a_fault_is_named_when_the_file_is_opened(
    changes: list[str], fault: str, tmp_path: Path
) -> None:
    """Before any call meets it."""
    store = await made(tmp_path / "store.db")
    run(tmp_path / "store.db", *changes)
    with pytest.raises(StoreUnavailable, match=fault) as caught:
        await store.open()
    assert "\n" not in caught.value.reason


async def test_a_file_of_another_program_is_left_alone(tmp_path: Path) -> None:
    """It has a table of the same name, or its own `user_version`."""
    path = tmp_path / "theirs.db"
    run(path, "CREATE TABLE connections (host TEXT)")
    with pytest.raises(StoreUnavailable, match=r"the table connections is of another program$"):
        await SQLiteStore(path).open()
    other = tmp_path / "other.db"
    run(other, "CREATE TABLE orders (number INTEGER)", "PRAGMA user_version = 3")
    with pytest.raises(StoreUnavailable, match="the table connections is missing"):
        await SQLiteStore(other).open()
    with closing(sqlite3.connect(other)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("orders",)]


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION))
async def test_every_earlier_version_becomes_the_newest(version: int, tmp_path: Path) -> None:
    """And is whole then; more tables and indexes are no fault."""
    path = tmp_path / "store.db"
    run(path, *_statements(since=0, until=version), f"PRAGMA user_version = {version}")
    run(path, "CREATE TABLE orders (number INTEGER)", "CREATE INDEX more ON orders (number)")
    store = await made(path)
    await store.open()
    await store.close()


async def test_accounts_become_a_part_of_their_rows(tmp_path: Path) -> None:
    """A row with one account keeps it. Of several nobody knows which is right, so none is kept."""
    path = tmp_path / "connectors.db"
    accounts = {"one": ["T1"], "several": ["T1", "T2"], "none": [], "gone": ["T1"]}
    with file_of_version(path, 5) as connection:
        for name, teams in accounts.items():
            status = "disconnected" if name == "gone" else "ok"
            connection.execute(
                "INSERT INTO connections (scope, identity, connector, account, id, public_config,"
                " sealed_config, enabled, version, created_at, updated_at, status, failures,"
                " unresolved) VALUES ('organization', ?, 'chat', 'default', ?, x'', x'', 1, 1, 0,"
                " 0, ?, 0, 0)",
                (name, f"row-{name}", status),
            )
            for team in teams:
                for row in (f"row-{name}", "row-before"):
                    connection.execute(
                        "INSERT OR IGNORE INTO webhook_accounts VALUES"
                        " ('chat', ?, 'organization', ?, 'default', ?)",
                        (team, name, row),
                    )
    connection.close()
    store = SQLiteStore(path)
    await store.open()
    try:
        (found,) = await store.routing.find_by_account("chat", "T1")
        assert (found.key.identity, found.upstream) == ("one", "T1")
        assert await store.routing.find_by_account("chat", "T2") == []
        page = await store.routing.list_of_connector("chat", after=None, limit=9)
        assert [(one.key.identity, one.upstream) for one in page] == [
            ("none", None),
            ("one", "T1"),
            ("several", None),
        ]
    finally:
        await store.close()
