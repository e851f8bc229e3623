"""The pool of connections: which of them a call gets, and what a failed statement says of them."""

from __future__ import annotations

import asyncio
from typing import Final, final

import psycopg
from psycopg_pool import AsyncConnectionPool

from igniter_connectors.adapters.postgres.connection import (
    Address,
    ServerConnection,
    is_closed_by_server,
)
from igniter_connectors.adapters.postgres.errors import is_outdated
from igniter_connectors.adapters.postgres.hosts import Hosts

# A worker of the pool may be waiting for a connection that never comes.
_CLOSE_SECONDS: Final = 3.0

_READ_ONLY: Final = "25006"


@final
class Pool:
    """Connections to the server, of which each call takes one.

    A connection is dropped when it turns out to be closed, to lead to a read-only server, or to
    have prepared a statement that no longer fits. The pool opens new ones on demand.
    """

    def __init__(self, address: Address, hosts: Hosts, *, min_size: int, max_size: int) -> None:
        self._statement_timeout = address.statement_timeout.total_seconds()
        self._hosts = hosts
        # No answer came to what was sent at this time of the event loop.
        self._silent_since = 0.0
        self._pool = AsyncConnectionPool(
            hosts.url,
            connection_class=ServerConnection,
            kwargs=address.arguments(hosts),
            configure=self._connected,
            min_size=min_size,
            max_size=max_size,
            open=False,
            # After this time the pool stops reconnecting, and each call tries again. By default
            # the pool backs off for up to 5 minutes, and calls would wait for that.
            reconnect_timeout=address.deadline.total_seconds(),
        )

    async def open(self) -> None:
        """Begins to connect."""
        await self._pool.open()

    async def close(self) -> None:
        """Closes every connection."""
        await self._pool.close(timeout=_CLOSE_SECONDS)

    async def take(self, until: float) -> ServerConnection:
        """A connection whose server is not known to be away. `put_back` must follow.

        Args:
            until: The event loop's time at which the wait ends.

        Raises:
            psycopg_pool.PoolTimeout: none was free in time.
        """
        loop = asyncio.get_running_loop()
        while True:
            connection = await self._pool.getconn(timeout=until - loop.time())
            if connection.answered_at >= self._silent_since and not is_closed_by_server(connection):
                return connection
            # The server was restarted while the connection was idle, so others may be closed too.
            # The pool's own `check` would ask the server each time, and wait a second in between.
            await connection.close()
            await self._pool.putconn(connection)

    async def put_back(self, connection: ServerConnection) -> None:
        """Ends what `take` began. A closed connection is replaced."""
        await self._pool.putconn(connection)

    async def judge_failure(
        self, connection: ServerConnection, error: psycopg.Error, began: float, until: float
    ) -> None:
        """Decides what a failed statement means for its connection, and for the others.

        Args:
            connection: Its connection.
            error: Why it failed.
            began: The event loop's time at which it was sent.
            until: When the wait for its answer was to end.
        """
        now = asyncio.get_running_loop().time()
        if is_outdated(error) or error.sqlstate == _READ_ONLY:
            # Another connection may not have prepared it, or may lead to the new primary.
            await connection.close()
        elif now >= until and now - began > self._statement_timeout:
            # A server that runs would have ended the statement before. What was idle since then
            # leads to the same server: it is not tried, which would take a deadline each.
            self._silent_since = max(self._silent_since, began)

    async def _connected(self, connection: ServerConnection) -> None:
        connection.answered_at = asyncio.get_running_loop().time()
        self._hosts.answered(connection)
