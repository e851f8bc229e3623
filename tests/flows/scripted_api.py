"""An API on loopback, over real HTTP, that answers as a test says and keeps what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from igniter_connectors import HttpRequest, HttpResponse


@dataclass
class Api:
    """What was asked, in order, and what the next request is answered; None never answers."""

    answer: Callable[[HttpRequest], HttpResponse | None]
    url: str = ""
    requests: list[HttpRequest] = field(default_factory=list)

    @property
    def authorizations(self) -> list[str | None]:
        """The `Authorization` of each request."""
        return [request.header("authorization") for request in self.requests]


@asynccontextmanager
async def running_api(
    answer: Callable[[HttpRequest], HttpResponse | None],
) -> AsyncGenerator[Api, None]:
    """The API on a free port, for as long as the block runs."""
    api = Api(answer)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            method, path, _ = head[0].split(" ")
            pairs = (line.partition(": ") for line in head[1:] if line)
            headers = tuple((name, value) for name, _, value in pairs)
            request = HttpRequest(method, path, headers)
            body = await reader.readexactly(int(request.header("content-length") or 0))
            request = HttpRequest(method, path, headers, body)
            api.requests.append(request)
            answer = api.answer(request)
            if answer is None:
                await reader.read()
                return
            lines = [f"HTTP/1.1 {answer.status} Said", f"Content-Length: {len(answer.body)}"]
            lines += [f"{name}: {value}" for name, value in answer.headers]
            lines += ["Connection: close", "", ""]
            writer.write("\r\n".join(lines).encode() + answer.body)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    api.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield api
    finally:
        server.close()
