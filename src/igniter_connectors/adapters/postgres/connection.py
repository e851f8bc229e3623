"""One connection to the server: opening it, testing it, and shutting it down."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, Final, Literal, TypeAlias

import msgspec
import psycopg

from igniter_connectors.adapters.postgres.errors import TRANSIENT_ERRORS, UNANSWERED, unavailable
from igniter_connectors.adapters.postgres.hosts import Hosts
from igniter_connectors.ports import StoreUnavailable

Row: TypeAlias = tuple[Any, ...]
"""As psycopg returns it: the type of each value is its column's."""

Pooling: TypeAlias = Literal["session", "transaction"]
"""How a pooler in front of the server works, if there is one. "session": each client keeps one
server connection, as without a pooler. "transaction": each transaction may get another server
connection, as with pgbouncer in its transaction mode."""

# When a caller is cancelled, psycopg sends the server a cancel request and waits for the answer.
# A stopped server sends none, and psycopg's own limit of 5 s is too long.
_CANCEL_SECONDS: Final = 0.25


class ServerConnection(psycopg.AsyncConnection[Row]):
    """A connection whose callers can be cancelled within a quarter of a second.

    Attributes:
        answered_at: The event loop's time of the server's last answer.
    """

    answered_at: float = 0.0

    async def cancel_safe(self, *, timeout: float = _CANCEL_SECONDS) -> None:  # noqa: ASYNC109  # psycopg's
        """Asks the server to cancel the running statement."""
        await super().cancel_safe(timeout=min(timeout, _CANCEL_SECONDS))


class Address(msgspec.Struct, frozen=True):
    """The address of the database, and how to talk to it. The URL may contain a password."""

    url: str
    pooling: Pooling
    deadline: timedelta

    def __repr__(self) -> str:
        return "Address(…)"

    @property
    def lock_timeout(self) -> timedelta:
        """How long a statement waits for a lock at once: a quarter of the deadline."""
        return max(self.deadline / 4, timedelta(milliseconds=1))

    @property
    def statement_timeout(self) -> timedelta:
        """When the server ends a statement: a little before the deadline of its call.

        So a statement that is not answered within the deadline means that the server is silent.
        """
        return max(self.deadline * 0.9, timedelta(milliseconds=1))

    def hosts(self) -> Hosts:
        """The hosts of the URL.

        Raises:
            StoreUnavailable: the URL cannot be parsed.
        """
        return Hosts(self.url, asyncio.get_running_loop().time)

    def arguments(self, hosts: Hosts) -> dict[str, Any]:
        """psycopg's keyword arguments for every connection, besides the URL.

        Autocommit, because a transaction around one statement doubles its time. Statements are
        prepared at first use, unless the next one may run on another server connection.
        """
        arguments: dict[str, Any] = {
            "autocommit": True,
            "prepare_threshold": 0 if self.pooling == "session" else None,
            "connect_timeout": hosts.connect_seconds,
            "client_encoding": "utf8",
        }
        if self.pooling == "session":
            # The server cancels a statement when its client no longer waits. One that waits for a
            # lock is cancelled earlier, since it holds its connection. Poolers refuse both.
            limits = (
                f"-c statement_timeout={_milliseconds(self.statement_timeout)}"
                f" -c lock_timeout={_milliseconds(self.lock_timeout)}"
            )
            arguments["options"] = f"{limits} {hosts.options}".strip()
        return arguments


def _milliseconds(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)


@asynccontextmanager
async def connected(
    address: Address, *, hosts: Hosts | None = None, lasting: timedelta | None = None
) -> AsyncGenerator[ServerConnection, None]:
    """A connection outside any pool, which is shut down when its time is over.

    Args:
        address: Its deadline limits the block without `lasting`. Connecting has a time of its own:
            that of each host.
        hosts: The order in which hosts are tried, and what is learned about it.
        lasting: How long the block may last.

    Raises:
        StoreUnavailable: connecting failed, or a statement inside the block.
    """
    hosts = hosts or address.hosts()
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(hosts.all_seconds):
            connection = await ServerConnection.connect(hosts.url(), **address.arguments(hosts))
    except TimeoutError:
        raise StoreUnavailable(UNANSWERED) from None
    except TRANSIENT_ERRORS as error:
        raise unavailable(error) from None
    hosts.answered(connection)
    end = loop.time() + (lasting or address.deadline).total_seconds()
    watch = loop.call_at(end, shut_down, connection)
    try:
        yield connection
    except TRANSIENT_ERRORS as error:
        raise (StoreUnavailable(UNANSWERED) if loop.time() >= end else unavailable(error)) from None
    finally:
        watch.cancel()
        await connection.close()


def shut_down(connection: ServerConnection) -> None:
    """Shuts the socket down, so that a waiting statement fails at once.

    Cancelling the waiting task is not enough: psycopg then asks a stopped server to cancel, and
    waits for that too (11 s in all were measured).
    """
    with (
        suppress(psycopg.Error, OSError),  # closed already
        socket.socket(fileno=os.dup(connection.fileno())) as channel,
    ):
        channel.shutdown(socket.SHUT_RDWR)


def is_closed_by_server(connection: ServerConnection) -> bool:
    """Whether the server has closed an idle connection. Asks the kernel, not the server: 2 µs."""
    try:
        # The first call may read the server's last message; the second then reads the end.
        connection.pgconn.consume_input()
        connection.pgconn.consume_input()
    except psycopg.Error:
        return True
    return False
