"""Errors of PostgreSQL: which pass by themselves, and which stay however often one tries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from igniter_connectors.adapters.postgres import PostgresStore
from igniter_connectors.adapters.postgres.errors import unavailable
from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.ports import StoreRefused, StoreUnavailable

NOW = datetime(2026, 3, 1, tzinfo=UTC)
KEY = ConnectionKey("organization", "acme", "mail")
RECORD = ConnectionRecord(KEY, "row-1", b"{}", b"sealed-canary", True, 1, NOW, NOW)


@pytest.mark.parametrize(
    ("statement", "is_refused"),
    [
        ("DROP TABLE igniter_connections", True),
        ("ALTER TABLE igniter_connections RENAME COLUMN sealed_config TO other", True),
        ("ALTER TABLE igniter_connections ADD CHECK (id <> 'row-1')", True),
        ("ALTER TABLE igniter_connections ALTER version TYPE boolean USING true", True),
        ("ALTER TABLE igniter_connections ADD COLUMN more integer NOT NULL", True),
        ("ALTER DATABASE {} SET default_transaction_read_only = on", False),
    ],
)
async def test_a_refusal_differs_from_an_outage(
    statement: str, is_refused: bool, database_url: str
) -> None:
    """A statement that can never succeed is `StoreRefused`; what passes by itself is not."""
    store = PostgresStore(database_url)
    await store.open()
    try:
        with psycopg.connect(database_url, autocommit=True) as owner:
            owner.execute(statement.format(owner.info.dbname).encode())
            owner.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        with pytest.raises(StoreUnavailable) as caught:
            await store.insert(RECORD)
    finally:
        await store.close()
    assert isinstance(caught.value, StoreRefused) is is_refused, caught.value
    assert "canary" not in caught.value.reason


@pytest.mark.parametrize("text", ["a\x00b", "\ud83d"])
async def test_a_value_that_no_column_holds_is_refused(text: str, database_url: str) -> None:
    """Before the database sees it, too."""
    store = PostgresStore(database_url)
    await store.open()
    try:
        with pytest.raises(StoreRefused):
            await store.insert(ConnectionRecord(KEY, text, b"{}", b"", True, 1, NOW, NOW))
        with pytest.raises(StoreRefused):
            await store.insert(ConnectionRecord(KEY, "r", b"{}", b"", True, 2**70, NOW, NOW))
    finally:
        await store.close()


@pytest.mark.parametrize(
    ("state", "is_refused"),
    [
        *(
            (state, True)
            for state in ("22021", "23505", "42P01", "42501", "54000", "0A000", "P0001")
        ),
        *((state, False) for state in ("08006", "25006", "28P01", "3D000", "40001", "40P01")),
        *((state, False) for state in ("53100", "53300", "55P03", "57014", "57P01", "58030")),
    ],
)
def test_the_class_of_the_state_decides(state: str, is_refused: bool) -> None:
    """As PostgreSQL documents the classes in appendix A."""
    error = psycopg.errors.lookup(state)("canary")
    assert isinstance(unavailable(error), StoreRefused) is is_refused
    assert "canary" not in unavailable(error).reason


@pytest.mark.parametrize(
    ("error", "is_refused"),
    [
        (psycopg.OperationalError("the connection is lost"), False),
        (psycopg.InterfaceError("the connection is closed"), False),
        (OSError("no route"), False),
        (psycopg.ProgrammingError("cannot adapt type"), True),
        (ValueError("canary"), True),
    ],
)
def test_without_a_state_the_exception_decides(error: Exception, is_refused: bool) -> None:
    """libpq and psycopg raise these by themselves."""
    assert isinstance(unavailable(error), StoreRefused) is is_refused


def test_what_pgbouncer_says_is_transient_and_names_its_setting() -> None:
    """With the state of a protocol violation."""
    text = "server login has been failing, try again later (server_login_retry)"
    error = unavailable(psycopg.errors.lookup("08P01")(text))
    assert not isinstance(error, StoreRefused)
    assert "server_login_retry" in error.reason


async def test_a_server_that_is_away_is_transient() -> None:
    """Nothing listens there."""
    store = PostgresStore("postgresql://u@127.0.0.1:1/x", deadline=timedelta(seconds=1))
    with pytest.raises(StoreUnavailable) as caught:
        await store.open()
    assert not isinstance(caught.value, StoreRefused)
