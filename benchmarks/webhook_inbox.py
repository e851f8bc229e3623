"""Receiving signed webhooks over HTTP on PostgreSQL: look up, verify, record, respond, handle.

Each side is a server in its own process (`webhook_server`, which also describes the floor), with
its own database on one PostgreSQL server and its own `webhook_client`. One operation is 1,024
deliveries.

`webhook-lookup-10k` sends one delivery after another on one HTTP connection, with ours on both
sides: once with 10,000 connections of the connector, each with its endpoint, and once with one.
"""

import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import psycopg
from tests.postgres.population import analyze, populate, populate_beside

from benchmarks.database import databases
from benchmarks.measure import AtLeast, AtMost, Benchmark, Sides
from benchmarks.webhook_client import client

AT_ONCE = 1024
MANY = 10_000

# All at one connector. The accounts do not matter for the look-up.
_ONE_CONNECTOR = """
    UPDATE igniter_connections SET connector = 'invoices', account = id
        WHERE connector <> 'invoices';
    UPDATE igniter_webhook_endpoints SET connector = 'invoices', account = connection_id
        WHERE connector <> 'invoices';
"""


def library_server(url: str) -> tuple[str, ...]:
    """The command that serves this library on a database."""
    return sys.executable, "-m", "benchmarks.webhook_server", "ours", url


def floor_server(url: str) -> tuple[str, ...]:
    """The command that serves the floor on a database."""
    return sys.executable, "-m", "benchmarks.webhook_server", "floor", url


def throughput(connections: int) -> Callable[[], AbstractAsyncContextManager[Sides]]:
    @asynccontextmanager
    async def sides() -> AsyncGenerator[Sides, None]:
        with databases().migrated() as our_url, databases().empty() as their_url:
            async with (
                client(library_server(our_url), connections=connections) as ours,
                client(floor_server(their_url), connections=connections) as theirs,
            ):
                yield Sides(ours=ours.batches(AT_ONCE), against=theirs.batches(AT_ONCE))

    return sides


@asynccontextmanager
async def many_against_one() -> AsyncGenerator[Sides, None]:
    with databases().migrated() as full_url, databases().migrated() as url:
        with psycopg.connect(full_url, autocommit=True) as connection:
            populate(connection, range(MANY))
            populate_beside(connection)
            connection.execute("TRUNCATE igniter_webhook_inbox")
            connection.execute(_ONE_CONNECTOR.encode())
            analyze(connection)
        async with (
            client(library_server(full_url), connections=1) as full,
            client(library_server(url), connections=1) as small,
        ):
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
