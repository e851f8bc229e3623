"""The embedded store: one SQLite file, through aiosqlite."""

from igniter_connectors.adapters.sqlite.store import SQLiteStore

__all__ = ["SQLiteStore"]
