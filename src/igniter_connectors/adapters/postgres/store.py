"""The PostgreSQL store."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import final

import msgspec
from psycopg import AsyncConnection

from igniter_connectors.adapters.postgres.batched_reads import BatchedEndpoints
from igniter_connectors.adapters.postgres.connection import Address, Pooling, Row
from igniter_connectors.adapters.postgres.connections import PostgresConnections
from igniter_connectors.adapters.postgres.database import Database
from igniter_connectors.adapters.postgres.dialect import STATEMENTS
from igniter_connectors.adapters.postgres.endpoints import PostgresEndpoints
from igniter_connectors.adapters.postgres.inbox import PostgresInbox, complete_values
from igniter_connectors.adapters.postgres.inbox_statements import COMPLETE_FIRST
from igniter_connectors.adapters.postgres.migrations import migrate, plan
from igniter_connectors.adapters.sql.authorizations import SqlAuthorizations
from igniter_connectors.adapters.sql.leases import SqlLeases
from igniter_connectors.adapters.sql.revocations import SqlRevocations
from igniter_connectors.adapters.sql.routing import SqlRouting
from igniter_connectors.core.webhook.webhook import WebhookCall
from igniter_connectors.ports import DeliveryLost


@final
class PostgresStore(PostgresConnections, SqlLeases, SqlAuthorizations, PostgresEndpoints):
    """Stores everything in PostgreSQL, shared by any number of processes and hosts.

    One object serves one event loop, and any number of its tasks may call methods concurrently.
    The database's clock decides between processes.

    Args:
        url: `postgresql://user:password@host/database`, or anything else that libpq reads.
        min_size: How many connections are kept open.
        max_size: How many connections may be open at once. All processes together must stay
            below the server's `max_connections`.
        deadline: How long a call may take before it raises `StoreUnavailable`, including the
            wait for a free connection. It is then unknown whether a write was done.
        pooling: "transaction" if a pooler in transaction mode, such as pgbouncer, is in front
            of the server. Then statements are not prepared, and this library sets no
            `statement_timeout`; set one for the database's user instead.
    """

    def __init__(
        self,
        url: str,
        *,
        min_size: int = 2,
        max_size: int = 10,
        deadline: timedelta = timedelta(milliseconds=800),
        pooling: Pooling = "session",
    ) -> None:
        self._address = Address(url, pooling, deadline)
        self._server = Database(self._address, min_size=min_size, max_size=max_size)
        super().__init__(self._server)
        self._batched_endpoints = BatchedEndpoints(self._server)
        self._revocations = SqlRevocations(self._server, STATEMENTS)
        self._inbox = PostgresInbox(self._server)
        self._routing = SqlRouting(self._server, STATEMENTS)

    @property
    def routing(self) -> SqlRouting:
        """The accounts at providers."""
        return self._routing

    @property
    def inbox(self) -> PostgresInbox:
        """The webhook inbox."""
        return self._inbox

    async def open(self) -> None:
        """Connects, and makes sure that the schema is this version's and whole. Changes nothing.

        Raises:
            StoreUnavailable: the database does not answer, needs `migrate`, or lacks a table, a
                column or an index.
        """
        await self._server.open()

    async def close(self) -> None:
        """Waits for running writes, and closes every connection."""
        await self._batched_endpoints.close()
        await self._inbox.close()
        await self._server.close()

    async def migrate(
        self,
        *,
        within: timedelta = timedelta(minutes=5),
        on_wait: Callable[[str], None] | None = None,
    ) -> Sequence[str]:
        """Migrates the schema to this version. The store need not be open.

        Several processes may call this at once: one migrates, the others wait. A table that
        another session uses is waited for a tenth of a second at a time, so that the calls of
        running processes do not wait long behind it.

        Args:
            within: How long it may take. After that nothing is changed, and `StoreUnavailable`
                is raised.
            on_wait: Called each time that a table is in use, with a line that says by whom.

        Returns:
            The names of the applied migrations, in order.

        Raises:
            StoreUnavailable: the database does not answer, or a newer version made its schema.
        """
        return [one.name for one in await migrate(self._address, within=within, on_wait=on_wait)]

    async def plan(self) -> Sequence[str]:
        """The names of the migrations that `migrate` would apply now. Changes nothing."""
        return [one.name for one in await plan(self._address)]

    @property
    def revocations(self) -> SqlRevocations:
        """The queue of tokens to be revoked."""
        return self._revocations

    @asynccontextmanager
    async def transaction(
        self, call: WebhookCall[msgspec.Struct, object, object]
    ) -> AsyncGenerator[AsyncConnection[Row], None]:
        """A transaction that completes the webhook's event together with the caller's writes.

        For a webhook's handler, once per attempt. What the handler writes on this connection and
        the event's completion commit together when the block ends; if the block raises, neither
        does. So the event takes effect exactly once, whichever process crashes. At most half of
        all connections are in such transactions at once. A statement may take nine tenths
        of the deadline, unless the transaction begins with `SET LOCAL statement_timeout`.

        Raises:
            DeliveryLost: another process has the event, or it was completed.
            StoreUnavailable: the database does not answer.
        """
        async with self._server.transaction() as connection:
            values = complete_values(call.delivery)
            cursor = await connection.execute(COMPLETE_FIRST, values, binary=True)
            completed = await cursor.fetchone()
            if completed is None:
                raise DeliveryLost
            yield connection
        await self._inbox.promote_after(completed)
