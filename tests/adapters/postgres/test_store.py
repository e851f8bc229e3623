"""What the contract cannot check:

rows that nobody finds, unusual names, settings of the database.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from igniter_connectors.adapters.postgres import PostgresStore
from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord, Grant
from igniter_connectors.core.oauth.state import PendingAuthorization
from igniter_connectors.core.webhook.endpoint import EndpointRecord
from igniter_connectors.ports import StoreUnavailable
from tests.postgres.databases import name_in

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = ConnectionKey("organization", "acme", "mail")
GRANT = Grant(b"tokens", 1, "grant", ("read",), True, NOW, NOW)


@pytest.fixture
async def store(database_url: str) -> AsyncGenerator[PostgresStore, None]:
    store = PostgresStore(database_url)
    await store.open()
    yield store
    await store.close()


def record(key: ConnectionKey = KEY, id: str = "row-1") -> ConnectionRecord:
    return ConnectionRecord(key, id, b"{}", b"sealed", True, 1, NOW, NOW)


def endpoint(token: bytes, connection_id: str) -> EndpointRecord:
    return EndpointRecord(token, token.hex(), KEY, connection_id, b"secret", NOW)


def rows(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


async def test_deleting_leaves_no_row_of_an_endpoint(
    store: PostgresStore, database_url: str
) -> None:
    """The rows are deleted, not only hidden, with their secrets."""
    await store.insert(record())
    await store.add_endpoint(endpoint(b"1", "row-1"))
    await store.add_endpoint(endpoint(b"2", "row-1"))
    assert await store.disconnect(KEY, revocation=None, now=NOW)
    assert rows(database_url, "SELECT * FROM igniter_webhook_endpoints") == []


async def test_an_endpoint_of_a_deleted_connection_is_not_found(store: PostgresStore) -> None:
    """It was added while its connection was being deleted.

    It stays in the table and accepts nothing.
    """
    await store.add_endpoint(endpoint(b"1", "an earlier row"))
    await store.insert(record())
    assert await store.find_endpoint(b"1") is None
    assert list(await store.list_endpoints(KEY)) == []


async def test_adding_deletes_some_expired_authorizations(
    store: PostgresStore, database_url: str
) -> None:
    """A bounded number for each one that is added, the oldest first, so that no call takes long."""
    await asyncio.gather(
        *(
            store.add_authorization(
                PendingAuthorization(bytes([n]), b"b", "id", KEY, b"p"), lifetime=timedelta(0)
            )
            for n in range(20)
        )
    )
    pending = PendingAuthorization(b"new", b"b", "id", KEY, b"p")
    await store.add_authorization(pending, lifetime=timedelta(minutes=1))
    assert rows(database_url, "SELECT handle_hash FROM igniter_authorizations") == [(b"new",)]


def test_names_are_compared_byte_by_byte(database_url: str) -> None:
    """Whatever the collation of the database, so that pages follow in the same order."""
    other = rows(
        database_url,
        "SELECT table_name, column_name, collation_name FROM information_schema.columns"
        " WHERE table_name LIKE 'igniter%' AND data_type = 'text'"
        " AND collation_name IS DISTINCT FROM 'C'",
    )
    assert other == [("igniter_migrations", "name", None)]


async def test_instants_are_utc_whatever_the_session_says(database_url: str) -> None:
    """A time zone of the database or of its user changes nothing."""
    name = name_in(database_url)
    rows(database_url, f"ALTER DATABASE {name} SET TimeZone = 'Asia/Kathmandu'")
    store = PostgresStore(database_url)
    await store.open()
    await store.insert(record())
    found = await store.find(KEY)
    await store.close()
    assert found == record()
    assert found is not None
    assert found.created_at.tzinfo is UTC


@pytest.mark.parametrize(
    "change",
    ["status = 'gone_fishing'", "generation = NULL", "sealed_tokens = NULL", "refreshed_at = NULL"],
)
async def test_a_row_that_somebody_else_wrote_is_a_problem(
    change: str, store: PostgresStore, database_url: str
) -> None:
    """It is not read as something else."""
    granted = ConnectionRecord(KEY, "r", b"{}", b"s", True, 1, NOW, NOW, grant=GRANT)
    await store.insert(granted)
    assert await store.find(KEY) == granted
    rows(database_url, f"UPDATE igniter_connections SET {change}")
    with pytest.raises(StoreUnavailable, match="not of this schema"):
        await store.find(KEY)


async def test_a_value_that_cannot_be_stored_fails_only_its_own_caller(
    store: PostgresStore,
) -> None:
    """PostgreSQL stores no NUL and no lone surrogate. The other reads continue."""
    await store.insert(record())
    keys = [KEY, ConnectionKey("s", "a\x00b", "c"), ConnectionKey("s", "\ud800", "c"), KEY]
    outcomes = await asyncio.gather(*(store.find(key) for key in keys * 4), return_exceptions=True)
    for key, outcome in zip(keys * 4, outcomes, strict=True):
        if key == KEY:
            assert outcome == record()
        else:
            assert isinstance(outcome, StoreUnavailable)


# As `is_storable` has it: no control characters, no halves of pairs.
names = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20)
odd_names = st.one_of(names, st.text("{}\",\\ NUL'%$", min_size=1, max_size=8))
keys = st.builds(ConnectionKey, odd_names, odd_names, odd_names, odd_names)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(st.lists(keys, min_size=4, max_size=30, unique=True))
async def test_in_a_batch_each_name_finds_its_own_row(
    database_url: str, wanted: list[ConnectionKey]
) -> None:
    """A name that looks like part of an array does not shift the others."""
    rows(database_url, "TRUNCATE igniter_connections")
    store = PostgresStore(database_url)
    await store.open()
    try:
        stored = {key: record(key, f"row-{n}") for n, key in enumerate(wanted[::2])}
        await asyncio.gather(*map(store.insert, stored.values()))
        found = await asyncio.gather(*map(store.find, wanted))
        assert found == [stored.get(key) for key in wanted]
    finally:
        await store.close()


def test_without_psycopg_one_line_says_what_to_install() -> None:
    """The rest of the library does not need it."""
    script = (
        "import sys; sys.modules['psycopg'] = None; import igniter_connectors;"
        "import igniter_connectors.adapters.postgres"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=False, text=True
    )
    assert ended.stderr.splitlines()[-1] == (
        "ImportError: PostgresStore needs psycopg: pip install 'igniter-connectors[postgres]'"
    )
    assert "ModuleNotFoundError" not in ended.stderr
