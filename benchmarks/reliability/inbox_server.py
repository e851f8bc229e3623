"""A process that receives webhooks over HTTP and can kill itself at a chosen point.

`python -m benchmarks.reliability.inbox_server` reads one JSON object, a `ServerConfig`, from
standard input. It serves on a free port of loopback, prints the port, and exits when its input
closes.

The handler inserts a row into `runs` when it starts, and one into `effects` in the transaction that
completes the event. It fails, raises or hangs if the letter's text says "fail", "raise" or "hang".
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Literal, cast

import msgspec
import psycopg
import uvicorn
from litestar import Litestar
from litestar.types import ASGIApp, Receive, Scope, Send
from returns.result import Result, Success

from igniter_connectors import (
    Connector,
    ConnectorManager,
    Connectors,
    Keyring,
    PostgresStore,
    Secret,
    Webhook,
    WebhookCall,
    WebhookFailed,
)
from igniter_connectors import Scope as Tenant
from igniter_connectors.web import ConnectorsPlugin
from igniter_connectors.webhooks import DeliveryLimits, Retries, StandardWebhooks

TABLES = "CREATE TABLE runs (event_id text); CREATE TABLE effects (event_id text)"

Point = Literal["received", "recorded", "acknowledged", "handling", "committed"]
"""Before the event is recorded; after that, before the response; after the 2xx; inside the
handler's transaction; after its commit, before the handler returns."""


class ServerConfig(msgspec.Struct, frozen=True):
    """Parameters of the process. It kills itself when it reaches `kill_at` for the `kill_after`th
    time; "" means never."""

    url: str
    secret: str
    kill_at: Point | Literal[""] = ""
    kill_after: int = 1
    handlers_at_once: int = 128


class Organization(Tenant, frozen=True, tag="organization"):
    """A kind of tenant."""


class Mail(msgspec.Struct, frozen=True):
    """Config of the connector."""

    key: Secret


class Letter(msgspec.Struct, frozen=True):
    """Payload of the webhook."""

    text: str
    sender: str = ""


def build(
    config: ServerConfig, store: PostgresStore, at: Callable[[Point], None]
) -> tuple[Connectors[Mail, Organization], Any]:
    """The manager and its connector. `at` is called at each point."""

    async def handle(call: WebhookCall[Mail, object, Letter]) -> Result[None, WebhookFailed]:
        async with await psycopg.AsyncConnection.connect(config.url, autocommit=True) as connection:
            await connection.execute("INSERT INTO runs VALUES (%s)", (call.event_id,))
        match call.payload.text:
            case "fail":
                return call.failed("as the letter asked")
            case "raise":
                raise ValueError(call.event_id)
            case "hang":
                await asyncio.sleep(60)
            case _:
                pass
        async with store.transaction(call) as connection:
            await connection.execute("INSERT INTO effects VALUES (%s)", (call.event_id,))
            at("handling")
        at("committed")
        return Success(None)

    webhook = Webhook(
        payload=Letter,
        verification=StandardWebhooks(),
        handler=handle,
        order_key=lambda letter: letter.sender,
        retries=Retries(
            attempts=3,
            first_after=timedelta(milliseconds=200),
            longest=timedelta(milliseconds=200),
        ),
        time_limit=timedelta(seconds=2),
    )
    mail = Connector.create("mail").with_config(Mail).with_webhook(webhook).build()
    limits = DeliveryLimits(
        handlers_at_once=config.handlers_at_once,
        lease=timedelta(seconds=2),
        sweep_every=timedelta(seconds=0.5),
    )
    connectors = (
        ConnectorManager.create()
        .with_database(store)
        .with_encryption(Keyring.from_secret(Secret(config.secret)))
        .with_base_url("https://app.example.com")
        .with_delivery_limits(limits)
        .add_scope(Organization)
        .add_connector(mail)
        .build()
    )
    return connectors, mail


class _Killer:
    """Sends SIGKILL to its own process at the configured point."""

    def __init__(self, config: ServerConfig) -> None:
        self._point = config.kill_at
        self._left = config.kill_after

    def at(self, point: Point) -> None:
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def wrap_inbox(self, store: PostgresStore) -> None:
        inbox: Any = store.inbox
        record = inbox.record

        async def wrapped(*given: object, **named: object) -> object:
            self.at("received")
            recorded = await record(*given, **named)
            self.at("recorded")
            return recorded

        inbox.record = wrapped

    def wrap_app(self, app: ASGIApp) -> ASGIApp:
        async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
            was_taken = False

            async def sending(message: Any) -> None:
                nonlocal was_taken
                await send(message)
                was_taken |= message.get("status") == 204
                if was_taken and message["type"] == "http.response.body":
                    self.at("acknowledged")

            await app(scope, receive, sending)

        return wrapped


async def serve(config: ServerConfig) -> None:
    killer, store = _Killer(config), PostgresStore(config.url)
    killer.wrap_inbox(store)
    connectors, _ = build(config, store, killer.at)
    app = Litestar(plugins=[ConnectorsPlugin(connectors)], openapi_config=None, logging_config=None)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    # Uvicorn's own type for applications is that of the specification, with its typed dicts.
    served = cast("Any", killer.wrap_app(cast("ASGIApp", app)))
    server = uvicorn.Server(uvicorn.Config(served, log_config=None, access_log=False))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # uvicorn has no event for this
        if serving.done():
            serving.result()
        await asyncio.sleep(0.01)
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    server.should_exit = True
    await serving


if __name__ == "__main__":
    asyncio.run(serve(msgspec.json.decode(sys.stdin.readline(), type=ServerConfig)))
