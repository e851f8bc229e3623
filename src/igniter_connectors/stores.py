"""Stores, and what a store of your own implements.

`MemoryStore`, `SQLiteStore` and `PostgresStore` are loaded when they are first used, because
each needs the driver of its own database. `igniter_connectors.testing.STORE_CONTRACT` is the
test suite that every store passes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord, Grant, Status
from igniter_connectors.core.oauth.refresh_lease import Lease
from igniter_connectors.core.oauth.revocation import PendingRevocation, RevocationRequest
from igniter_connectors.core.oauth.state import PendingAuthorization
from igniter_connectors.core.webhook.endpoint import EndpointRecord
from igniter_connectors.core.webhook.inbox import InboxEvent, NewEvent, Recorded
from igniter_connectors.core.webhook.turns import Share
from igniter_connectors.core.webhook.webhook import TransactionConnection
from igniter_connectors.ports import (
    AuthorizationStore,
    ConfigChange,
    ConnectionStore,
    DeliveryLost,
    EndpointStore,
    InboxStore,
    LeaseStore,
    RevocationStore,
    RoutingStore,
    Store,
    StoreRefused,
    StoreUnavailable,
)

if TYPE_CHECKING:
    from igniter_connectors.adapters.memory.store import MemoryStore, MemoryTransaction
    from igniter_connectors.adapters.postgres import PostgresStore
    from igniter_connectors.adapters.postgres.connection import Pooling, Row
    from igniter_connectors.adapters.sqlite import SQLiteStore

__all__ = [
    "AuthorizationStore",
    "ConfigChange",
    "ConnectionKey",
    "ConnectionRecord",
    "ConnectionStore",
    "DeliveryLost",
    "EndpointRecord",
    "EndpointStore",
    "Grant",
    "InboxEvent",
    "InboxStore",
    "Lease",
    "LeaseStore",
    "MemoryStore",
    "MemoryTransaction",
    "NewEvent",
    "PendingAuthorization",
    "PendingRevocation",
    "Pooling",
    "PostgresStore",
    "Recorded",
    "RevocationRequest",
    "RevocationStore",
    "RoutingStore",
    "Row",
    "SQLiteStore",
    "Share",
    "Status",
    "Store",
    "StoreRefused",
    "StoreUnavailable",
    "TransactionConnection",
]

_LOADED_LATE = {
    "MemoryStore": "igniter_connectors.adapters.memory.store",
    "MemoryTransaction": "igniter_connectors.adapters.memory.store",
    "PostgresStore": "igniter_connectors.adapters.postgres",
    "Pooling": "igniter_connectors.adapters.postgres.connection",
    "Row": "igniter_connectors.adapters.postgres.connection",
    "SQLiteStore": "igniter_connectors.adapters.sqlite",
}

if not TYPE_CHECKING:  # a type checker would accept every name

    def __getattr__(name: str) -> object:
        """A store or a name of its driver, imported when it is first used."""
        if name not in _LOADED_LATE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(_LOADED_LATE[name]), name)
