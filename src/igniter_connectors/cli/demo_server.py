"""Serves the demo's routes on loopback."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from igniter_connectors import Connectors, Principal, Scope
from igniter_connectors.cli.demo_output import DemoFailed


def listen_on_loopback(port: int) -> socket.socket:
    """A socket bound to this port of 127.0.0.1; 0 picks a free port.

    Raises:
        DemoFailed: the port is in use.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        listener.close()
        raise DemoFailed(f"port {port} is in use: choose another with --port") from None
    return listener


@asynccontextmanager
async def serve_routes(
    connectors: Connectors[Any, Any], listener: socket.socket, tenant: Scope
) -> AsyncGenerator[None, None]:
    """Serves the Litestar plugin while the block runs. Every caller is signed in as `you`."""
    import uvicorn
    from litestar import Litestar

    from igniter_connectors.web import ConnectorsPlugin

    async def signed_in(_: object) -> Principal:
        return Principal(tenant, "you")

    app = Litestar(plugins=[ConnectorsPlugin(connectors, principal=signed_in)], logging_config=None)
    # No access log: it would contain tickets, codes and webhook tokens.
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="on"))
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
