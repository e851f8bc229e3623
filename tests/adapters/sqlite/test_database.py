# ruff: noqa: ASYNC240  # a local file
"""One SQLite file: errors that pass by themselves and errors that stay."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncGenerator, Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

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


# --- a file that does not stay where it is ------------------------------------------------------


def _replace(path: Path) -> None:
    path.rename(path.with_suffix(".old"))
    path.write_bytes(path.with_suffix(".old").read_bytes())


def _move_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("elsewhere"))


def _wal(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


CHANGES: dict[str, Callable[[Path], object]] = {
    "deleted": Path.unlink,
    "replaced": _replace,
    "folder moved": _move_folder,
    "log deleted": lambda path: _wal(path).unlink(),
    "log replaced": lambda path: _replace(_wal(path)),
    "index deleted": lambda path: path.with_name(path.name + "-shm").unlink(),
    "emptied": lambda path: os.truncate(path, 0),
    "cut": lambda path: os.truncate(path, path.stat().st_size // 2),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_a_file_that_is_no_longer_there_is_refused_until_it_is_opened_again(
    change: Callable[[Path], object], tmp_path: Path
) -> None:
    """Reads and writes: what would be acknowledged from then on would be lost."""
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / "store.db"
    store = SQLiteStore(path)
    await store.open()
    await store.insert(RECORD)
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA wal_checkpoint")
    assert await store.find(KEY) is not None
    change(path)
    for _ in range(2):
        for call in (
            lambda: store.find(KEY),
            lambda: store.set_enabled(KEY, enabled=False, now=NOW),
            lambda: store.disconnect(KEY, revocation=None, now=NOW),
        ):
            with pytest.raises(StoreUnavailable, match="open the store again"):
                await call()
    await store.close()
    for left in tmp_path.rglob("store.db*"):
        left.unlink()
    path.parent.mkdir(exist_ok=True)
    await store.open()
    assert await store.insert(RECORD)
    await store.close()


async def test_a_file_that_is_deleted_during_a_write_is_noticed(
    store: SQLiteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the commit and before the caller is told."""
    run = store._file._execute

    async def delete_then_run(*given: Any) -> Any:
        path.unlink(missing_ok=True)
        return await run(*given)

    monkeypatch.setattr(store._file, "_execute", delete_then_run)
    with pytest.raises(StoreUnavailable, match="open the store again"):
        await store.insert(RECORD)


async def test_what_others_may_do_with_the_file_is_not_refused(
    store: SQLiteStore, path: Path
) -> None:
    """Another process writes, empties the log, and makes the file shorter."""
    for number in range(200):
        key = ConnectionKey("organization", str(number), "mail")
        row = ConnectionRecord(key, str(number), b"{}", b"x" * 999, True, 1, NOW, NOW)
        assert await store.insert(row)
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = path.stat().st_size
        assert await store.count("organization", "7") == 1
        other.execute("DELETE FROM connections")
        other.commit()
        other.execute("VACUUM")
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert path.stat().st_size < size
    assert await store.count("organization", "7") == 0
    assert await store.insert(RECORD)


async def test_a_transaction_s_file_is_watched_too(store: SQLiteStore, path: Path) -> None:
    """It opens a connection of its own, for which SQLite would create a new file."""
    path.unlink()
    with pytest.raises(StoreUnavailable, match="open the store again"):
        async with store._file.transaction():
            pass
    assert not path.exists()


async def test_the_file_is_for_its_owner_alone(store: SQLiteStore, path: Path) -> None:
    """Also the files beside it, which hold what was committed last."""
    _ = await store.insert(RECORD)
    modes = {one.name: one.stat().st_mode & 0o777 for one in path.parent.iterdir()}
    assert modes == {f"store.db{suffix}": 0o600 for suffix in ("", "-wal", "-shm")}


async def test_the_permissions_of_an_existing_file_stay(path: Path) -> None:
    """The operator may have given a group access."""
    path.touch(0o640)
    path.chmod(0o640)
    store = SQLiteStore(path)
    await store.open()
    await store.close()
    assert path.stat().st_mode & 0o777 == 0o640


async def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """SQLite itself says only that it cannot open the file."""
    store = SQLiteStore(tmp_path / "data" / "store.db")
    with pytest.raises(StoreUnavailable) as caught:
        await store.open()
    assert caught.value.reason == f"SQLite: there is no folder {tmp_path / 'data'}: make it first"
