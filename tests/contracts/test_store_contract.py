"""One suite over every store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from igniter_connectors import MemoryStore, SQLiteStore
from igniter_connectors.ports import Store
from igniter_connectors.testing import STORE_CONTRACT

Check = Callable[[Store], Awaitable[None]]


def make_store(kind: str, folder: Path) -> Store:
    match kind:
        case "memory":
            return MemoryStore()
        case "sqlite-memory":
            return SQLiteStore(":memory:")
        case _:
            return SQLiteStore(folder / "connectors.db")


@pytest.mark.parametrize("check", STORE_CONTRACT, ids=lambda check: str(check.__name__))
@pytest.mark.parametrize("kind", ["memory", "sqlite", "sqlite-memory"])
async def test_the_contract_holds(kind: str, check: Check, tmp_path: Path) -> None:
    """The check's own docstring says what it protects."""
    store = make_store(kind, tmp_path)
    await store.open()
    try:
        await check(store)
    finally:
        await store.close()
