"""Sends signed webhooks over HTTP to a server in a separate process.

The client keeps its connections open and sends the next delivery on each as soon as the previous
one is answered. A batch is timed from the first byte until the last event is marked as done. Each
delivery has its own id and signature, made before the timing starts.
"""

import asyncio
import hmac
import subprocess
from base64 import b64decode, b64encode
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from time import perf_counter, time

import msgspec

from benchmarks.measure import Batch, require_answer
from benchmarks.webhook_server import Served
from benchmarks.webhooks import PAYLOAD

STOP_WITHIN_SECONDS = 20


class Client:
    """Keeps connections to one server open."""

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
        """The bytes of a signed request."""
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
        """Sends deliveries over all connections, and waits until their events are done."""
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
        """Batches of operations with this many deliveries each."""

        async def batch(iterations: int) -> float:
            operations = [[self.delivery() for _ in range(at_once)] for _ in range(iterations)]
            started = perf_counter()
            for operation in operations:
                await self.send(operation)
            return perf_counter() - started

        return batch


@asynccontextmanager
async def served(command: Sequence[str]) -> AsyncGenerator[Served, None]:
    """Runs a server while the block runs.

    The server prints a `Served` as one line of JSON, and exits when its standard input closes.
    """
    with subprocess.Popen(  # noqa: ASYNC220  # started when it prints its line
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            line = await asyncio.to_thread(process.stdout.readline)
            if not line:
                raise RuntimeError("the server exited before it served")
            yield msgspec.json.decode(line, type=Served)
        finally:
            process.stdin.close()
            try:
                process.wait(STOP_WITHIN_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


@asynccontextmanager
async def client(command: Sequence[str], *, connections: int) -> AsyncGenerator[Client, None]:
    """A client with this many connections to a server that the command starts."""
    async with served(command) as server:
        made = Client(server, connections)
        await made.open()
        try:
            yield made
        finally:
            await made.close()
