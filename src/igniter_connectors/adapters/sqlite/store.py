"""The SQLite store."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from os import PathLike, fspath
from typing import final

import aiosqlite
import msgspec

from igniter_connectors.adapters.sql.authorizations import SqlAuthorizations
from igniter_connectors.adapters.sql.leases import SqlLeases
from igniter_connectors.adapters.sql.revocations import SqlRevocations
from igniter_connectors.adapters.sql.routing import SqlRouting
from igniter_connectors.adapters.sqlite.connections import SQLiteConnections
from igniter_connectors.adapters.sqlite.database import Database
from igniter_connectors.adapters.sqlite.dialect import STATEMENTS
from igniter_connectors.adapters.sqlite.endpoints import SQLiteEndpoints
from igniter_connectors.adapters.sqlite.inbox import COMPLETE, SQLiteInbox, complete_values
from igniter_connectors.adapters.system import SystemClock
from igniter_connectors.core.webhook.webhook import WebhookCall
from igniter_connectors.ports import Clock, DeliveryLost


@final
class SQLiteStore(SQLiteConnections, SqlLeases, SqlAuthorizations, SQLiteEndpoints):
    """Stores everything in one SQLite file, which is created if it does not exist.

    For one host: several processes may share the file, and every instant that decides something
    between them is the host's. `":memory:"` stores nothing on disk and belongs to one process.
    """

    def __init__(self, path: str | PathLike[str], *, clock: Clock | None = None) -> None:
        database = Database(fspath(path), clock or SystemClock())
        super().__init__(database)
        self._revocations = SqlRevocations(database, STATEMENTS)
        self._inbox = SQLiteInbox(database, STATEMENTS)
        self._routing = SqlRouting(database, STATEMENTS)

    @property
    def revocations(self) -> SqlRevocations:
        """The queue of tokens to be revoked."""
        return self._revocations

    @property
    def routing(self) -> SqlRouting:
        """The accounts at providers."""
        return self._routing

    @property
    def inbox(self) -> SQLiteInbox:
        """The webhook inbox."""
        return self._inbox

    async def open(self) -> None:
        """Opens the file, and creates or migrates its schema."""
        await self._file.open()

    async def close(self) -> None:
        """Waits for running transactions, and closes the file."""
        await self._file.close()

    @asynccontextmanager
    async def transaction(
        self, call: WebhookCall[msgspec.Struct, object, object]
    ) -> AsyncGenerator[aiosqlite.Connection, None]:
        """A transaction that completes the webhook's event together with the caller's writes.

        For a webhook's handler, once per attempt. What the handler writes on this connection and
        the event's completion commit together when the block ends; if the block raises, neither
        does. So the event takes effect exactly once. All other writers wait meanwhile: make no
        network calls inside, and do not call this library.

        Raises:
            DeliveryLost: another process has the event, or it was completed.
            StoreUnavailable: the file cannot be written, or the store is ":memory:", which has
                only one connection.
        """
        async with self._file.transaction() as connection:
            values = self._file.encode(complete_values(call.delivery))
            if not list(await connection.execute_fetchall(COMPLETE, values)):
                raise DeliveryLost
            yield connection
