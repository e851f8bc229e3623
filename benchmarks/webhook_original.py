"""Receiving the same webhooks over HTTP with the original. These rows have no bar.

`original/webhook_server.mjs` runs the original in a Node process, on its own mock store, behind
Node's HTTP server. It looks up the connection, verifies the same signatures, checks the payload
against a schema, handles it, and then responds. It records nothing: it does not retry, and it
handles a duplicate twice. Ours commits each event to PostgreSQL before the response and marks it
as done afterwards. So `webhook-inbox-*-original` compares durable work with work that is not
durable. Only the client is the same.

`webhook-lookup-10k-original` has the original on both sides: with 10,000 connections of the
connector, and with one. The original scans the connector's connections twice per delivery: to find
the connection, and to store the result. The connection used is in the middle. The mock store scans
memory. The original's database adapter loads every row of the connector, which is not measured
here.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

import msgspec

from benchmarks.database import databases
from benchmarks.measure import Benchmark, NoBar, Sides
from benchmarks.original import FOLDER, install, node_executable
from benchmarks.webhook_client import client
from benchmarks.webhook_inbox import AT_ONCE, MANY, library_server
from benchmarks.webhooks import PAYLOAD

MANY_FOR_SMOKE = 100


def original_server(*, connections: int) -> tuple[str, ...]:
    """The command that serves the original with this many connections of one connector.

    Its packages are installed first.
    """
    install()
    script, payload = FOLDER / "webhook_server.mjs", msgspec.json.encode(PAYLOAD).decode()
    return str(node_executable()), str(script), str(connections), payload


def throughput(connections: int) -> Callable[[], AbstractAsyncContextManager[Sides]]:
    @asynccontextmanager
    async def sides() -> AsyncGenerator[Sides, None]:
        with databases().migrated() as url:
            async with (
                client(library_server(url), connections=connections) as ours,
                client(original_server(connections=1), connections=connections) as original,
            ):
                yield Sides(ours=ours.batches(AT_ONCE), against=original.batches(AT_ONCE))

    return sides


@asynccontextmanager
async def many_against_one(many: int) -> AsyncGenerator[Sides, None]:
    async with (
        client(original_server(connections=many), connections=1) as full,
        client(original_server(connections=1), connections=1) as small,
    ):
        yield Sides(ours=full.batches(1), against=small.batches(1))


ROWS = (
    Benchmark(
        name="webhook-inbox-16-original",
        against="the original on Node, its mock store and no inbox, 16 connections",
        bar=NoBar("throughput"),
        open_sides=throughput(16),
    ),
    Benchmark(
        name="webhook-inbox-64-original",
        against="the original on Node, its mock store and no inbox, 64 connections",
        bar=NoBar("throughput"),
        open_sides=throughput(64),
    ),
    Benchmark(
        name="webhook-lookup-10k-original",
        against="one connection of the connector; the original on both sides",
        bar=NoBar("time"),
        open_sides=partial(many_against_one, MANY),
        open_small_sides=partial(many_against_one, MANY_FOR_SMOKE),
    ),
)
