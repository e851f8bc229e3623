"""The HTTP server of the fake provider: kept-alive connections and invalid requests."""

from __future__ import annotations

import asyncio
import contextlib
from urllib.parse import urlsplit

import httpx
import pytest

from igniter_connectors.testing import FakeOAuthProvider, running_provider


async def test_one_connection_serves_many_requests() -> None:
    """HTTP/1.1 connections are kept open."""
    request = b"POST /token HTTP/1.1\r\nhost: here\r\n\r\n"
    async with running_provider() as provider:
        reader, writer = await asyncio.open_connection(*address_of(provider))
        async with asyncio.timeout(5):
            for _ in range(20):
                writer.write(request)
                assert b"HTTP/1.1 400 " in await reader.readuntil(b"\r\n\r\n")
        writer.close()


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n\r\n",
        b"x" * 100_000,
        b"GET / HTTP/1.1\r\ncontent-length: x\r\n\r\n",
        b"POST /token HTTP/1.1\r\ncontent-length: 1048577\r\n\r\n",
        b"POST /token HTTP/1.1\r\ncontent-length: 1\r\n\r\n\xff",
    ],
    ids=["empty", "endless", "length", "too-long", "invalid-utf8"],
)
async def test_an_invalid_request_closes_only_its_connection(data: bytes) -> None:
    """The next client is served normally."""
    async with running_provider() as provider, httpx.AsyncClient() as client:
        reader, writer = await asyncio.open_connection(*address_of(provider))
        writer.write(data)
        async with asyncio.timeout(5):
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
        writer.close()
        assert (await client.get(provider.authorization_url)).status_code == 400


def address_of(provider: FakeOAuthProvider) -> tuple[str, int]:
    """The provider's host and port."""
    parts = urlsplit(provider.url)
    return parts.hostname or "", parts.port or 0
