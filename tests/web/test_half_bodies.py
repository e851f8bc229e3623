"""Requests whose bodies never end, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from igniter_connectors import HttpRequest, MemoryStore
from igniter_connectors.flows.http_routes import handle_request
from igniter_connectors.webhooks import DeliveryLimits
from tests.flows.mailroom import mailroom
from tests.web.mail_site import open_site
from tests.web.test_webhooks import SUBSCRIBED, post_office, standard_headers

BRIEF = DeliveryLimits(body_within=timedelta(milliseconds=300), received_at_once=2)


class Half:
    """A client that sends a part of a request, and then nothing."""

    def __init__(self, origin: str, method: str, path: str, *lines: str) -> None:
        self.host, _, port = origin.removeprefix("http://").partition(":")
        self.port = int(port)
        head = [f"{method} {path} HTTP/1.1", f"Host: {self.host}", *lines, "", ""]
        self.head = "\r\n".join(head).encode()

    async def answer(self, body: bytes = b"") -> bytes:
        """The status line of the answer; b"" if the server closes without one."""
        reader, writer = await asyncio.open_connection(self.host, self.port)
        try:
            writer.write(self.head + body)
            async with asyncio.timeout(30):
                return await reader.readline()
        finally:
            writer.close()


UNENDING = [
    ("Content-Length: 1000", b""),
    ("Content-Length: 1000", b"{"),
    ("Transfer-Encoding: chunked", b"1\r\n{\r\n"),
]


@pytest.mark.parametrize(("framing", "sent"), UNENDING)
async def test_a_webhook_whose_body_never_ends_gets_a_408(framing: str, sent: bytes) -> None:
    """It takes one of the places of `received_at_once`, and gives it back."""
    async with post_office(limits=BRIEF) as post:
        origin, _, path = post.mail.url.reveal().partition("/webhooks/")
        half = Half(origin, "POST", f"/webhooks/{path}", framing)
        slow = [asyncio.create_task(half.answer(sent)) for _ in range(2)]
        while post.connectors._engine.deliveries.receiving < 2:  # noqa: ASYNC110  # it tells nobody
            await asyncio.sleep(0.005)
        assert b" 503 " in await half.answer(sent)
        assert all(b" 408 " in line for line in await asyncio.gather(*slow))
        headers = standard_headers(post.mail.signing_secret, SUBSCRIBED)
        answer = await post.http.post(post.mail.url.reveal(), content=SUBSCRIBED, headers=headers)
        assert answer.status_code == 204
        assert post.connectors._engine.deliveries.receiving == 0


@pytest.mark.parametrize(("framing", "sent"), UNENDING)
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/webhooks/mail/" + "x" * 43, b" 404 "),
        ("POST", "/webhooks/none", b" 404 "),
        ("POST", "/webhooks/shop", b" 404 "),
        ("PUT", "/webhooks/mail/" + "x" * 43, b" 405 "),
    ],
)
async def test_the_body_of_an_unknown_path_is_never_waited_for(
    method: str, path: str, status: bytes, framing: str, sent: bytes
) -> None:
    """Not even for the deadline, which is far away here."""
    async with post_office() as post:
        origin = post.mail.url.reveal().partition("/webhooks/")[0]
        async with asyncio.timeout(8):
            assert status in await Half(origin, method, path, framing).answer(sent)


@pytest.mark.parametrize("length", ["5000", "9" * 300])
async def test_a_declared_length_over_the_limit_is_refused_at_once(length: str) -> None:
    """Nothing of it is read."""
    async with post_office() as post:
        origin, _, path = post.mail.url.reveal().partition("/webhooks/")
        half = Half(origin, "POST", f"/webhooks/{path}", f"Content-Length: {length}")
        async with asyncio.timeout(8):
            assert (await half.answer(b"x")).split(b" ")[1] in (b"413", b"400")


@pytest.mark.parametrize(("framing", "sent"), UNENDING)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/connections/mail"),
        ("PATCH", "/connections/mail"),
        ("POST", "/connections/mail/actions/send"),
    ],
)
async def test_a_json_body_that_never_ends_gets_a_408(
    method: str, path: str, framing: str, sent: bytes
) -> None:
    """On each route that takes one."""
    async with open_site(limits=BRIEF) as (_, origin):
        head = ("X-Session: acme/ada", f"Origin: {origin}", "Content-Type: application/json")
        assert b" 408 " in await Half(origin, method, path, *head, framing).answer(sent)


async def test_another_framework_gives_the_parts_of_a_body() -> None:
    """They are read if the path is an endpoint, and within the deadline."""
    read: list[str] = []

    async def unending(name: str) -> AsyncGenerator[bytes, None]:
        read.append(name)
        yield b"{"
        await asyncio.Event().wait()

    async with AsyncExitStack() as stack:
        room = await stack.enter_async_context(mailroom(MemoryStore()))
        engine = room.connectors._engine
        engine.deliveries.limits = BRIEF
        url = room.endpoint.url.reveal()
        for address, status in ((url[:-1] + "-", 404), (url, 408)):
            request = HttpRequest("POST", address)
            answer = await handle_request(engine, request, None, None, unending(str(status)))
            assert answer.status == status
    assert read == ["408"]
