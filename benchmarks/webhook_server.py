"""One side of the webhook rows, as a server in its own process.

`python -m benchmarks.webhook_server ours|floor URL` serves on a free port of loopback until its
standard input closes. It prints one JSON object: the port, the path to post to, the signing key.
`GET /handled/N` responds once N events have been handled and marked as done in the database.

The floor is hand-written with psycopg and makes the same promise: it finds the endpoint and its
connection by the hash of the URL's token, opens the signing secret, checks HMAC and time, decodes
the payload into its type, seals the body, inserts it if its id is new, responds 202, and runs a
task that calls the handler and marks the event. It uses a pool in autocommit with prepared
statements and binary results, one statement after another per delivery, and as many connections as
ours.
"""

import asyncio
import gc
import hmac
import os
import secrets
import socket
import sys
from base64 import b64decode, b64encode
from contextlib import AsyncExitStack
from hashlib import sha256
from time import time
from typing import Any, cast
from urllib.parse import urlsplit

import msgspec
import uvicorn
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from litestar import Litestar
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool
from returns.result import Result, Success

from benchmarks.webhooks import (
    PAYLOAD,
    TOLERANCE_SECONDS,
    App,
    InvoiceConfig,
    InvoicePaid,
    Organization,
    Receive,
    Scope,
    Send,
    answer,
    read_body,
)
from igniter_connectors import (
    Connector,
    ConnectorManager,
    Event,
    Keyring,
    PostgresStore,
    Secret,
    Webhook,
    WebhookCall,
    WebhookFailed,
    value_or_raise,
)
from igniter_connectors.events import WebhookProcessed
from igniter_connectors.web import ConnectorsPlugin
from igniter_connectors.webhooks import StandardWebhooks

POOL_SIZE = 10

_TABLES = """
    CREATE TABLE IF NOT EXISTS by_hand_endpoints (
        token_hash bytea PRIMARY KEY, connection text NOT NULL, sealed_secret bytea NOT NULL);
    CREATE TABLE IF NOT EXISTS by_hand_connections (
        id text PRIMARY KEY, tenant text NOT NULL, enabled boolean NOT NULL, config bytea NOT NULL);
    CREATE TABLE IF NOT EXISTS by_hand_inbox (
        tenant text, id text, connection text NOT NULL, state text NOT NULL,
        attempts bigint NOT NULL, received_at timestamptz NOT NULL, done_at timestamptz,
        sealed_body bytea NOT NULL, PRIMARY KEY (tenant, id));
    CREATE INDEX IF NOT EXISTS by_hand_pending ON by_hand_inbox (received_at)
        WHERE state = 'pending';
"""
_FIND = """
    SELECT c.id, c.tenant, c.enabled, c.config, e.sealed_secret FROM by_hand_endpoints AS e
    JOIN by_hand_connections AS c ON c.id = e.connection WHERE e.token_hash = %s
"""
_INSERT = """
    INSERT INTO by_hand_inbox VALUES (%s, %s, %s, 'pending', 1, now(), NULL, %s)
    ON CONFLICT DO NOTHING RETURNING 1
"""
_DONE = """
    UPDATE by_hand_inbox SET state = 'done', done_at = now() WHERE tenant = %s AND id = %s
"""


class Served(msgspec.Struct, frozen=True):
    """What a client needs to know."""

    port: int
    path: str
    signing_key: str


class Handled:
    """Counts events that are done, and lets a caller wait for a number."""

    def __init__(self) -> None:
        self.count = 0
        self._changed = asyncio.Event()

    def add(self) -> None:
        self.count += 1
        self._changed.set()

    async def reach(self, count: int) -> None:
        async with asyncio.timeout(60):
            while self.count < count:
                self._changed.clear()
                await self._changed.wait()


async def by_hand(url: str, handled: Handled, stack: AsyncExitStack) -> tuple[App, str, bytes]:
    async def configure(link: AsyncConnection[Any]) -> None:
        await link.set_autocommit(True)
        link.prepare_threshold = 0

    pool = AsyncConnectionPool(
        url, min_size=POOL_SIZE, max_size=POOL_SIZE, open=False, configure=configure
    )
    await stack.enter_async_context(pool)
    token, signing_key = secrets.token_urlsafe(32), os.urandom(32)
    cipher = AESGCM(os.urandom(32))
    nonce = os.urandom(12)
    sealed_secret = nonce + cipher.encrypt(nonce, signing_key, b"secret")
    async with pool.connection() as link:
        await link.execute(_TABLES, prepare=False)
        await link.execute(
            "INSERT INTO by_hand_connections VALUES ('row', 'acme', true, %s)", (b"{}",)
        )
        await link.execute(
            "INSERT INTO by_hand_endpoints VALUES (%s, 'row', %s)",
            (sha256(token.encode()).digest(), sealed_secret),
        )
    decode = msgspec.json.Decoder(InvoicePaid).decode
    running: set[asyncio.Task[None]] = set()

    async def handle(payload: InvoicePaid) -> None:
        assert payload == PAYLOAD

    async def deliver(tenant: str, event_id: str, payload: InvoicePaid) -> None:
        await handle(payload)
        link = await pool.getconn()
        try:
            await link.execute(_DONE, (tenant, event_id), binary=True)
        finally:
            await pool.putconn(link)
        handled.add()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        token = scope["path"].rpartition("/")[2]
        body = await read_body(receive)
        if body is None:
            return await answer(send, 413)
        link = await pool.getconn()
        try:
            cursor = await link.execute(_FIND, (sha256(token.encode()).digest(),), binary=True)
            row = await cursor.fetchone()
        finally:
            await pool.putconn(link)
        if row is None:
            return await answer(send, 404)
        connection, tenant, _, _, sealed = row
        key = cipher.decrypt(sealed[:12], sealed[12:], b"secret")
        headers = dict(scope["headers"])
        event_id = headers.get(b"webhook-id", b"")
        sent_at = headers.get(b"webhook-timestamp", b"")
        if not sent_at.isdigit() or abs(time() - int(sent_at)) > TOLERANCE_SECONDS:
            return await answer(send, 401)
        signed = b"%b.%b.%b" % (event_id, sent_at, body)
        expected = b"v1," + b64encode(hmac.digest(key, signed, "sha256"))
        signatures = headers.get(b"webhook-signature", b"").split(b" ")
        if not any(hmac.compare_digest(expected, signature) for signature in signatures):
            return await answer(send, 401)
        try:
            payload = decode(body)
        except msgspec.DecodeError:
            return await answer(send, 400)
        nonce, id = os.urandom(12), event_id.decode()
        sealed_body = nonce + cipher.encrypt(nonce, body, event_id)
        link = await pool.getconn()
        try:
            values = (tenant, id, connection, sealed_body)
            cursor = await link.execute(_INSERT, values, binary=True)
            is_new = await cursor.fetchone() is not None
        finally:
            await pool.putconn(link)
        if is_new:
            task = asyncio.create_task(deliver(tenant, id, payload))
            running.add(task)
            task.add_done_callback(running.discard)
        return await answer(send, 202)

    return app, f"/webhooks/invoices/{token}", signing_key


async def by_library(url: str, handled: Handled, stack: AsyncExitStack) -> tuple[App, str, bytes]:
    async def paid(
        call: WebhookCall[InvoiceConfig, object, InvoicePaid],
    ) -> Result[None, WebhookFailed]:
        assert call.payload == PAYLOAD
        return Success(None)

    class Count:
        """Counts processed events. Telemetry is called after an event is marked as done."""

        def observe(self, event: Event) -> None:
            if type(event) is WebhookProcessed:
                handled.add()

    webhook = Webhook(payload=InvoicePaid, verification=StandardWebhooks(), handler=paid)
    invoices = Connector.create("invoices").with_config(InvoiceConfig).with_webhook(webhook).build()
    connectors = (
        ConnectorManager.create()
        .with_database(PostgresStore(url, min_size=POOL_SIZE, max_size=POOL_SIZE))
        .with_encryption(Keyring.from_secret(Keyring.generate()))
        .with_base_url("https://app.example.com")
        .with_telemetry(Count())
        .add_scope(Organization)
        .add_connector(invoices)
        .build()
    )
    app = Litestar(plugins=[ConnectorsPlugin(connectors)], openapi_config=None, logging_config=None)
    await stack.enter_async_context(connectors)
    at_invoices = connectors.scope(Organization("acme")).at(invoices)
    value_or_raise(await at_invoices.connect(InvoiceConfig(Secret("api-key"))))
    made = value_or_raise(await at_invoices.create_webhook())
    key = b64decode(made.signing_secret.reveal().removeprefix("whsec_"))
    # Litestar's own ASGI types are narrower than the dictionaries that servers send.
    return cast("App", app), urlsplit(made.url.reveal()).path, key


def counted(app: App, handled: Handled) -> App:
    """The application with the route `/handled/N`."""

    async def counting(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/handled/"):
            await handled.reach(int(scope["path"].rpartition("/")[2]))
            return await answer(send, 200)
        return await app(scope, receive, send)

    return counting


async def serve(side: str, url: str) -> None:
    handled = Handled()
    async with AsyncExitStack() as stack:
        open_side = by_library if side == "ours" else by_hand
        app, path, key = await open_side(url, handled, stack)
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        # Uvicorn types applications with the specification's typed dicts.
        config = uvicorn.Config(
            cast("Any", counted(app, handled)), log_config=None, access_log=False, lifespan="off"
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:  # noqa: ASYNC110  # uvicorn has no event for this
            await asyncio.sleep(0.01)
        # As `measure` does for rows in its own process, on both sides: collections then examine
        # what deliveries created, not every imported module.
        gc.collect()
        gc.freeze()
        served = Served(listener.getsockname()[1], path, b64encode(key).decode())
        sys.stdout.write(msgspec.json.encode(served).decode() + "\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)
        server.should_exit = True
        await serving


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2]))
