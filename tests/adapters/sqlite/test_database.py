"""One SQLite file: errors that pass by themselves and errors that stay."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncGenerator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from igniter_connectors.adapters.sqlite import SQLiteStore
from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.ports import StoreRefused, StoreUnavailable

NOW = datetime(2026, 3, 1, tzinfo=UTC)
KEY = ConnectionKey("organization", "acme", "mail")
RECORD = ConnectionRecord(KEY, "row-1", b"{}", b"sealed-canary", True, 1, NOW, NOW)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file."""
    return tmp_path / "store.db"


@pytest.fixture
async def store(path: Path) -> AsyncGenerator[SQLiteStore, None]:
    """An open store."""
    store = SQLiteStore(path)
    await store.open()
    yield store
    await store.close()


@pytest.mark.parametrize(
    "change",
    [
        "DROP TABLE connections",
        "ALTER TABLE connections RENAME COLUMN sealed_config TO other",
        "CREATE TRIGGER t BEFORE INSERT ON connections BEGIN SELECT raise(ABORT, 'x'); END",
    ],
)
async def test_a_statement_that_can_never_succeed_is_refused(
    change: str, store: SQLiteStore, path: Path
) -> None:
    """A schema that somebody changed, or a constraint."""
    with closing(sqlite3.connect(path)) as other:
        other.execute(change)
    with pytest.raises(StoreRefused) as caught:
        await store.insert(RECORD)
    assert "canary" not in caught.value.reason


@pytest.mark.parametrize("version", [2**70])
async def test_a_number_that_no_column_holds_is_refused(version: int, store: SQLiteStore) -> None:
    """64 bits are the limit."""
    with pytest.raises(StoreRefused):
        await store.insert(ConnectionRecord(KEY, "row-1", b"{}", b"", True, version, NOW, NOW))


async def test_text_that_is_not_unicode_is_refused(store: SQLiteStore) -> None:
    """A lone surrogate."""
    with pytest.raises(StoreRefused):
        await store.insert(ConnectionRecord(KEY, "\ud83d", b"{}", b"", True, 1, NOW, NOW))


async def test_a_full_disk_is_transient(store: SQLiteStore) -> None:
    """Somebody makes room, and the same call succeeds."""
    writer = store._file._writer
    assert writer is not None
    await writer.execute_fetchall("PRAGMA max_page_count = 1")

    async def fill() -> None:
        for number in range(200):
            key = ConnectionKey("organization", str(number), "mail")
            await store.insert(
                ConnectionRecord(key, str(number), b"{}", b"x" * 999, True, 1, NOW, NOW)
            )

    with pytest.raises(StoreUnavailable, match="SQLITE_FULL") as caught:
        await fill()
    assert not isinstance(caught.value, StoreRefused)
    await writer.execute_fetchall("PRAGMA max_page_count = 100000")
    assert await store.insert(RECORD)
