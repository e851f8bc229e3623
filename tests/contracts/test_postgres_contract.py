"""The suite over PostgreSQL: as it is migrated, hash-partitioned, and behind pgbouncer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager

import psycopg
import pytest

from igniter_connectors.adapters.postgres import PostgresStore
from igniter_connectors.ports import Store, StoreUnavailable
from igniter_connectors.testing import STORE_CONTRACT
from tests.postgres.databases import Databases, name_in
from tests.postgres.partitions import partition_every_table
from tests.postgres.pgbouncer import find_pgbouncer, pgbouncer
from tests.postgres.server import Server

Check = Callable[[Store], Awaitable[None]]

PGBOUNCER = find_pgbouncer()
KINDS = ["plain", "partitioned", *(["pgbouncer"] if PGBOUNCER else [])]


@pytest.fixture(scope="module")
def pooler(own_server: Server) -> Generator[str, None, None]:
    """The address of a pgbouncer, with a place for the database's name."""
    assert PGBOUNCER is not None
    with pgbouncer(PGBOUNCER, own_server) as url:
        yield url


@pytest.mark.parametrize("check", STORE_CONTRACT, ids=lambda check: str(check.__name__))
@pytest.mark.parametrize("kind", KINDS)
async def test_the_contract_holds(kind: str, check: Check, request: pytest.FixtureRequest) -> None:
    """The check's own docstring says what it protects."""
    async with opened(make_store(kind, request)) as store:
        await check(store)


def make_store(kind: str, request: pytest.FixtureRequest) -> PostgresStore:
    if kind == "pgbouncer":
        url = str(request.getfixturevalue("own_database_url"))
        through = str(request.getfixturevalue("pooler")).format(name_in(url))
        return PostgresStore(through, pooling="transaction")
    url = str(request.getfixturevalue("database_url"))
    if kind == "partitioned":
        with psycopg.connect(url, autocommit=True) as connection:
            partition_every_table(connection)
    return PostgresStore(url)


if PGBOUNCER:

    async def test_migrating_works_behind_pgbouncer(own_databases: Databases, pooler: str) -> None:
        """The lock is the transaction's, so it is not left behind on somebody else's session."""
        with own_databases.empty() as url:
            store = PostgresStore(pooler.format(name_in(url)), pooling="transaction")
            applied = await store.migrate()
            assert applied
            assert await store.migrate() == []
            async with opened(store):
                pass

    async def test_a_pooler_that_was_not_announced_is_named(
        own_database_url: str, pooler: str
    ) -> None:
        """Sessions have settings and prepared statements, which such a pooler mixes up."""
        with pytest.raises(StoreUnavailable, match='pooling="transaction"'):
            await PostgresStore(pooler.format(name_in(own_database_url))).open()


@asynccontextmanager
async def opened(store: PostgresStore) -> AsyncGenerator[PostgresStore, None]:
    await store.open()
    try:
        yield store
    finally:
        await store.close()
