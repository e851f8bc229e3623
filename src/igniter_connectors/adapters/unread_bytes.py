"""Bytes that a server sent after its response.

The parser of httpcore keeps them, and would take them for the response to the next request on
that TCP connection, whoever sends it. So a connection with unread bytes must be closed. They can
be in three places: in the parser, in a TLS record that is not decrypted yet, and in the kernel.
httpcore itself looks into the kernel before each use of an idle connection (RFC 9112 section 9.2
says that a client must not trust such bytes).
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Any, Final, Protocol

import httpx

# From a response down to its parser, in the versions 1.0 of httpcore and 0.28 of httpx. They
# have no public way to it.
_TO_PARSER: Final = ("_httpcore_stream", "_stream", "_connection", "_h11_state")
_TURNS_TO_CLOSE: Final = 10


class Network(Protocol):
    """The connection below a response: what httpcore calls an `AsyncNetworkStream`."""

    async def aclose(self) -> None:
        """Closes it."""
        ...

    def get_extra_info(self, info: str) -> Any:  # as httpcore types it
        """The TLS object, or whether the socket has something to read."""
        ...


async def close_if_unread(response: httpx.Response) -> None:
    """Closes the connection of a response whose body was read to its end, if bytes follow.

    Call it before the response is closed, which frees the connection for others. Where the
    parser is not found, the connection is closed too: that costs time, and is safe.
    """
    network: Network | None = response.extensions.get("network_stream")
    if network is None:  # a transport without sockets
        return
    parser: object = response.stream
    for name in _TO_PARSER:
        parser = getattr(parser, name, parser)
    trailing = getattr(parser, "trailing_data", None)
    if trailing is not None and not trailing[0] and _is_drained(network):
        return
    await network.aclose()
    # httpcore drops an idle connection whose socket is closed. That takes a turn of the loop.
    for _ in range(_TURNS_TO_CLOSE):
        if network.get_extra_info("is_readable"):
            return
        await asyncio.sleep(0)


def _is_drained(network: Network) -> bool:
    """Whether TLS has nothing decrypted, or received and not decrypted."""
    tls = network.get_extra_info("ssl_object")
    if tls is None:
        return True
    try:
        _ = tls.read(1)
    except ssl.SSLWantReadError:
        return True
    except ssl.SSLError:
        return False
    return False
