"""Reading a connection from PostgreSQL: look up, open, decode into a typed value.

The floor is hand-written and does only the necessary work: one prepared statement in autocommit
through psycopg's own pool with binary results, only the needed columns, one decryption with a
reused cipher, two reused typed JSON decoders, and a frozen value whose secret redacts itself. Its
table has the same number of rows of the same size, with the same four key columns. Both sides read
the same connections with pools of the same size.

`resolve-16` runs sixteen concurrent tasks. Each reads one connection after another. No two tasks
read the same connection, so nothing is saved by sharing a read.

The peer is an application that maps the table with SQLAlchemy and opens a session for each read.
It decrypts and decodes like the floor.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import cache
from itertools import cycle, islice
from time import perf_counter
from typing import TypeAlias

import msgspec
import psycopg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg_pool import AsyncConnectionPool
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from benchmarks.actions import (
    BOT_TOKEN,
    CHAT_ID,
    Config,
    PublicPart,
    Redacted,
    SecretPart,
)
from benchmarks.database import (
    ACCOUNTS,
    CONFIG,
    POOL_SIZE,
    REAL_CONNECTIONS,
    TELEGRAM,
    connected_to,
    databases,
    keep_open,
    tenants,
)
from benchmarks.measure import AtLeast, AtMost, Batch, Benchmark, Sides, require_answer
from igniter_connectors import value_or_raise

TASKS = 16

Address: TypeAlias = tuple[str, str, str, str]
Read: TypeAlias = Callable[[], Awaitable[object]]


def addresses() -> list[Address]:
    """The addresses of all connections that are read."""
    found = tenants(REAL_CONNECTIONS)
    return [(one.kind, one.identity, TELEGRAM.key, name) for one in found for name in ACCOUNTS]


@asynccontextmanager
async def ours_reads() -> AsyncGenerator[list[Read], None]:
    """`at.get()` for each connection, on a manager that stays open."""
    async with connected_to(REAL_CONNECTIONS) as connectors:
        ats = [
            connectors.scope(tenant).at(TELEGRAM, account=account)
            for tenant in tenants(REAL_CONNECTIONS)
            for account in ACCOUNTS
        ]
        for at_telegram in ats:
            require_answer(value_or_raise(await at_telegram.get()).config, CONFIG)
        yield [at_telegram.get for at_telegram in ats]


CIPHER = AESGCM(AESGCM.generate_key(256))
decode_public = msgspec.json.Decoder(PublicPart).decode
decode_secret = msgspec.json.Decoder(SecretPart).decode


class Resolved(msgspec.Struct, frozen=True):
    """The fields of the library's `Connection`."""

    connector: str
    account: str
    id: str
    config: Config
    enabled: bool
    status: str
    version: int
    created_at: datetime
    updated_at: datetime


def associated_data(address: Address) -> bytes:
    return "\x00".join(address).encode()


def opened(address: Address, public_config: bytes, sealed_config: bytes) -> Config:
    """Decrypts and decodes."""
    plaintext = CIPHER.decrypt(sealed_config[:12], sealed_config[12:], associated_data(address))
    secret = decode_secret(plaintext)
    return Config(Redacted(secret.bot_token), decode_public(public_config).chat_id)


_TABLE = """
    CREATE TABLE by_hand (
        scope text NOT NULL, identity text NOT NULL, connector text NOT NULL, account text NOT NULL,
        id text NOT NULL, public_config bytea NOT NULL, sealed_config bytea NOT NULL,
        enabled boolean NOT NULL, status text NOT NULL, version bigint NOT NULL,
        created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
        PRIMARY KEY (scope, identity, connector, account)
    )
"""
_ADD = "INSERT INTO by_hand VALUES (%s, %s, %s, %s, %s, %s, %s, true, 'ok', 1, now(), now())"
_SELECT = """
    SELECT id, public_config, sealed_config, enabled, status, version, created_at, updated_at
    FROM by_hand WHERE scope = %s AND identity = %s AND connector = %s AND account = %s
"""


@cache
def by_hand_url() -> str:
    """The URL of a database with the hand-written table."""
    url = keep_open(databases().empty())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_TABLE)
        for address in addresses():
            nonce = os.urandom(12)
            secret = msgspec.json.encode(SecretPart(BOT_TOKEN))
            sealed = nonce + CIPHER.encrypt(nonce, secret, associated_data(address))
            public = msgspec.json.encode(PublicPart(CHAT_ID))
            connection.execute(_ADD, (*address, os.urandom(16).hex(), public, sealed))
        connection.execute("VACUUM ANALYZE by_hand")
    return url


@asynccontextmanager
async def hand_written_reads() -> AsyncGenerator[list[Read], None]:
    """The hand-written floor."""
    pool = AsyncConnectionPool(
        by_hand_url(),
        kwargs={"autocommit": True, "prepare_threshold": 0},
        min_size=POOL_SIZE,
        max_size=POOL_SIZE,
        open=False,
    )

    async def read(address: Address) -> Resolved:
        async with pool.connection() as connection:
            cursor = await connection.execute(_SELECT, address, binary=True)
            row = await cursor.fetchone()
        if row is None:
            raise LookupError
        id, public_config, sealed_config, enabled, status, version, created_at, updated_at = row
        return Resolved(
            address[2],
            address[3],
            id,
            opened(address, public_config, sealed_config),
            enabled,
            status,
            version,
            created_at,
            updated_at,
        )

    async with pool:
        await pool.wait()
        require_answer((await read(addresses()[-1])).config.bot_token.reveal(), BOT_TOKEN)
        yield [lambda address=address: read(address) for address in addresses()]  # type: ignore[misc]


class Base(DeclarativeBase):
    """Declarative base of SQLAlchemy."""


class ByHand(Base):
    """The hand-written table as a mapped class."""

    __tablename__ = "by_hand"

    scope: Mapped[str] = mapped_column(primary_key=True)
    identity: Mapped[str] = mapped_column(primary_key=True)
    connector: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str]
    public_config: Mapped[bytes]
    sealed_config: Mapped[bytes]
    enabled: Mapped[bool]
    status: Mapped[str]
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


@asynccontextmanager
async def sqlalchemy_reads() -> AsyncGenerator[list[Read], None]:
    """The SQLAlchemy peer."""
    engine = create_async_engine(
        by_hand_url().replace("postgresql://", "postgresql+psycopg://"), pool_size=POOL_SIZE
    )
    session_of = async_sessionmaker(engine)

    async def read(address: Address) -> Config:
        async with session_of() as session:
            row = await session.get(ByHand, address)
            if row is None:
                raise LookupError
            return opened(address, row.public_config, row.sealed_config)

    try:
        require_answer((await read(addresses()[0])).bot_token.reveal(), BOT_TOKEN)
        yield [lambda address=address: read(address) for address in addresses()]  # type: ignore[misc]
    finally:
        await engine.dispose()


def one_after_another(reads: Sequence[Read]) -> Batch:
    """Batches of reads in one task."""
    endless = cycle(reads)

    async def batch(iterations: int) -> float:
        upcoming = list(islice(endless, iterations))
        started = perf_counter()
        for read in upcoming:
            await read()
        return perf_counter() - started

    return batch


def at_once(reads: Sequence[Read]) -> Batch:
    """Batches of reads in 16 tasks, each with its own connections."""
    endless = [cycle(reads[number::TASKS]) for number in range(TASKS)]

    async def batch(iterations: int) -> float:
        shares = [list(islice(own, iterations // TASKS)) for own in endless]
        for number in range(iterations % TASKS):
            shares[number].append(next(endless[number]))

        async def work(share: list[Read]) -> None:
            for read in share:
                await read()

        started = perf_counter()
        await asyncio.gather(*map(work, shares))
        return perf_counter() - started

    return batch


@asynccontextmanager
async def against_by_hand() -> AsyncGenerator[Sides, None]:
    async with ours_reads() as ours, hand_written_reads() as theirs:
        yield Sides(ours=one_after_another(ours), against=one_after_another(theirs))


@asynccontextmanager
async def against_by_hand_at_once() -> AsyncGenerator[Sides, None]:
    async with ours_reads() as ours, hand_written_reads() as theirs:
        yield Sides(ours=at_once(ours), against=at_once(theirs))


@asynccontextmanager
async def against_sqlalchemy() -> AsyncGenerator[Sides, None]:
    async with ours_reads() as ours, sqlalchemy_reads() as theirs:
        yield Sides(ours=one_after_another(ours), against=one_after_another(theirs))


ROWS = (
    Benchmark(
        name="resolve-1",
        against="psycopg by hand",
        bar=AtMost(1.15),
        open_sides=against_by_hand,
    ),
    Benchmark(
        name="resolve-16",
        against="psycopg by hand, 16 tasks",
        bar=AtLeast(3),
        open_sides=against_by_hand_at_once,
    ),
    Benchmark(
        name="resolve-1-sqlalchemy",
        against="an ORM session of SQLAlchemy",
        bar=AtLeast(2.5),
        open_sides=against_sqlalchemy,
    ),
)
