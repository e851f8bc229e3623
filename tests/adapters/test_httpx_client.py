"""The HTTP client against real sockets that misbehave."""

from __future__ import annotations

import asyncio
import gzip
import logging
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import pytest
import trustme
from returns.pipeline import is_successful
from returns.result import Failure

from igniter_connectors import HttpRequest
from igniter_connectors.adapters.httpx_client import HttpxClient, resolve
from igniter_connectors.core.http.messages import RESPONSE_LIMIT_BYTES
from igniter_connectors.typing import HttpFailed
from tests.sample import CANARY

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


@asynccontextmanager
async def serving(talk: Talk, tls: ssl.SSLContext | None = None) -> AsyncGenerator[int, None]:
    """The port of a server that talks in this way. At the end it closes every connection."""
    writers: list[asyncio.StreamWriter] = []
    talks: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        finally:
            writer.close()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        talks.append(asyncio.create_task(serve(reader, writer)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for _ in range(3):  # a connection may be accepted and not yet announced
            await asyncio.sleep(0)
        for writer in writers:
            writer.transport.abort()
        for running in talks:
            running.cancel()
        await asyncio.gather(*talks, asyncio.sleep(0), return_exceptions=True)


@asynccontextmanager
async def listening(talk: Talk) -> AsyncGenerator[str, None]:
    """The origin of a server that talks in this way."""
    async with serving(talk) as port:
        yield f"http://127.0.0.1:{port}"


@asynccontextmanager
async def client() -> AsyncGenerator[HttpxClient, None]:
    """A client that logs under a name of the test's."""
    made = HttpxClient(logger=logging.getLogger("tests.http"))
    try:
        yield made
    finally:
        await made.close()


def saying(answer: bytes) -> Talk:
    """Reads the head of a request and answers."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    return talk


async def test_an_answer_comes_back_whole() -> None:
    """Status, headers in lower case, body."""
    async with listening(saying(OK.replace(b"\r\n\r\n", b"\r\nX-One: 1\r\n\r\n"))) as origin:
        async with client() as http:
            answer = (await http.send(HttpRequest("GET", origin))).unwrap()
    assert (answer.status, answer.body) == (200, b"hi")
    assert ("x-one", "1") in answer.headers


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_and_is_not_followed(status: int) -> None:
    """A 307 would post the client's secret to wherever it points."""
    reached: list[bytes] = []

    async def trap(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.append(await reader.readuntil(b"\r\n\r\n"))

    async with listening(trap) as elsewhere:
        head = f"HTTP/1.1 {status} Moved\r\nLocation: {elsewhere}/\r\nContent-Length: 0\r\n\r\n"
        async with listening(saying(head.encode())) as origin, client() as http:
            request = HttpRequest("POST", origin, (), b"client_secret=" + CANARY.encode())
            answer = (await http.send(request)).unwrap()
    assert answer.status == status
    assert reached == []


async def test_nothing_was_sent_where_nobody_listens() -> None:
    """Connection refused, and an address that is not valid."""
    async with listening(saying(OK)) as origin:
        pass
    async with client() as http:
        for url in (origin, "nonsense", "ftp://127.0.0.1/x", "http://[::1"):
            assert await http.send(HttpRequest("GET", url)) == Failure(HttpFailed(sent=False))


@pytest.mark.parametrize(
    "answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi"]
)
async def test_what_was_sent_may_have_been_heard(answer: bytes) -> None:
    """A reset, an answer that is no HTTP, or one that breaks off."""
    async with listening(saying(answer)) as origin, client() as http:
        assert await http.send(HttpRequest("GET", origin)) == Failure(HttpFailed(sent=True))


async def test_the_deadline_counts_for_everything() -> None:
    """A server that sends a byte at a time does not reset it."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(1000):
            writer.write(b"x")
            await asyncio.sleep(0.02)

    async with listening(drip) as origin, client() as http:
        async with asyncio.timeout(3):
            answer = await http.send(
                HttpRequest("GET", origin), deadline=timedelta(milliseconds=200)
            )
    assert answer == Failure(HttpFailed(sent=True))


@pytest.mark.parametrize(
    ("length", "is_read"), [(RESPONSE_LIMIT_BYTES, True), (RESPONSE_LIMIT_BYTES + 1, False)]
)
async def test_a_body_is_read_up_to_the_cap(length: int, is_read: bool) -> None:
    """1 MiB is read, one byte more is not."""
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode()
    async with listening(saying(head + b"x" * length)) as origin, client() as http:
        answer = await http.send(HttpRequest("GET", origin))
    assert (answer != Failure(HttpFailed(sent=True, is_too_large=True))) == is_read


@pytest.mark.parametrize("limit", [0, 9, RESPONSE_LIMIT_BYTES * 2])
async def test_the_cap_is_the_senders_to_set(limit: int) -> None:
    """Lower or higher than 1 MiB: what fits is read, one byte more is not."""
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {limit}\r\n\r\n".encode()
    async with listening(saying(head + b"x" * limit)) as origin, client() as http:
        whole = await http.send(HttpRequest("GET", origin), limit_bytes=limit)
        assert len(whole.unwrap().body) == limit
        if limit:
            less = await http.send(HttpRequest("GET", origin), limit_bytes=limit - 1)
            assert less == Failure(HttpFailed(sent=True, is_too_large=True))


async def test_the_log_has_the_origin_alone(caplog: pytest.LogCaptureFixture) -> None:
    """Not the path, the query, the headers or the body, in success and failure, at DEBUG."""
    caplog.set_level(logging.DEBUG)
    cookie = f"HTTP/1.1 200 OK\r\nSet-Cookie: {CANARY}\r\nContent-Length: 2\r\n\r\nhi".encode()
    async with listening(saying(cookie)) as origin, client() as http:
        url = f"{origin}/bot{CANARY}/say?code={CANARY}"
        headers = (("Authorization", f"Bearer {CANARY}"),)
        assert (await http.send(HttpRequest("POST", url, headers, CANARY.encode()))).unwrap()
        assert f"POST {origin} answered 200" in caplog.text
    async with client() as http:
        await http.send(HttpRequest("POST", url, headers, CANARY.encode()))
    assert f"POST {origin} failed: ConnectError" in caplog.text
    assert CANARY not in caplog.text


async def test_closing_lets_what_was_sent_come_to_its_end() -> None:
    """And sends nothing more meanwhile; afterwards it opens anew."""

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.1)
        writer.write(OK)
        await writer.drain()

    async with listening(slow) as origin, client() as http:
        sent = asyncio.create_task(http.send(HttpRequest("GET", origin)))
        await asyncio.sleep(0.05)
        closing = asyncio.create_task(http.close())
        await asyncio.sleep(0)
        late = await http.send(HttpRequest("GET", origin))
        await closing
        assert (await sent).unwrap().status == 200
        assert late == Failure(HttpFailed(sent=False))
        assert (await http.send(HttpRequest("GET", origin))).unwrap().status == 200


# --- a host that a tenant named -----------------------------------------------------------------


class Names:
    """A resolver that knows what it is told, and counts what it is asked."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        if not self.addresses:
            raise OSError("no such name")
        return self.addresses


def tenants(url: str) -> HttpRequest:
    """A request to a host that a tenant named."""
    return HttpRequest("POST", url, (), b"secret", has_tenant_host=True)


def here_alone(address: str) -> bool:
    """Takes the address of the test's own server for a public one."""
    return address == "127.0.0.1"


def trusting(authority: trustme.CA) -> httpx.AsyncHTTPTransport:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return httpx.AsyncHTTPTransport(verify=context, trust_env=False)


@asynccontextmanager
async def listening_with_tls(
    talk: Talk, authority: trustme.CA, *names: str
) -> AsyncGenerator[tuple[int, list[str | None]], None]:
    """A server with a certificate; its port, and the names that browsers asked it for."""
    asked: list[str | None] = []
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*names).configure_cert(context)
    context.sni_callback = lambda _, name, __: asked.append(name)
    async with serving(talk, context) as port:
        yield port, asked


async def test_a_tenants_host_is_resolved_once_and_reached_at_that_address() -> None:
    """Certificate, SNI and `Host` are the name's; the socket goes to the checked address."""
    heads: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(OK)
        await writer.drain()

    authority = trustme.CA()
    names = Names("127.0.0.1")
    async with listening_with_tls(talk, authority, "gitlab.acme.example") as (port, sni):
        http = HttpxClient(
            trusting(authority),
            logger=logging.getLogger("tests.http"),
            resolve=names,
            is_allowed=here_alone,
        )
        for _ in range(2):
            answer = await http.send(tenants(f"https://gitlab.acme.example:{port}/token?x=1"))
            assert answer.unwrap().body == b"hi"
        await http.close()
    assert names.asked == [("gitlab.acme.example", port)] * 2
    # A connection each: one that is kept could serve another name at the same address.
    assert sni == ["gitlab.acme.example"] * 2
    for head in heads:
        assert head.startswith(b"POST /token?x=1 HTTP/1.1\r\n")
        assert f"Host: gitlab.acme.example:{port}\r\n".encode() in head
        assert b"Connection: close\r\n" in head


async def test_a_certificate_of_another_name_is_refused() -> None:
    """Whoever sits at the address has to prove the name."""
    authority = trustme.CA()
    async with listening_with_tls(saying(OK), authority, "other.example", "127.0.0.1") as (port, _):
        http = HttpxClient(
            trusting(authority),
            logger=logging.getLogger("tests.http"),
            resolve=Names("127.0.0.1"),
            is_allowed=here_alone,
        )
        answer = await http.send(tenants(f"https://gitlab.acme.example:{port}/"))
        await http.close()
    assert answer == Failure(HttpFailed(sent=False))


@pytest.mark.parametrize(
    "addresses",
    [
        (),
        ("127.0.0.1",),
        ("10.0.0.1",),
        ("169.254.169.254",),
        ("::1",),
        ("fe80::1%eth0",),
        ("8.8.8.8", "127.0.0.1"),
        ("127.0.0.1", "8.8.8.8"),
    ],
)
async def test_an_address_inside_is_not_connected_to(addresses: tuple[str, ...]) -> None:
    """Nor is any other of a name that has one; nothing is sent."""
    reached: list[bytes] = []

    async def trap(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.append(await reader.read(1))

    async with listening(trap) as origin:
        port = origin.rpartition(":")[2]
        http = HttpxClient(logger=logging.getLogger("tests.http"), resolve=Names(*addresses))
        answer = await http.send(tenants(f"https://gitlab.acme.example:{port}/"))
        await http.close()
    assert answer == Failure(HttpFailed(sent=False))
    assert reached == []


async def test_a_tenants_host_is_asked_over_tls_alone() -> None:
    """Plain http would send the tenant's secret to anybody on the way."""
    async with listening(saying(OK)) as origin:
        http = HttpxClient(
            logger=logging.getLogger("tests.http"),
            resolve=Names("127.0.0.1"),
            is_allowed=here_alone,
        )
        port = origin.rpartition(":")[2]
        answer = await http.send(tenants(f"http://gitlab.acme.example:{port}/"))
        await http.close()
    assert answer == Failure(HttpFailed(sent=False))


async def test_the_next_address_is_tried_where_nobody_listens() -> None:
    """As a browser would; what was refused got nothing."""
    authority = trustme.CA()
    async with listening_with_tls(saying(OK), authority, "gitlab.acme.example") as (port, _):
        http = HttpxClient(
            trusting(authority),
            logger=logging.getLogger("tests.http"),
            resolve=Names("127.0.0.2", "127.0.0.1"),
            is_allowed=lambda address: address.startswith("127."),
        )
        answer = await http.send(tenants(f"https://gitlab.acme.example:{port}/"))
        nowhere = await http.send(tenants("https://gitlab.acme.example:1/"))
        await http.close()
    assert answer.unwrap().status == 200
    assert nowhere == Failure(HttpFailed(sent=False))


async def test_a_slow_resolver_is_within_the_deadline() -> None:
    """It counts from before the name was asked for."""

    async def never(host: str, port: int) -> Sequence[str]:
        await asyncio.sleep(60)
        return ()

    http = HttpxClient(logger=logging.getLogger("tests.http"), resolve=never)
    async with asyncio.timeout(5):
        answer = await http.send(
            tenants("https://gitlab.acme.example/"), deadline=timedelta(milliseconds=50)
        )
    await http.close()
    assert not is_successful(answer)


async def test_the_real_resolver_finds_this_machine() -> None:
    """And an address that is written out is its own."""
    assert set(await resolve("localhost", 443)) & {"127.0.0.1", "::1"}
    assert list(await resolve("127.0.0.1", 443)) == ["127.0.0.1"]


async def test_other_hosts_are_not_resolved_by_us() -> None:
    """A loopback URL that is written in code works as it did."""
    names = Names()
    async with listening(saying(OK)) as origin:
        http = HttpxClient(logger=logging.getLogger("tests.http"), resolve=names)
        answer = await http.send(HttpRequest("GET", origin))
        await http.close()
    assert answer.unwrap().status == 200
    assert names.asked == []


@pytest.mark.parametrize(("size", "fits"), [(5_000, True), (50_000_000, False)])
async def test_what_was_packed_unasked_is_unpacked_under_the_cap(size: int, fits: bool) -> None:
    """A small answer may unpack into any number of bytes."""
    packed = gzip.compress(b"x" * size)
    assert len(packed) < RESPONSE_LIMIT_BYTES
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
    async with listening(saying(head.encode() + packed)) as origin, client() as http:
        answer = await http.send(HttpRequest("GET", origin))
    if fits:
        assert answer.unwrap().body == b"x" * size
    else:
        assert answer.failure() == HttpFailed(sent=True, is_too_large=True)
