"""A pool of connections to one PostgreSQL server, and single statements with a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final, LiteralString, TypeVar, final

import msgspec
import psycopg

from igniter_connectors.adapters.postgres.connection import (
    Address,
    Row,
    ServerConnection,
    connected,
    shut_down,
)
from igniter_connectors.adapters.postgres.errors import (
    TRANSIENT_ERRORS,
    UNANSWERED,
    RowLocked,
    is_outdated,
    unavailable,
)
from igniter_connectors.adapters.postgres.hosts import Hosts
from igniter_connectors.adapters.postgres.migrations import require_current
from igniter_connectors.adapters.postgres.pool import Pool
from igniter_connectors.adapters.postgres.write_shares import WriteShares
from igniter_connectors.ports import StoreUnavailable

R = TypeVar("R", bound=msgspec.Struct)

_LISTEN: Final = timedelta(days=1)

# How often a connection that listens asks whether its server still answers.
_PROBE_SECONDS: Final = 2.0

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
        self._pool: Pool | None = None
        self._writes: set[asyncio.Task[Sequence[Row]]] = set()
        # The other half stays free for all other calls: webhooks must be recorded in time.
        self._transactions = asyncio.Semaphore(max(1, max_size // 2))
        self._shares = WriteShares(max_size)
        self._hosts: Hosts | None = None

    def until(self) -> float:
        """The event loop's time at which a call that begins now must end."""
        return asyncio.get_running_loop().time() + self._address.deadline.total_seconds()

    async def open(self) -> None:
        """Connects, and reads the schema's version.

        Raises:
            StoreUnavailable: the server does not answer, or its schema is not the one that
                this version reads; the reason says what to do.
        """
        hosts = self._hosts = self._address.hosts()
        # Outside the pool, which does not report why it cannot connect.
        async with connected(self._address, hosts=hosts) as connection:
            await require_current(connection)
        pool = Pool(self._address, hosts, min_size=self._min_size, max_size=self._max_size)
        await pool.open()
        self._pool = pool

    async def close(self) -> None:
        """Waits for running writes, and closes every connection."""
        if self._writes:
            _ = await asyncio.wait(self._writes)
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()

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
        outdated = 0
        while True:
            try:
                return await self._run_once(statement, values, until)
            except TRANSIENT_ERRORS as error:
                if asyncio.get_running_loop().time() >= until:
                    raise StoreUnavailable(UNANSWERED) from None
                # Each connection of the pool may have prepared it.
                if is_outdated(error) and outdated <= self._max_size:
                    outdated += 1
                    continue
                raise unavailable(error) from None

    async def _run_once(
        self, statement: LiteralString, values: Mapping[str, Any], until: float
    ) -> Sequence[Row]:
        loop = asyncio.get_running_loop()
        pool = self._opened()
        connection = await pool.take(until)
        # `pool.connection()` would also commit, which takes a lock for nothing.
        try:
            began = loop.time()
            watch = loop.call_at(until, shut_down, connection)
            try:
                cursor = await connection.execute(statement, values, binary=True)
                rows = await cursor.fetchall()
            except psycopg.Error as error:
                await pool.judge_failure(connection, error, began, until)
                raise
            finally:
                watch.cancel()
            connection.answered_at = loop.time()
            return rows
        finally:
            await pool.put_back(connection)

    async def run_whole(
        self, statement: LiteralString, values: Mapping[str, Any], *, until: float
    ) -> Sequence[Row]:
        """As `run`, in a task of its own, and within the shares that writes have of the pool.

        A cancelled caller returns at once, and the statement is completed or fails whole.

        Raises:
            StoreUnavailable: as `run`; `RowLocked` if a statement of several tenants met a lock.
        """
        task = asyncio.create_task(self._write(statement, values, until))
        self._writes.add(task)
        task.add_done_callback(self._forget)
        return await asyncio.shield(task)

    async def _write(
        self, statement: LiteralString, values: Mapping[str, Any], until: float
    ) -> Sequence[Row]:
        scope, identity = values.get("scope"), values.get("identity")
        tenant = (scope, identity) if isinstance(scope, str) and isinstance(identity, str) else None
        while True:
            await self._shares.take(tenant, until)
            try:
                return await self.run(statement, values, until=until)
            except RowLocked as error:
                # The server gave up early, so that others get the connection. Try again while
                # there is time; a statement of several tenants is divided instead.
                if tenant is None:
                    raise
                if not self._has_time_for_lock(until):
                    raise StoreUnavailable(error.reason) from None
            finally:
                self._shares.give_back(tenant)

    def _has_time_for_lock(self, until: float) -> bool:
        wait = self._address.lock_timeout.total_seconds()
        return asyncio.get_running_loop().time() + wait < until

    async def listen(self, channel: LiteralString, wake: Callable[[], None]) -> None:
        """Calls `wake` for each notification. Runs until cancelled.

        Uses a connection of its own. A pooler in transaction mode passes no notifications on, so
        behind one this waits for ever.

        Raises:
            StoreUnavailable: connecting failed, or the connection broke.
        """
        if self._address.pooling == "transaction":
            _ = await asyncio.get_running_loop().create_future()
        loop = asyncio.get_running_loop()
        async with connected(self._address, hosts=self._hosts, lasting=_LISTEN) as connection:
            _ = await connection.execute(f"LISTEN {channel}")
            wake()  # for notifications sent before LISTEN
            while True:
                async for _ in connection.notifies(timeout=_PROBE_SECONDS):
                    wake()
                # A server that is frozen, or that lost its network, sends nothing either.
                watch = loop.call_at(self.until(), shut_down, connection)
                try:
                    _ = await connection.execute(f"LISTEN {channel}")  # changes nothing
                finally:
                    watch.cancel()

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[ServerConnection, None]:
        """A transaction without a time limit; only COMMIT or ROLLBACK has the deadline of a call.

        Raises:
            StoreUnavailable: no connection is free within the deadline.
        """
        loop = asyncio.get_running_loop()
        async with self._transactions:
            until, pool = self.until(), self._opened()
            await self._shares.take(None, until)
            try:
                try:
                    connection = await pool.take(until)
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
                except psycopg.Error as error:
                    if is_outdated(error):
                        await connection.close()
                    raise
                finally:
                    if watch is not None:
                        watch.cancel()
                    await pool.put_back(connection)
            finally:
                self._shares.give_back(None)

    def _opened(self) -> Pool:
        if self._pool is None:
            raise StoreUnavailable(_NOT_OPEN)
        return self._pool

    def _forget(self, task: asyncio.Task[Sequence[Row]]) -> None:
        self._writes.discard(task)
        if not task.cancelled():
            _ = task.exception()  # else asyncio logs an exception that no caller waits for
