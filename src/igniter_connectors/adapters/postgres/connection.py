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
from psycopg.conninfo import conninfo_to_dict

from igniter_connectors.adapters.postgres.errors import TRANSIENT_ERRORS, UNANSWERED, unavailable
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

# The shortest time-out of libpq and psycopg. Calls do not wait that long: see `Database`.
_CONNECT_SECONDS: Final = 2


class ServerConnection(psycopg.AsyncConnection[Row]):
    """A connection whose callers can be cancelled within a quarter of a second."""

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

    def arguments(self) -> dict[str, Any]:
        """psycopg's keyword arguments for every connection, besides the URL.

        Autocommit, because a transaction around one statement doubles its time. Statements are
        prepared at first use, unless the next one may run on another server connection.

        Raises:
            StoreUnavailable: the URL cannot be parsed.
        """
        arguments: dict[str, Any] = {
            "autocommit": True,
            "prepare_threshold": 0 if self.pooling == "session" else None,
            "connect_timeout": _CONNECT_SECONDS,
            "client_encoding": "utf8",
        }
        try:
            given = conninfo_to_dict(self.url)
        except psycopg.Error:  # its message quotes the URL
            raise StoreUnavailable("PostgreSQL: the database's URL cannot be read") from None
        if self.pooling == "session":
            # The server cancels a statement when its client no longer waits, for example one
            # that waits for a row's lock. Poolers refuse the parameter.
            limit = f"-c statement_timeout={self.deadline // timedelta(milliseconds=1)}"
            arguments["options"] = f"{limit} {given.get('options') or ''}".strip()
        return arguments


@asynccontextmanager
async def connected(
    address: Address, *, lasting: timedelta | None = None
) -> AsyncGenerator[ServerConnection, None]:
    """A connection outside any pool, which is shut down when its time is over.

    Args:
        address: Its deadline limits connecting, and the whole block without `lasting`.
        lasting: How long the whole block may last.

    Raises:
        StoreUnavailable: connecting failed, or a statement inside the block.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    end = began + (lasting or address.deadline).total_seconds()
    try:
        async with asyncio.timeout_at(began + address.deadline.total_seconds()):
            connection = await ServerConnection.connect(address.url, **address.arguments())
    except TimeoutError:
        raise StoreUnavailable(UNANSWERED) from None
    except TRANSIENT_ERRORS as error:
        raise unavailable(error) from None
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
