"""Bytes after a response: never taken for the response to the next request."""

from __future__ import annotations

import asyncio
import logging
import ssl

import httpx
import pytest
import trustme

from igniter_connectors import HttpRequest
from igniter_connectors.adapters.httpx_client import HttpxClient

HI = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
EVIL = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"


class Server:
    """Says the next of its answers to each request, and counts its connections."""

    def __init__(self, *answers: tuple[bytes, ...]) -> None:
        self.answers = list(answers)
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                for part in self.answers.pop(0) if self.answers else (HI,):
                    # TLS makes a record of each write, and TCP sends them in one packet.
                    writer.write(part)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def bodies(server: Server, *methods: str, tls: bool) -> list[bytes]:
    """The bodies of requests that one client sends, one after the other."""
    authority = trustme.CA()
    context, trusting = (
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH),
        ssl.create_default_context(),
    )
    authority.issue_cert("localhost").configure_cert(context)
    authority.configure_trust(trusting)
    listening = await asyncio.start_server(
        server.serve, "localhost", 0, ssl=context if tls else None, family=2
    )
    port = listening.sockets[0].getsockname()[1]
    transport = httpx.AsyncHTTPTransport(verify=trusting, trust_env=False) if tls else None
    http = HttpxClient(transport, logger=logging.getLogger("tests.http"))
    url = f"{'https' if tls else 'http'}://localhost:{port}/"
    answers = [(await http.send(HttpRequest(method, url))).unwrap().body for method in methods]
    await http.close()
    listening.close()
    return answers


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("GET", (HI + EVIL,)),
        ("GET", (HI, EVIL)),
        ("GET", (HI, EVIL[:9])),
        (
            "GET",
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n" + EVIL,),
        ),
        ("HEAD", (b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n" + EVIL,)),
        ("GET", (b"HTTP/1.1 204 No Content\r\n\r\n" + EVIL,)),
        ("GET", (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 40\r\n\r\n", EVIL)),
        ("GET", (b"HTTP/1.1 103 Early Hints\r\n\r\n" + HI + EVIL,)),
        ("GET", (HI, b"HTTP/1.1 100 Continue\r\n\r\n")),
    ],
)
async def test_a_second_answer_is_for_nobody(
    method: str, answer: tuple[bytes, ...], tls: bool
) -> None:
    """The connection that has it is closed, and the next request gets an answer of its own."""
    server = Server(answer)
    _, *later = await bodies(server, method, "GET", "GET", tls=tls)
    assert later == [b"hi", b"hi"]
    assert server.connections == 2


@pytest.mark.parametrize("tls", [False, True])
async def test_a_connection_without_unread_bytes_is_used_again(tls: bool) -> None:
    """The look costs no connection."""
    server = Server()
    assert await bodies(server, *["GET"] * 5, tls=tls) == [b"hi"] * 5
    assert server.connections == 1
