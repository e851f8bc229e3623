"""An application that receives webhooks over HTTP, as a process of its own that may kill itself.

`python -m benchmarks.reliability.inbox_server` reads one JSON object, an `Order`, from its standard
input, serves on a free port of loopback, whose number it prints, and ends when its input closes.

Its handler writes a row when it begins (`runs`), and another in the transaction that completes the
event (`effects`). A letter whose text is "fail", "raise" or "hang" is handled so.
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
"""Before the event is in the inbox; after, with nobody told; answered 2xx; inside the handler's
transaction; and after its commit, the handler not having returned."""


class Order(msgspec.Struct, frozen=True):
    """What the process is to do. It kills itself when it is at `kill_at` for the `kill_after`th
    time; "" for never."""

    url: str
    secret: str
    kill_at: Point | Literal[""] = ""
    kill_after: int = 1
    handlers_at_once: int = 128


class Organization(Tenant, frozen=True, tag="organization"):
    """The tenant."""


class Mail(msgspec.Struct, frozen=True):
    """The config."""

    key: Secret


class Letter(msgspec.Struct, frozen=True):
    """The payload."""

    text: str
    sender: str = ""


def build(
    order: Order, store: PostgresStore, at: Callable[[Point], None]
) -> tuple[Connectors[Mail, Organization], Any]:
    """The manager and its connector."""

    async def handle(call: WebhookCall[Mail, object, Letter]) -> Result[None, WebhookFailed]:
        async with await psycopg.AsyncConnection.connect(order.url, autocommit=True) as beside:
            await beside.execute("INSERT INTO runs VALUES (%s)", (call.event_id,))
        match call.payload.text:
            case "fail":
                return call.failed("as it was told")
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
        handlers_at_once=order.handlers_at_once,
        lease=timedelta(seconds=2),
        sweep_every=timedelta(seconds=0.5),
    )
    connectors = (
        ConnectorManager.create()
        .with_database(store)
        .with_encryption(Keyring.from_secret(Secret(order.secret)))
        .with_base_url("https://app.example.com")
        .with_delivery_limits(limits)
        .add_scope(Organization)
        .add_connector(mail)
        .build()
    )
    return connectors, mail


class _Death:
    """`kill -9` from inside, at the very place."""

    def __init__(self, order: Order) -> None:
        self._point = order.kill_at
        self._left = order.kill_after

    def at(self, point: Point) -> None:
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def around_recording(self, store: PostgresStore) -> None:
        inbox: Any = store.inbox
        record = inbox.record

        async def dying(*given: object, **named: object) -> object:
            self.at("received")
            recorded = await record(*given, **named)
            self.at("recorded")
            return recorded

        inbox.record = dying

    def around_answering(self, app: ASGIApp) -> ASGIApp:
        async def dying(scope: Scope, receive: Receive, send: Send) -> None:
            was_taken = False

            async def sending(message: Any) -> None:
                nonlocal was_taken
                await send(message)
                was_taken |= message.get("status") == 204
                if was_taken and message["type"] == "http.response.body":
                    self.at("acknowledged")

            await app(scope, receive, sending)

        return dying


async def serve(order: Order) -> None:
    death, store = _Death(order), PostgresStore(order.url)
    death.around_recording(store)
    connectors, _ = build(order, store, death.at)
    app = Litestar(plugins=[ConnectorsPlugin(connectors)], openapi_config=None, logging_config=None)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    # Uvicorn's own type for applications is that of the specification, with its typed dicts.
    served = cast("Any", death.around_answering(cast("ASGIApp", app)))
    server = uvicorn.Server(uvicorn.Config(served, log_config=None, access_log=False))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # uvicorn tells nobody
        if serving.done():
            serving.result()
        await asyncio.sleep(0.01)
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    server.should_exit = True
    await serving


if __name__ == "__main__":
    asyncio.run(serve(msgspec.json.decode(sys.stdin.readline(), type=Order)))
