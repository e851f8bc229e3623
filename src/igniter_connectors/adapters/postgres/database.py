"""A pool of connections to one PostgreSQL server, and single statements with a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final, LiteralString, TypeVar, final

import msgspec
from psycopg_pool import AsyncConnectionPool

from igniter_connectors.adapters.postgres.connection import (
    Address,
    Row,
    ServerConnection,
    connected,
    is_closed_by_server,
    shut_down,
)
from igniter_connectors.adapters.postgres.errors import TRANSIENT_ERRORS, UNANSWERED, unavailable
from igniter_connectors.adapters.postgres.migrations import require_current
from igniter_connectors.ports import StoreUnavailable

R = TypeVar("R", bound=msgspec.Struct)

# A worker of the pool may be waiting for a connection that never comes.
_CLOSE_SECONDS: Final = 3.0

_LISTEN: Final = timedelta(days=1)

_NOT_OPEN: Final = "the store is not open: use `async with connectors:`"


@final
class Database:
    """Runs single statements, each its own transaction, within the deadline.

    The deadline counts from the call. It includes the wait for a free connection, the statement
    and its answer, whether the server is down, stopped, or unreachable. A broken connection is
    dropped, and the pool opens new ones on demand, so nothing needs a restart when the server
    is back.
    """

    def __init__(self, address: Address, *, min_size: int, max_size: int) -> None:
        self._address = address
        self._min_size = min_size
        self._max_size = max_size
        self._pool: AsyncConnectionPool[ServerConnection] | None = None
        self._writes: set[asyncio.Task[Sequence[Row]]] = set()
        # The other half stays free for all other calls: webhooks must be recorded in time.
        self._transactions = asyncio.Semaphore(max(1, max_size // 2))

    def until(self) -> float:
        """The event loop's time at which a call that begins now must end."""
        return asyncio.get_running_loop().time() + self._address.deadline.total_seconds()

    async def open(self) -> None:
        """Connects, and reads the schema's version.

        Raises:
            StoreUnavailable: the server does not answer, or its schema is not the one that
                this version reads; the reason says what to do.
        """
        # Outside the pool, which does not report why it cannot connect.
        async with connected(self._address) as connection:
            await require_current(connection)
        pool = AsyncConnectionPool(
            self._address.url,
            connection_class=ServerConnection,
            kwargs=self._address.arguments(),
            min_size=self._min_size,
            max_size=self._max_size,
            open=False,
            # After this time the pool stops reconnecting, and each call tries again. By default
            # the pool backs off for up to 5 minutes, and calls would wait for that.
            reconnect_timeout=self._address.deadline.total_seconds(),
        )
        await pool.open()
        self._pool = pool

    async def close(self) -> None:
        """Waits for running writes, and closes every connection."""
        if self._writes:
            _ = await asyncio.wait(self._writes)
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close(timeout=_CLOSE_SECONDS)

    async def read(
        self, statement: LiteralString, values: Mapping[str, Any], kind: type[R]
    ) -> list[R]:
        """The rows of a SELECT. A cancelled caller cancels the statement."""
        return [kind(*row) for row in await self.run(statement, values, until=self.until())]

    async def write(self, statement: LiteralString, values: Mapping[str, Any]) -> int:
        """Runs a statement that ends in RETURNING; returns how many rows it changed."""
        return len(await self.run_whole(statement, values, until=self.until()))

    async def write_returning(
        self, statement: LiteralString, values: Mapping[str, Any], kind: type[R]
    ) -> list[R]:
        """As `write`, and returns the rows of RETURNING."""
        return [kind(*row) for row in await self.run_whole(statement, values, until=self.until())]

    async def run(
        self, statement: LiteralString, values: Mapping[str, Any], *, until: float
    ) -> Sequence[Row]:
        """The rows of a statement. A cancelled caller cancels the statement."""
        loop = asyncio.get_running_loop()
        pool = self._pool
        if pool is None:
            raise StoreUnavailable(_NOT_OPEN)
        try:
            connection = await _take(pool, until)
            # `pool.connection()` would also commit, which takes a lock for nothing.
            try:
                watch = loop.call_at(until, shut_down, connection)
                try:
                    cursor = await connection.execute(statement, values, binary=True)
                    return await cursor.fetchall()
                finally:
                    watch.cancel()
            finally:
                await pool.putconn(connection)
        except TRANSIENT_ERRORS as error:
            if loop.time() >= until:
                raise StoreUnavailable(UNANSWERED) from None
            raise unavailable(error) from None

    async def run_whole(
        self, statement: LiteralString, values: Mapping[str, Any], *, until: float
    ) -> Sequence[Row]:
        """As `run`, in a task of its own.

        A cancelled caller returns at once, and the statement is completed or fails whole.
        """
        task = asyncio.create_task(self.run(statement, values, until=until))
        self._writes.add(task)
        task.add_done_callback(self._forget)
        return await asyncio.shield(task)

    async def listen(self, channel: LiteralString, wake: Callable[[], None]) -> None:
        """Calls `wake` for each notification. Runs until cancelled.

        Uses a connection of its own. A pooler in transaction mode passes no notifications on, so
        behind one this waits for ever.

        Raises:
            StoreUnavailable: connecting failed, or the connection broke.
        """
        if self._address.pooling == "transaction":
            _ = await asyncio.get_running_loop().create_future()
        async with connected(self._address, lasting=_LISTEN) as connection:
            _ = await connection.execute(f"LISTEN {channel}")
            wake()  # for notifications sent before LISTEN
            async for _ in connection.notifies():
                wake()

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[ServerConnection, None]:
        """A transaction without a time limit; only COMMIT or ROLLBACK has the deadline of a call.

        Raises:
            StoreUnavailable: no connection is free within the deadline.
        """
        loop = asyncio.get_running_loop()
        async with self._transactions:
            pool = self._pool
            if pool is None:
                raise StoreUnavailable(_NOT_OPEN)
            try:
                connection = await _take(pool, self.until())
            except TRANSIENT_ERRORS as error:
                raise unavailable(error) from None
            watch: asyncio.TimerHandle | None = None
            try:
                async with connection.transaction():
                    try:
                        yield connection
                    finally:
                        # For COMMIT or ROLLBACK: the server may have stopped meanwhile.
                        watch = loop.call_at(self.until(), shut_down, connection)
            finally:
                if watch is not None:
                    watch.cancel()
                await pool.putconn(connection)

    def _forget(self, task: asyncio.Task[Sequence[Row]]) -> None:
        self._writes.discard(task)
        if not task.cancelled():
            _ = task.exception()  # else asyncio logs an exception that no caller waits for


async def _take(pool: AsyncConnectionPool[ServerConnection], until: float) -> ServerConnection:
    loop = asyncio.get_running_loop()
    while True:
        connection = await pool.getconn(timeout=until - loop.time())
        if not is_closed_by_server(connection):
            return connection
        # The server was restarted while the connection was idle, so others may be closed too.
        # The pool's own `check` would ask the server each time, and wait a second in between.
        await connection.close()
        await pool.putconn(connection)
