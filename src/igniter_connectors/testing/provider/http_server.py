"""A minimal HTTP/1.1 server on loopback, whose responses can fail on purpose.

Ordinary servers always respond, if only with a 500. This one can reset the connection
instead, and its handlers see when a client disconnects.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

_MAX_BODY_BYTES = 1024 * 1024

_INVALID_REQUEST = (
    OSError,
    ValueError,
    asyncio.IncompleteReadError,
    asyncio.LimitOverrunError,
)
"""The client disconnected or sent something that is not HTTP. The connection is closed."""


@dataclass(frozen=True)
class Request:
    """A received request. `disconnected` completes when its client closes the connection."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    disconnected: asyncio.Future[None]

    def form(self) -> dict[str, str]:
        """The fields of a form body. Of a repeated field, the first value."""
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}


@dataclass(frozen=True)
class Response:
    """A response. With `is_dropped`, the server resets the connection and sends nothing."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_dropped: bool = False

    def __bytes__(self) -> bytes:
        reason = HTTPStatus(self.status).phrase
        headers = {**self.headers, "content-length": str(len(self.body))}
        lines = [f"HTTP/1.1 {self.status} {reason}", *(f"{k}: {v}" for k, v in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.body


Handler = Callable[[Request], Awaitable[Response]]


@asynccontextmanager
async def serve(handler: Handler) -> AsyncGenerator[str, None]:
    """Serves on a free port of 127.0.0.1 while the block runs, and yields the origin.

    Requests that are still being handled at the end of the block are cancelled.
    """
    connections: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(_serve_connection(handler, reader, writer))
        connections.add(task)
        task.add_done_callback(connections.discard)

    # A long backlog, so that hundreds of clients can connect at the same time.
    server = await asyncio.start_server(accept, "127.0.0.1", 0, backlog=1024)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in list(connections):
            _ = task.cancel()
        _ = await asyncio.gather(*connections, return_exceptions=True)


async def _serve_connection(
    handler: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    loop = asyncio.get_running_loop()
    try:
        with suppress(*_INVALID_REQUEST):
            while True:
                disconnected: asyncio.Future[None] = loop.create_future()
                request = await _read_request(reader, disconnected)
                if request is None:
                    return
                watcher = asyncio.create_task(_watch(reader, disconnected))
                try:
                    response = await handler(request)
                finally:
                    _ = watcher.cancel()
                    # Only one task may read from a stream: the watcher has to end first.
                    _ = await asyncio.wait({watcher})
                if response.is_dropped:
                    return
                writer.write(bytes(response))
                await writer.drain()
    finally:
        # Abort instead of close: a client that still waits sees the reset at once.
        writer.transport.abort()


async def _watch(reader: asyncio.StreamReader, disconnected: asyncio.Future[None]) -> None:
    # Clients do not pipeline requests, so the next read can only return at end of file.
    with suppress(OSError):
        _ = await reader.read(1)
    if not disconnected.done():
        disconnected.set_result(None)


async def _read_request(
    reader: asyncio.StreamReader, disconnected: asyncio.Future[None]
) -> Request | None:
    """The next request; None if its body is too large."""
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines)
    }
    length = int(headers.get("content-length", "0"))
    if length > _MAX_BODY_BYTES:
        return None
    body = await reader.readexactly(length)
    parts = urlsplit(target)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    return Request(method, parts.path, query, headers, body, disconnected)
