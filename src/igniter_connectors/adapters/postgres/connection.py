"""One link to the server: how it is made, judged and cut."""

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
"""As psycopg gives it: the type of each value is its column's."""

Pooling: TypeAlias = Literal["session", "transaction"]
"""What stands between: nothing, or a pooler that keeps a session for each client; or one that
gives each transaction another server connection, as pgbouncer in its transaction mode."""

# psycopg asks a server to cancel when a caller is cancelled, and waits for the answer. A
# stopped server gives none, and 5 s, psycopg's own limit, are too many.
_CANCEL_SECONDS: Final = 0.25

# The shortest that libpq and psycopg know; calls do not wait as long (see `Database`).
_CONNECT_SECONDS: Final = 2


class Link(psycopg.AsyncConnection[Row]):
    """A connection whose callers can be cancelled in a quarter of a second."""

    async def cancel_safe(self, *, timeout: float = _CANCEL_SECONDS) -> None:  # noqa: ASYNC109  # psycopg's
        """Asks the server to stop what runs here."""
        await super().cancel_safe(timeout=min(timeout, _CANCEL_SECONDS))


class Address(msgspec.Struct, frozen=True):
    """Where the database is, and how it may be spoken to. The URL may hold a password."""

    url: str
    pooling: Pooling
    deadline: timedelta

    def __repr__(self) -> str:
        return "Address(…)"

    def arguments(self) -> dict[str, Any]:
        """What every connection has in common: psycopg's keyword arguments beside the URL.

        Autocommit, because a transaction around one statement doubles its time. Prepared
        at first use, except where the next statement meets another server connection.

        Raises:
            StoreUnavailable: the URL cannot be read.
        """
        arguments: dict[str, Any] = {
            "autocommit": True,
            "prepare_threshold": 0 if self.pooling == "session" else None,
            "connect_timeout": _CONNECT_SECONDS,
            "client_encoding": "utf8",
        }
        try:
            given = conninfo_to_dict(self.url)
        except psycopg.Error:  # its text quotes the URL
            raise StoreUnavailable("PostgreSQL: the database's URL cannot be read") from None
        if self.pooling == "session":
            # The server gives up what its client has given up, for instance a statement that
            # waits for a row's lock. Poolers refuse the parameter.
            limit = f"-c statement_timeout={self.deadline // timedelta(milliseconds=1)}"
            arguments["options"] = f"{limit} {given.get('options') or ''}".strip()
        return arguments


@asynccontextmanager
async def connected(
    address: Address, *, lasting: timedelta | None = None
) -> AsyncGenerator[Link, None]:
    """A link of its own, apart from any pool, cut when its time is over.

    Args:
        address: Its deadline is that of connecting, and of the whole unless told otherwise.
        lasting: How long the whole may last.

    Raises:
        StoreUnavailable: connecting, or a statement inside the block, failed.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    end = began + (lasting or address.deadline).total_seconds()
    try:
        async with asyncio.timeout_at(began + address.deadline.total_seconds()):
            link = await Link.connect(address.url, **address.arguments())
    except TimeoutError:
        raise StoreUnavailable(UNANSWERED) from None
    except TRANSIENT_ERRORS as error:
        raise unavailable(error) from None
    watch = loop.call_at(end, hang_up, link)
    try:
        yield link
    except TRANSIENT_ERRORS as error:
        raise (StoreUnavailable(UNANSWERED) if loop.time() >= end else unavailable(error)) from None
    finally:
        watch.cancel()
        await link.close()


def hang_up(link: Link) -> None:
    """Cuts a link from below, whatever waits on it: its statement fails at once.

    Cancelling the task that waits would not do: psycopg then asks a stopped server to
    cancel, and waits for that too (11 s in all were measured).
    """
    with (
        suppress(psycopg.Error, OSError),  # closed already
        socket.socket(fileno=os.dup(link.fileno())) as channel,
    ):
        channel.shutdown(socket.SHUT_RDWR)


def has_hung_up(link: Link) -> bool:
    """Whether an idle link's server is known to be gone. Asks the kernel, not the server: 2 µs."""
    try:
        # The first may read the server's last words, the second then meets the end.
        link.pgconn.consume_input()
        link.pgconn.consume_input()
    except psycopg.Error:
        return True
    return False
