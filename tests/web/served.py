"""Serving an application over real HTTP on loopback."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from litestar import Litestar


def bound_socket(port: int = 0) -> socket.socket:
    """A bound socket, so that the port is known before the server runs."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    return listener


def port_of(listener: socket.socket) -> int:
    """The number of the port."""
    port: int = listener.getsockname()[1]
    return port


@asynccontextmanager
async def served(
    app: Litestar,
    listener: socket.socket,
    *,
    key: Path | None = None,
    certificate: Path | None = None,
) -> AsyncGenerator[None, None]:
    """Serves the application and its lifespan while the block runs."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="on",
        ssl_keyfile=key,
        ssl_certfile=certificate,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        if serving.done():
            serving.result()
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        await serving
        listener.close()
