"""A TCP proxy in front of PostgreSQL that cuts links right after the server's answer.

What a client sent was executed and committed, and its answer never arrives.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

_READY = b"Z"
_HEADER_BYTES = 5


class CuttingProxy:
    """Passes everything on, except the answers that it was told to keep.

    The protocol's messages have a type of one byte and a length of four. The server ends each
    answer with ReadyForQuery, so answers are counted by it.
    """

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._links: set[asyncio.StreamWriter] = set()
        self._left = 0
        self._every = 0
        self._seen = 0
        self._stays_down = False
        self._is_down = False
        self.cuts = 0
        self.port = 0

    def url(self, database: str) -> str:
        """The address of a database behind this proxy."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}?sslmode=disable"

    def cut(self, answer: int, *, stays_down: bool = False) -> None:
        """Cuts the link instead of the n-th answer from now on; then all of them, until `mend`."""
        self._left, self._stays_down, self.cuts = answer, stays_down, 0

    def cut_every(self, answers: int) -> None:
        """Cuts the link instead of each n-th answer; 0: none."""
        self._every, self._seen = answers, 0

    def mend(self) -> None:
        """Passes everything on again."""
        self._left, self._every, self._is_down = 0, 0, False

    def _is_cut(self) -> bool:
        if self._left:
            self._left -= 1
            if not self._left:
                self._is_down = self._stays_down
                self.cuts += 1
                return True
        if self._every:
            self._seen += 1
            if self._seen % self._every == 0:
                self.cuts += 1
                return True
        return self._is_down

    async def _serve(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        if self._is_down:
            client.transport.abort()
            return
        answers, server = await asyncio.open_unix_connection(self._socket)
        self._links |= {client, server}
        asking = asyncio.create_task(_pass_on(reader, server))
        try:
            await self._answer(answers, client)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            # The server reads what the client sent before it sees the end.
            client.transport.abort()
            asking.cancel()
            with suppress(OSError, asyncio.CancelledError):
                await asking
            server.close()
            self._links -= {client, server}

    async def _answer(self, answers: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        """Passes the messages of the server on, each answer as a whole."""
        kept, has_begun = b"", False
        while True:
            header = await answers.readexactly(_HEADER_BYTES)
            size = int.from_bytes(header[1:], "big") - 4
            kept += header + await answers.readexactly(size)
            is_ready = header[:1] == _READY
            # While a link opens, the client answers the server's messages.
            if has_begun and is_ready and self._is_cut():
                return
            if is_ready or not has_begun or header[:1] in b"AN":
                client.write(kept)
                await client.drain()
                kept = b""
            has_begun = has_begun or is_ready

    async def close(self) -> None:
        """Ends all links."""
        for link in list(self._links):
            link.transport.abort()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()


def _socket_of(url: str) -> Path:
    from urllib.parse import parse_qs

    (folder,) = parse_qs(urlsplit(url).query)["host"]
    return Path(folder) / ".s.PGSQL.5432"


@asynccontextmanager
async def cutting_proxy(server_url: str) -> AsyncGenerator[CuttingProxy, None]:
    """A proxy in front of the server of this URL, on a free port of loopback."""
    proxy = CuttingProxy(_socket_of(server_url))
    listener = await asyncio.start_server(proxy._serve, "127.0.0.1", 0)
    proxy.port = listener.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        listener.close()
        await proxy.close()
