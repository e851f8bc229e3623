"""A PostgreSQL server with one webhook connection, and processes that serve it."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
import psycopg
from tests.postgres.databases import Databases
from tests.postgres.server import Server

from benchmarks.reliability.inbox_server import (
    TABLES,
    Letter,
    Mail,
    Organization,
    ServerConfig,
    build,
)
from igniter_connectors import Keyring, PostgresStore, Secret, value_or_raise
from igniter_connectors.testing import sign_webhook
from igniter_connectors.webhooks import StandardWebhooks, WebhookEndpoint

STOP_WITHIN_SECONDS = 20


class Reply(msgspec.Struct, frozen=True):
    """The response that a provider got. The status is 0 if the connection broke."""

    status: int
    seconds: float


class Process:
    """A serving process."""

    def __init__(
        self, process: subprocess.Popen[bytes], port: int, endpoint: WebhookEndpoint
    ) -> None:
        self.process = process
        self._endpoint = endpoint
        self._path = urlsplit(endpoint.url.reveal()).path
        # More connections than concurrent deliveries, so that the client itself never waits.
        limits = httpx.Limits(max_connections=500, max_keepalive_connections=500)
        self.http = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", timeout=30, limits=limits
        )

    async def post(self, id: str, text: str = "hi", sender: str = "") -> Reply:
        """Delivers a signed letter."""
        body = msgspec.json.encode(Letter(text, sender))
        signed = sign_webhook(
            StandardWebhooks(), self._endpoint, body, now=datetime.now(UTC), event_id=id
        )
        began = monotonic()
        try:
            answer = await self.http.post(self._path, content=body, headers=list(signed.headers))
        except httpx.TransportError:
            return Reply(0, monotonic() - began)
        return Reply(answer.status_code, monotonic() - began)


class InboxCluster:
    """The database server, and the parameters of every process on it."""

    def __init__(self, server: Server, url: str, secret: Secret, endpoint: WebhookEndpoint) -> None:
        self.server = server
        self.url = url
        self.secret = secret
        self.endpoint = endpoint

    @asynccontextmanager
    async def process(self, **how: Any) -> AsyncGenerator[Process, None]:
        """Starts a process that receives and handles. `how` are fields of its `ServerConfig`."""
        config = ServerConfig(self.url, self.secret.reveal(), **how)
        with subprocess.Popen(  # noqa: ASYNC220  # started when it prints its port
            [sys.executable, "-m", "benchmarks.reliability.inbox_server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                process.stdin.write(msgspec.json.encode(config) + b"\n")
                process.stdin.flush()
                port = int(await asyncio.to_thread(process.stdout.readline))
                made = Process(process, port, self.endpoint)
                async with made.http:
                    yield made
            finally:
                process.stdin.close()
                try:
                    await asyncio.to_thread(process.wait, STOP_WITHIN_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()

    def rows(self, statement: str) -> Sequence[tuple[Any, ...]]:
        """The rows of a query."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(statement.encode()).fetchall()

    def count(self, statement: str) -> int:
        """The number that a query returns."""
        return int(self.rows(statement)[0][0])

    async def until_settled(self, within_seconds: float = 40) -> None:
        """Waits until no event is pending. Events that stay pending show in the counts."""
        until = monotonic() + within_seconds
        pending = "SELECT count(*) FROM igniter_webhook_inbox WHERE state = 'pending'"
        while monotonic() < until and self.count(pending):  # noqa: ASYNC110  # the database sends no notification
            await asyncio.sleep(0.1)


@asynccontextmanager
async def running_inbox() -> AsyncGenerator[InboxCluster, None]:
    """Starts a server of its own, so that a figure can stop it."""
    secret = Keyring.generate()
    with Server() as server, Databases(server.url()).migrated() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(TABLES)
        connectors, mail = build(
            ServerConfig(url, secret.reveal()), PostgresStore(url), lambda _: None
        )
        async with connectors.without_delivery():
            at = connectors.scope(Organization("acme")).at(mail)
            value_or_raise(await at.connect(Mail(Secret("key"))))
            endpoint = value_or_raise(await at.create_webhook())
        yield InboxCluster(server, url, secret, endpoint)
