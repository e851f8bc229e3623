"""A pool of links to one PostgreSQL, and single statements that end in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final, LiteralString, final

from psycopg_pool import AsyncConnectionPool

from igniter_connectors.adapters.postgres.connection import (
    Address,
    Link,
    Row,
    connected,
    hang_up,
    has_hung_up,
)
from igniter_connectors.adapters.postgres.errors import TRANSIENT_ERRORS, UNANSWERED, unavailable
from igniter_connectors.adapters.postgres.schema import require_current
from igniter_connectors.ports import StoreUnavailable

# A worker of the pool may be waiting for a connection that does not come.
_CLOSE_SECONDS: Final = 3.0

_LISTEN: Final = timedelta(days=1)


@final
class Database:
    """Runs single statements, each its own transaction, within the deadline.

    The deadline counts from the call, and holds the wait for a free link, the statement and
    its answer, whether the server is down, stopped, or behind a cut cable. A link that was
    cut is thrown away; the pool makes others as they are asked for, so nothing has to be
    restarted when the server is back.
    """

    def __init__(self, address: Address, *, min_size: int, max_size: int) -> None:
        self._address = address
        self._min_size = min_size
        self._max_size = max_size
        self._pool: AsyncConnectionPool[Link] | None = None
        self._writes: set[asyncio.Task[Sequence[Row]]] = set()
        # The other half is for everybody else: what is received has to be recorded in time.
        self._transactions = asyncio.Semaphore(max(1, max_size // 2))

    def until(self) -> float:
        """The loop's time at which a call that begins now is over."""
        return asyncio.get_running_loop().time() + self._address.deadline.total_seconds()

    async def open(self) -> None:
        """Connects, and reads the schema's version.

        Raises:
            StoreUnavailable: the server does not answer, or its schema is not the one that
                this version reads; the reason says what to do.
        """
        # On a link apart from the pool, which tells nobody why it cannot connect.
        async with connected(self._address) as link:
            await require_current(link)
        pool = AsyncConnectionPool(
            self._address.url,
            connection_class=Link,
            kwargs=self._address.arguments(),
            min_size=self._min_size,
            max_size=self._max_size,
            open=False,
            # After this the pool stops trying by itself, and each call tries anew. The default
            # doubles its pauses for 5 minutes, and calls would wait for the end of a pause.
            reconnect_timeout=self._address.deadline.total_seconds(),
        )
        await pool.open()
        self._pool = pool

    async def close(self) -> None:
        """Waits for writes under way, and closes every link."""
        if self._writes:
            _ = await asyncio.wait(self._writes)
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close(timeout=_CLOSE_SECONDS)

    async def run(
        self, statement: LiteralString, values: Sequence[Any], *, until: float
    ) -> Sequence[Row]:
        """The rows of a statement. A caller that is cancelled takes it with it."""
        loop = asyncio.get_running_loop()
        pool = self._pool
        if pool is None:
            raise StoreUnavailable("the store is not open: use `async with connectors:`")
        try:
            link = await _take(pool, until)
            # `pool.connection()` would commit, which takes a lock and finds nothing to do.
            try:
                watch = loop.call_at(until, hang_up, link)
                try:
                    cursor = await link.execute(statement, values, binary=True)
                    return await cursor.fetchall()
                finally:
                    watch.cancel()
            finally:
                await pool.putconn(link)
        except TRANSIENT_ERRORS as error:
            if loop.time() >= until:
                raise StoreUnavailable(UNANSWERED) from None
            raise unavailable(error) from None

    async def write(
        self, statement: LiteralString, values: Sequence[Any] = (), *, until: float | None = None
    ) -> Sequence[Row]:
        """Changes something; the rows of its RETURNING. None: until the deadline from now.

        The statement belongs to a task of its own: a caller that is cancelled goes at once,
        and leaves its statement whole.
        """
        end = self.until() if until is None else until
        task = asyncio.create_task(self.run(statement, values, until=end))
        self._writes.add(task)
        task.add_done_callback(self._forget)
        return await asyncio.shield(task)

    async def listen(self, channel: LiteralString, wake: Callable[[], None]) -> None:
        """Calls `wake` for each notification, until it is cancelled.

        On a link of its own. Behind a pooler in transaction mode there is none to be had, and
        it waits for ever.

        Raises:
            StoreUnavailable: the link could not be made, or broke.
        """
        if self._address.pooling == "transaction":
            _ = await asyncio.get_running_loop().create_future()
        async with connected(self._address, lasting=_LISTEN) as link:
            _ = await link.execute(f"LISTEN {channel}")
            wake()  # for what was told while nobody listened
            async for _ in link.notifies():
                wake()

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Link, None]:
        """A transaction for as long as its user takes. Its end has the deadline of a call.

        Raises:
            StoreUnavailable: there is no link in time.
        """
        loop = asyncio.get_running_loop()
        async with self._transactions:
            pool = self._pool
            if pool is None:
                raise StoreUnavailable("the store is not open: use `async with connectors:`")
            try:
                link = await _take(pool, self.until())
            except TRANSIENT_ERRORS as error:
                raise unavailable(error) from None
            watch: asyncio.TimerHandle | None = None
            try:
                async with link.transaction():
                    try:
                        yield link
                    finally:
                        # COMMIT or ROLLBACK, on a server that may have stopped meanwhile.
                        watch = loop.call_at(self.until(), hang_up, link)
            finally:
                if watch is not None:
                    watch.cancel()
                await pool.putconn(link)

    def _forget(self, task: asyncio.Task[Sequence[Row]]) -> None:
        self._writes.discard(task)
        if not task.cancelled():
            _ = task.exception()  # looked at, whether or not somebody is left to be told


async def _take(pool: AsyncConnectionPool[Link], until: float) -> Link:
    loop = asyncio.get_running_loop()
    while True:
        link = await pool.getconn(timeout=until - loop.time())
        if not has_hung_up(link):
            return link
        # The server was restarted while the link lay idle; so others may be gone too. The
        # pool's own `check` would ask the server each time, and wait a second in between.
        await link.close()
        await pool.putconn(link)
