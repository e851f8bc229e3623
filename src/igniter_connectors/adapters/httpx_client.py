"""HTTP over httpx: no redirects, no cookies, no environment, a deadline, a cap, a quiet log."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from datetime import timedelta
from time import monotonic
from typing import Final, final
from urllib.parse import urlsplit

import httpx
from msgspec.structs import replace
from returns.result import Failure, Result, Success

from igniter_connectors.adapters.unread_bytes import close_if_unread
from igniter_connectors.core.http.content_encoding import unpack
from igniter_connectors.core.http.messages import (
    DEADLINE,
    RESPONSE_LIMIT_BYTES,
    HttpFailed,
    HttpRequest,
    HttpResponse,
    origin_of,
)
from igniter_connectors.core.http.public_address import is_public_address

_NOT_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)


_CONNECTIONS: Final = httpx.Limits(
    # `RequestSlots` bounds the requests, and so the connections. A bound here would let a
    # request wait for the connection of another tenant, or of another kind of request.
    max_connections=None,
    # httpcore closes an idle connection as soon as there are more than this, in use or not: so
    # one tenant's slow calls must not reach it.
    max_keepalive_connections=40,
)
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The IP addresses of a host name, in the order to try them."""

_MOST_ADDRESSES: Final = 4
_OURS: Final = ContextVar("a request of ours is under way", default=False)


class _NotOurs(logging.Filter):
    """Keeps httpcore from logging our requests: at DEBUG it shows each answer's headers."""

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002  # logging's signature
        return not _OURS.get()


for _name in ("connection", "http11", "http2", "proxy", "socks"):
    # A filter, not a level: what the application does with httpx itself stays visible.
    logging.getLogger(f"httpcore.{_name}").addFilter(_NotOurs())


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses that this machine's resolver gives.

    Raises:
        OSError: none.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


@final
class HttpxClient:
    """Lives as long as its manager, with its connections kept alive between requests.

    It drives httpx's transport rather than its client: that one logs every URL, and a URL
    may hold a bot's token or an authorization code. What is logged here is method, origin,
    status and time. Neither proxies nor CAs are read from the environment; give a
    transport of your own for those.

    A host that a tenant named (`HttpRequest.has_tenant_host`) is resolved once. Unless every
    address is public nothing is sent; else the socket goes to an address that was looked
    at, while certificate and `Host` are the name's, over a connection of its own.
    """

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        logger: logging.Logger,
        resolve: Resolve = resolve,
        is_allowed: Callable[[str], bool] = is_public_address,
    ) -> None:
        self._resolve = resolve
        self._is_allowed = is_allowed
        self._given = transport
        self._transport: httpx.AsyncBaseTransport | None = None
        self._logger = logger
        self._in_flight: set[asyncio.Future[None]] = set()
        self._closing = False

    def open(self) -> httpx.AsyncBaseTransport:
        """Makes what the first request would otherwise make, unless it is there.

        That is a tenth of a second of modules and certificates, in which nothing else in the
        process runs: reads that came together with that request could miss their deadline.
        """
        if self._transport is None:
            self._transport = self._given or httpx.AsyncHTTPTransport(
                trust_env=False, limits=_CONNECTIONS
            )
        return self._transport

    async def close(self) -> None:
        """Lets what was sent come to its end, then closes the connections.

        A request that comes meanwhile is not sent; one that comes afterwards opens anew.
        """
        self._closing = True
        try:
            while self._in_flight:
                _ = await asyncio.wait(self._in_flight)
            transport, self._transport = self._transport, None
            if transport is not None:
                await transport.aclose()
        finally:
            self._closing = False

    async def send(
        self,
        request: HttpRequest,
        *,
        deadline: timedelta = DEADLINE,
        limit_bytes: int = RESPONSE_LIMIT_BYTES,
    ) -> Result[HttpResponse, HttpFailed]:
        """The answer, whatever its status; `HttpFailed` when there was none in time, or one
        over the limit."""
        if self._closing:
            return Failure(HttpFailed(sent=False))
        ended = asyncio.get_running_loop().create_future()
        self._in_flight.add(ended)
        try:
            return await self._send(request, deadline, limit_bytes)
        finally:
            self._in_flight.discard(ended)
            _ = ended.cancel()

    async def _send(
        self, request: HttpRequest, deadline: timedelta, limit_bytes: int
    ) -> Result[HttpResponse, HttpFailed]:
        began = monotonic()
        ours = _OURS.set(True)
        try:
            async with asyncio.timeout(deadline.total_seconds()):
                if request.has_tenant_host:
                    answer = await self._exchange_checked(request, limit_bytes)
                else:
                    answer = await self._exchange(request, limit_bytes)
        except (*_NOT_SENT, _AddressRefused) as error:
            return self._failed(request, error, sent=False)
        except (httpx.HTTPError, httpx.StreamError, TimeoutError, _TooLong, OSError) as error:
            return self._failed(request, error, sent=True)
        finally:
            _OURS.reset(ours)
        self._logger.info(
            "%s %s answered %d in %.0f ms",
            request.method,
            origin_of(request.url),
            answer.status,
            (monotonic() - began) * 1000,
        )
        return Success(answer)

    async def _exchange_checked(self, request: HttpRequest, limit_bytes: int) -> HttpResponse:
        parts = urlsplit(request.url)
        host, port = parts.hostname or "", parts.port
        try:
            found = await self._resolve(host, port or 443)
        except OSError as error:
            raise _AddressRefused from error
        # One address inside is enough: whoever answers so is not to be talked to.
        if parts.scheme != "https" or not found or not all(map(self._is_allowed, found)):
            raise _AddressRefused
        for address in found[:_MOST_ADDRESSES]:
            shown = f"[{address}]" if ":" in address else address
            url = parts._replace(netloc=shown if port is None else f"{shown}:{port}").geturl()
            try:
                return await self._exchange(
                    replace(request, url=url), limit_bytes, name=parts.netloc
                )
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        raise _AddressRefused

    async def _exchange(
        self, request: HttpRequest, limit_bytes: int, *, name: str | None = None
    ) -> HttpResponse:
        transport = self.open()
        extensions: dict[str, object] = {
            "timeout": {"connect": 5.0, "read": None, "write": None, "pool": 5.0}
        }
        # No compression: a small body could unpack into a large one.
        headers = [("Accept-Encoding", "identity"), *request.headers]
        if name is not None:
            # Pooled by its address, this connection could serve another name than the one
            # that its certificate was checked for: so it is used once.
            headers += [("Host", name), ("Connection", "close")]
            extensions["sni_hostname"] = name.partition(":")[0]
        sent = httpx.Request(
            request.method,
            request.url,
            headers=headers,
            content=request.body,
            extensions=extensions,
        )
        answer = await transport.handle_async_request(sent)
        try:
            body = bytearray()
            answer.request = sent
            # The stream itself: `aiter_raw` would close the response, and so free the connection
            # before it is looked at. If the body is packed, `unpack` has a cap, and httpx has none.
            assert isinstance(answer.stream, httpx.AsyncByteStream)
            async for chunk in answer.stream:
                body += chunk
                if len(body) > limit_bytes:
                    raise _TooLong
            await close_if_unread(answer)
        finally:
            await answer.aclose()
        content = unpack(bytes(body), answer.headers.get("content-encoding", ""), limit=limit_bytes)
        if content is None:
            raise _TooLong
        received = tuple((name.lower(), value) for name, value in answer.headers.multi_items())
        return HttpResponse(answer.status_code, received, content)

    def _failed(
        self, request: HttpRequest, error: Exception, *, sent: bool
    ) -> Result[HttpResponse, HttpFailed]:
        # The type alone: an exception's text may hold the address.
        self._logger.warning(
            "%s %s failed: %s",
            request.method,
            origin_of(request.url),
            type(error).__name__,
        )
        return Failure(HttpFailed(sent, isinstance(error, _TooLong)))


class _AddressRefused(Exception):
    """The host has no address that may be, or could be, connected to."""


class _TooLong(Exception):
    """The body passed the cap."""
