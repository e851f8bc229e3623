"""HTTP/1.1 on loopback, as little as a provider needs, with answers that may fail to come.

A server made for applications answers always, 500 if need be; this one can break a connection
instead, and knows when the client has gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

_LARGEST_BODY = 1024 * 1024

_NO_REQUEST = (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)
"""The client is gone, or what it says is no HTTP of ours: the connection is closed."""


@dataclass(frozen=True)
class Asked:
    """A request, and a future that is done when its client has gone away."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    gone: asyncio.Future[None]

    def form(self) -> dict[str, str]:
        """The body as a form; of a repeated name, the first."""
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}


@dataclass(frozen=True)
class Answer:
    """An answer. `is_dropped`: the connection is reset, and nothing of it is sent."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_dropped: bool = False

    def __bytes__(self) -> bytes:
        reason = HTTPStatus(self.status).phrase
        headers = {**self.headers, "content-length": str(len(self.body))}
        lines = [f"HTTP/1.1 {self.status} {reason}", *(f"{k}: {v}" for k, v in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.body


Answering = Callable[[Asked], Awaitable[Answer]]


@asynccontextmanager
async def serving(answering: Answering) -> AsyncGenerator[str, None]:
    """Serves on a free port of 127.0.0.1 for as long as the block runs; gives the origin.

    At the end of the block whatever is still being answered is given up.
    """
    conversations: set[asyncio.Task[None]] = set()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(_converse(answering, reader, writer))
        conversations.add(task)
        task.add_done_callback(conversations.discard)

    # Accepting a storm of connections must not depend on how fast they are accepted.
    server = await asyncio.start_server(begin, "127.0.0.1", 0, backlog=1024)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in list(conversations):
            _ = task.cancel()
        _ = await asyncio.gather(*conversations, return_exceptions=True)


async def _converse(
    answering: Answering, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    loop = asyncio.get_running_loop()
    try:
        with suppress(*_NO_REQUEST):
            while True:
                gone: asyncio.Future[None] = loop.create_future()
                asked = await _read(reader, gone)
                if asked is None:
                    return
                watching = asyncio.create_task(_watch(reader, gone))
                try:
                    answer = await answering(asked)
                finally:
                    _ = watching.cancel()
                    # Two may not wait for one stream, so that it has to be gone first.
                    _ = await asyncio.wait({watching})
                if answer.is_dropped:
                    return
                writer.write(bytes(answer))
                await writer.drain()
    finally:
        # A reset, not a polite end: whoever still waits learns at once.
        writer.transport.abort()


async def _watch(reader: asyncio.StreamReader, gone: asyncio.Future[None]) -> None:
    # Clients do not send a second request before the first is answered, so that nothing
    # but the end can come.
    with suppress(OSError):
        _ = await reader.read(1)
    if not gone.done():
        gone.set_result(None)


async def _read(reader: asyncio.StreamReader, gone: asyncio.Future[None]) -> Asked | None:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines)
    }
    length = int(headers.get("content-length", "0"))
    if length > _LARGEST_BODY:
        return None
    body = await reader.readexactly(length)
    parts = urlsplit(target)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    return Asked(method, parts.path, query, headers, body, gone)
