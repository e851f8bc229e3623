"""The benchmarks' own PostgreSQL server, and the connections in its databases.

One server per run, started when the first row needs it. A database of a given size is filled once
and then used by every row that needs that size. Each database has the same number of real
connections, which the library made and which are spread over the whole table. The other rows have
the same size, but cannot be opened.
"""

import atexit
from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager
from functools import cache
from typing import TypeAlias

import psycopg
from tests.postgres.databases import Databases
from tests.postgres.population import CONNECTIONS_PER_TENANT, analyze, populate
from tests.postgres.server import Server

from benchmarks.actions import BOT_TOKEN, CHAT_ID, Organization, TelegramConfig
from igniter_connectors import (
    Connector,
    ConnectorManager,
    Connectors,
    Keyring,
    Secret,
    value_or_raise,
)
from igniter_connectors.adapters.postgres import PostgresStore

Manager: TypeAlias = Connectors[TelegramConfig, Organization]

POOL_SIZE = 10
REAL_TENANTS = 50
REAL_CONNECTIONS = REAL_TENANTS * CONNECTIONS_PER_TENANT

CONFIG = TelegramConfig(Secret(BOT_TOKEN), CHAT_ID)
ACCOUNTS = tuple(f"account-{number}" for number in range(CONNECTIONS_PER_TENANT))

TELEGRAM = Connector.create("telegram").with_config(TelegramConfig).build()
KEYRING = Keyring.from_secret(Keyring.generate())

_URLS: dict[int, str] = {}
_RUN = ExitStack()
atexit.register(_RUN.close)


@cache
def databases() -> Databases:
    """The databases of this run. Their server stops at the end of the run."""
    return Databases(_RUN.enter_context(Server()).url())


def keep_open(database: AbstractContextManager[str]) -> str:
    """The URL of a database that is kept until the run ends."""
    return _RUN.enter_context(database)


def tenants(connections: int) -> list[Organization]:
    """The real tenants of a database of this size, spread over the order of all names."""
    step = connections // REAL_TENANTS
    return [Organization(f"tenant-{number * step}-real") for number in range(REAL_TENANTS)]


@asynccontextmanager
async def connected_to(connections: int) -> AsyncGenerator[Manager, None]:
    """A manager on a database with this many connections."""
    if connections not in _URLS:
        url = keep_open(databases().migrated())
        async with manager_of(url) as manager:
            await fill(manager, url, connections)
        _URLS[connections] = url
    async with manager_of(_URLS[connections]) as manager:
        yield manager


def manager_of(url: str) -> Manager:
    return (
        ConnectorManager.create()
        .with_database(PostgresStore(url, min_size=POOL_SIZE, max_size=POOL_SIZE))
        .with_encryption(KEYRING)
        .add_scope(Organization)
        .add_connector(TELEGRAM)
        .build()
    )


async def fill(manager: Manager, url: str, connections: int) -> None:
    """Fills a database. The real connections are inserted between the others."""
    share = (connections - REAL_CONNECTIONS) // REAL_TENANTS
    with psycopg.connect(url, autocommit=True) as connection:
        for number, tenant in enumerate(tenants(connections)):
            populate(connection, range(number * share, (number + 1) * share))
            for account in ACCOUNTS:
                at_telegram = manager.scope(tenant).at(TELEGRAM, account=account)
                value_or_raise(await at_telegram.connect(CONFIG))
        analyze(connection)
