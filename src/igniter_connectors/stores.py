"""Stores, and what a store of your own implements.

`MemoryStore`, `SQLiteStore` and `PostgresStore` are loaded when they are first used, because
each needs the driver of its own database. `igniter_connectors.testing.STORE_CONTRACT` is the
test suite that every store passes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.ports import DeliveryLost, Store, StoreUnavailable

if TYPE_CHECKING:
    from igniter_connectors.adapters.memory.store import MemoryStore
    from igniter_connectors.adapters.postgres import PostgresStore
    from igniter_connectors.adapters.sqlite import SQLiteStore

__all__ = [
    "ConnectionKey",
    "ConnectionRecord",
    "DeliveryLost",
    "MemoryStore",
    "PostgresStore",
    "SQLiteStore",
    "Store",
    "StoreUnavailable",
]

_STORES = {
    "MemoryStore": "igniter_connectors.adapters.memory.store",
    "PostgresStore": "igniter_connectors.adapters.postgres",
    "SQLiteStore": "igniter_connectors.adapters.sqlite",
}

if not TYPE_CHECKING:  # a type checker would accept every name

    def __getattr__(name: str) -> object:
        """A store, imported when it is first used."""
        if name not in _STORES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(_STORES[name]), name)
