"""Receiving a signed webhook through ASGI, called in the same process without a socket.

One operation is one delivery in the Standard Webhooks scheme: from the call of the application
until the handler has run with the decoded payload and the event is marked as done. Both sides
record the event before they respond and handle it in a task, which runs between two deliveries, as
in a server. Every delivery has its own id and signature, made before the timing starts, so none is
a duplicate.

The floor is a plain ASGI callable. It joins the body under a limit, finds the endpoint by the
SHA-256 of the URL's token, compares a one-shot HMAC in constant time with each signature in the
header, checks the time, and decodes with a reused typed decoder. If the id is new, it seals the
body with a reused AES-GCM cipher bound to the id, stores it in a dictionary with the time and the
number of attempts, and starts a task that awaits the handler and marks the event. It responds 202.
Its signing key is not sealed, it opens no config, and it cannot retry.
"""

import asyncio
import hmac
import os
import secrets
from base64 import b64decode, b64encode
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from time import perf_counter, time
from typing import Any, TypeAlias, cast
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from litestar import Litestar
from returns.result import Result, Success

from benchmarks.measure import AtMost, Batch, Benchmark, Sides, require_answer
from igniter_connectors import (
    Connector,
    ConnectorManager,
    Keyring,
    MemoryStore,
    Secret,
    Webhook,
    WebhookCall,
    value_or_raise,
)
from igniter_connectors import Scope as TenantScope
from igniter_connectors.core.problem import WebhookFailed
from igniter_connectors.core.webhook.schemes import StandardWebhooks
from igniter_connectors.web import ConnectorsPlugin

# ASGI's dictionaries: the type of a value depends on its key.
Scope: TypeAlias = dict[str, Any]
Message: TypeAlias = dict[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY_LIMIT_BYTES = 1024 * 1024
TOLERANCE_SECONDS = 300
HANDLED_WITHIN_SECONDS = 30


class InvoicePaid(msgspec.Struct, frozen=True):
    """Payload of the webhook."""

    type: str
    invoice: str
    amount_cents: int
    currency: str
    customer: str


PAYLOAD = InvoicePaid("invoice.paid", "in_1PqXyz7Kd3", 129_900, "eur", "cus_QmT4vB81")

Handler: TypeAlias = Callable[[InvoicePaid], Awaitable[None]]


class Endpoint(msgspec.Struct, frozen=True):
    """An application with the webhook endpoint of one connection."""

    app: App
    path: str
    signing_key: bytes


class Event(msgspec.Struct):
    """The floor's record of a delivery."""

    state: str
    sealed_body: bytes
    received_at: datetime
    attempts: int


class Organization(TenantScope, frozen=True, tag="organization"):
    """A kind of tenant."""


class InvoiceConfig(msgspec.Struct, frozen=True):
    """Config of the connector. It is opened for each delivery, because the handler gets it."""

    api_key: Secret


@asynccontextmanager
async def ours_endpoint(handle: Handler) -> AsyncGenerator[Endpoint, None]:
    """The library's Litestar plugin on its memory store, one connection with a Standard Webhooks
    secret; the connector's own handler passes the payload to `handle`.
    """

    async def paid(
        call: WebhookCall[InvoiceConfig, object, InvoicePaid],
    ) -> Result[None, WebhookFailed]:
        await handle(call.payload)
        return Success(None)

    webhook = Webhook(payload=InvoicePaid, verification=StandardWebhooks(), handler=paid)
    invoices = Connector.create("invoices").with_config(InvoiceConfig).with_webhook(webhook).build()
    connectors = (
        ConnectorManager.create()
        .with_database(MemoryStore())
        .with_encryption(Keyring.from_secret(Keyring.generate()))
        .with_base_url("https://app.example.com")
        .add_scope(Organization)
        .add_connector(invoices)
        .build()
    )
    app = Litestar(plugins=[ConnectorsPlugin(connectors)], openapi_config=None)
    async with connectors:
        at_invoices = connectors.scope(Organization("acme")).at(invoices)
        value_or_raise(await at_invoices.connect(InvoiceConfig(Secret("api-key"))))
        made = value_or_raise(await at_invoices.create_webhook())
        key = b64decode(made.signing_secret.reveal().removeprefix("whsec_"))
        # Litestar's own ASGI types are narrower than the dictionaries that servers send.
        yield Endpoint(cast("App", app), urlsplit(made.url.reveal()).path, key)


def hand_written(handle: Handler) -> Endpoint:
    """The hand-written floor."""
    signing_key, token = os.urandom(32), secrets.token_urlsafe(32)
    signing_keys = {sha256(token.encode()).digest(): signing_key}
    decode = msgspec.json.Decoder(InvoicePaid).decode
    digest, compare = hmac.digest, hmac.compare_digest
    cipher = AESGCM(os.urandom(32))
    inbox: dict[bytes, Event] = {}
    running: set[asyncio.Task[None]] = set()

    async def deliver(event: Event, payload: InvoicePaid) -> None:
        await handle(payload)
        event.state = "done"

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        token = scope["path"].rpartition("/")[2]
        key = signing_keys.get(sha256(token.encode()).digest())
        if key is None:
            return await answer(send, 404)
        body = await read_body(receive)
        if body is None:
            return await answer(send, 413)
        headers = dict(scope["headers"])
        event_id = headers.get(b"webhook-id", b"")
        sent_at = headers.get(b"webhook-timestamp", b"")
        if not sent_at.isdigit() or abs(time() - int(sent_at)) > TOLERANCE_SECONDS:
            return await answer(send, 401)
        signed = b"%b.%b.%b" % (event_id, sent_at, body)
        expected = b"v1," + b64encode(digest(key, signed, "sha256"))
        for signature in headers.get(b"webhook-signature", b"").split(b" "):
            if compare(expected, signature):
                break
        else:
            return await answer(send, 401)
        try:
            payload = decode(body)
        except msgspec.DecodeError:
            return await answer(send, 400)
        if event_id not in inbox:
            nonce = os.urandom(12)
            sealed = nonce + cipher.encrypt(nonce, body, event_id)
            event = inbox[event_id] = Event("pending", sealed, datetime.now(UTC), 1)
            task = asyncio.create_task(deliver(event, payload))
            running.add(task)
            task.add_done_callback(running.discard)
        return await answer(send, 202)

    return Endpoint(app, f"/webhooks/invoices/{token}", signing_key)


async def read_body(receive: Receive) -> bytes | None:
    """The whole body, or None if it is longer than the limit."""
    message = await receive()
    body: bytes = message["body"]
    while message["more_body"] and len(body) <= BODY_LIMIT_BYTES:
        message = await receive()
        body += message["body"]
    return body if len(body) <= BODY_LIMIT_BYTES else None


async def answer(send: Send, status: int) -> None:
    headers = [(b"content-length", b"0")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


class Delivery:
    """A signed request as a server passes it to the application, and its status."""

    def __init__(self, endpoint: Endpoint, event_id: bytes) -> None:
        self.status = 0
        self._body = msgspec.json.encode(PAYLOAD)
        sent_at = b"%d" % time()
        signed = b"%b.%b.%b" % (event_id, sent_at, self._body)
        signature = b64encode(hmac.digest(endpoint.signing_key, signed, "sha256"))
        self.scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "server": ("127.0.0.1", 8000),
            "client": ("127.0.0.1", 50000),
            "scheme": "http",
            "method": "POST",
            "root_path": "",
            "path": endpoint.path,
            "raw_path": endpoint.path.encode(),
            "query_string": b"",
            "headers": [
                (b"host", b"127.0.0.1:8000"),
                (b"user-agent", b"webhooks/1.0"),
                (b"accept", b"*/*"),
                (b"content-type", b"application/json"),
                (b"content-length", b"%d" % len(self._body)),
                (b"webhook-id", event_id),
                (b"webhook-timestamp", sent_at),
                (b"webhook-signature", b"v1," + signature),
            ],
            "state": {},
        }

    async def receive(self) -> Message:
        return {"type": "http.request", "body": self._body, "more_body": False}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]


class Tally:
    """Counts calls of one side's handler, and waits for a whole batch."""

    def __init__(self) -> None:
        self._event_numbers = count()
        self._remaining = 0
        self._all_handled = asyncio.Event()
        self._latest: InvoicePaid | None = None

    async def handle(self, payload: InvoicePaid) -> None:
        self._latest = payload
        self._remaining -= 1
        if self._remaining == 0:
            self._all_handled.set()

    def deliveries(self, endpoint: Endpoint) -> Batch:
        """Batches of deliveries to one endpoint, one after another."""
        app = endpoint.app

        async def batch(iterations: int) -> float:
            upcoming = [
                Delivery(endpoint, b"msg_%d" % next(self._event_numbers)) for _ in range(iterations)
            ]
            self._remaining = iterations
            self._all_handled.clear()
            started = perf_counter()
            for delivery in upcoming:
                await app(delivery.scope, delivery.receive, delivery.send)
                await asyncio.sleep(0)
            async with asyncio.timeout(HANDLED_WITHIN_SECONDS):
                await self._all_handled.wait()
            seconds = perf_counter() - started
            require_answer({delivery.status // 100 for delivery in upcoming}, {2})
            require_answer((self._latest, self._remaining), (PAYLOAD, 0))
            return seconds

        return batch


@asynccontextmanager
async def against_raw_asgi() -> AsyncGenerator[Sides, None]:
    our_tally, their_tally = Tally(), Tally()
    async with ours_endpoint(our_tally.handle) as endpoint:
        yield Sides(
            ours=our_tally.deliveries(endpoint),
            against=their_tally.deliveries(hand_written(their_tally.handle)),
        )


ROWS = (
    Benchmark(
        name="webhook-dispatch",
        against="raw ASGI and HMAC",
        bar=AtMost(4),
        open_sides=against_raw_asgi,
    ),
)
