"""Fixtures of the webhook tests."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from igniter_connectors import MemoryStore, PostgresStore, SQLiteStore
from tests.flows.mailroom import MakeStore


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> MakeStore:
    """Makes stores on one database. The memory store is the same each time."""
    match request.param:
        case "memory":
            store = MemoryStore()
            return lambda: store
        case "sqlite":
            return lambda: SQLiteStore(tmp_path / "c.db")
        case _:
            url = str(request.getfixturevalue("database_url"))
            # A long deadline, so that a busy machine does not answer a delivery with 503.
            return lambda: PostgresStore(url, deadline=timedelta(seconds=5))
