"""Receiving signed webhooks over HTTP on PostgreSQL: look up, verify, record, answer, handle.

Each side is a server of its own in its own process (`webhook_server`, which says what the floor
does), on a database of its own on one PostgreSQL. The client keeps so many connections open and
sends the next delivery on each as soon as the last one is answered. One operation is 256
deliveries, from the first byte until the last event is marked as done. Each has an id and a
signature of its own, made before the clock starts.

`webhook-lookup-10k` is one delivery after another on one connection, ours on both sides: where the
connector has 10,000 connections, each with its endpoint, and where it has one.
"""

import asyncio
import hmac
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count
from time import perf_counter, time

import msgspec
import psycopg
from tests.postgres.population import analyze, populate, populate_beside

from benchmarks.database import databases
from benchmarks.measure import AtLeast, AtMost, Batch, Benchmark, Sides, require_answer
from benchmarks.webhook_server import Served
from benchmarks.webhooks import PAYLOAD

AT_ONCE = 256
MANY = 10_000
STOP_WITHIN_SECONDS = 20

# All of them at one connector; which account is whose does not matter to a look-up.
_ONE_CONNECTOR = """
    UPDATE igniter_connections SET connector = 'invoices', account = id
        WHERE connector <> 'invoices';
    UPDATE igniter_webhook_endpoints SET connector = 'invoices', account = connection_id
        WHERE connector <> 'invoices';
"""


class Client:
    """Connections to one server, kept open."""

    def __init__(self, served: Served, connections: int) -> None:
        self._served = served
        self._count = connections
        self._key = b64decode(served.signing_key)
        self._links: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._numbers = count()
        self._sent = 0

    async def open(self) -> None:
        for _ in range(self._count + 1):
            self._links.append(await asyncio.open_connection("127.0.0.1", self._served.port))

    async def close(self) -> None:
        for _, writer in self._links:
            writer.close()
            await writer.wait_closed()

    def delivery(self) -> bytes:
        """A signed request as it goes over the wire."""
        body = msgspec.json.encode(PAYLOAD)
        event_id, sent_at = b"msg_%d" % next(self._numbers), b"%d" % time()
        signed = b"%b.%b.%b" % (event_id, sent_at, body)
        signature = b64encode(hmac.digest(self._key, signed, "sha256"))
        return b"\r\n".join(
            (
                b"POST %b HTTP/1.1" % self._served.path.encode(),
                b"host: 127.0.0.1",
                b"content-type: application/json",
                b"content-length: %d" % len(body),
                b"webhook-id: " + event_id,
                b"webhook-timestamp: " + sent_at,
                b"webhook-signature: v1," + signature,
                b"",
                body,
            )
        )

    async def send(self, deliveries: list[bytes]) -> None:
        """Sends them over all connections, and waits until their events are done."""
        statuses: set[int] = set()
        waiting = deliveries[::-1]

        async def go(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while waiting:
                writer.write(waiting.pop())
                head = await reader.readuntil(b"\r\n\r\n")
                statuses.add(int(head[9:12]))

        self._sent += len(deliveries)
        *links, (reader, writer) = self._links
        await asyncio.gather(*(go(*link) for link in links))
        require_answer({status // 100 for status in statuses}, {2})
        writer.write(b"GET /handled/%d HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n" % self._sent)
        head = await reader.readuntil(b"\r\n\r\n")
        require_answer(int(head[9:12]), 200)

    def batches(self, at_once: int) -> Batch:
        """Batches of operations of so many deliveries each."""

        async def batch(iterations: int) -> float:
            operations = [[self.delivery() for _ in range(at_once)] for _ in range(iterations)]
            started = perf_counter()
            for operation in operations:
                await self.send(operation)
            return perf_counter() - started

        return batch


@asynccontextmanager
async def served(side: str, url: str) -> AsyncGenerator[Served, None]:
    """A server of its own, for as long as the block runs."""
    with subprocess.Popen(  # noqa: ASYNC220  # it is awaited by reading what it prints
        [sys.executable, "-m", "benchmarks.webhook_server", side, url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            told = await asyncio.to_thread(process.stdout.readline)
            yield msgspec.json.decode(told, type=Served)
        finally:
            process.stdin.close()
            try:
                process.wait(STOP_WITHIN_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


@asynccontextmanager
async def client(side: str, url: str, connections: int) -> AsyncGenerator[Client, None]:
    async with served(side, url) as told:
        made = Client(told, connections)
        await made.open()
        try:
            yield made
        finally:
            await made.close()


def throughput(connections: int) -> Callable[[], AbstractAsyncContextManager[Sides]]:
    @asynccontextmanager
    async def sides() -> AsyncGenerator[Sides, None]:
        with databases().migrated() as our_url, databases().empty() as their_url:
            async with (
                client("ours", our_url, connections) as ours,
                client("floor", their_url, connections) as theirs,
            ):
                yield Sides(ours=ours.batches(AT_ONCE), against=theirs.batches(AT_ONCE))

    return sides


@asynccontextmanager
async def many_against_one() -> AsyncGenerator[Sides, None]:
    with databases().migrated() as full_url, databases().migrated() as url:
        with psycopg.connect(full_url, autocommit=True) as connection:
            populate(connection, range(MANY))
            populate_beside(connection)
            connection.execute("TRUNCATE igniter_webhook_inbox, igniter_webhook_accounts")
            connection.execute(_ONE_CONNECTOR.encode())
            analyze(connection)
        async with client("ours", full_url, 1) as full, client("ours", url, 1) as small:
            yield Sides(ours=full.batches(1), against=small.batches(1))


ROWS = (
    Benchmark(
        name="webhook-inbox-16",
        against="raw ASGI and psycopg by hand, 16 connections",
        bar=AtLeast(1.3),
        open_sides=throughput(16),
    ),
    Benchmark(
        name="webhook-inbox-64",
        against="raw ASGI and psycopg by hand, 64 connections",
        bar=AtLeast(2),
        open_sides=throughput(64),
    ),
    Benchmark(
        name="webhook-lookup-10k",
        against="one connection of the connector",
        bar=AtMost(1.3),
        open_sides=many_against_one,
    ),
)
