"""The schema as a whole: what a database lacks is named in one line when a store is opened."""

from __future__ import annotations

import psycopg
import pytest

from igniter_connectors.adapters.postgres import PostgresStore
from igniter_connectors.adapters.postgres.migrations import SCHEMA_VERSION, migrations
from igniter_connectors.adapters.postgres.schema import schema_of
from igniter_connectors.ports import StoreUnavailable
from tests.postgres.databases import Databases
from tests.postgres.partitions import partition_every_table


def run(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def test_what_is_expected_is_what_the_migrations_make(database_url: str) -> None:
    """Each table, each column with its type's category, and each index."""
    expected = schema_of(one.script for one in migrations())
    columns = run(
        database_url,
        "SELECT c.relname, a.attname, y.typcategory::text FROM pg_class c"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
        " JOIN pg_type y ON y.oid = a.atttypid WHERE c.relkind = 'r'"
        " AND c.relnamespace = 'public'::regnamespace AND c.relname <> 'igniter_migrations'",
    )
    assert set(columns) == {
        (table, column, category)
        for table, listed in expected.tables.items()
        for column, category in listed.items()
    }
    indexes = run(
        database_url,
        "SELECT indexname FROM pg_indexes WHERE schemaname = 'public'"
        " AND tablename <> 'igniter_migrations'",
    )
    assert set(indexes) == {(name,) for name in expected.indexes}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("DROP TABLE igniter_revocations", "the table igniter_revocations is missing$"),
        (
            "ALTER TABLE igniter_connections DROP COLUMN status CASCADE",
            r"the column igniter_connections.status is missing, the index \w+ is missing",
        ),
        (
            "ALTER TABLE igniter_connections ALTER profile TYPE text USING ''",
            "the column igniter_connections.profile has another type$",
        ),
        (
            "DROP INDEX igniter_webhook_inbox_heads",
            "the index igniter_webhook_inbox_heads is missing$",
        ),
        (
            "ALTER TABLE igniter_revocations DROP CONSTRAINT igniter_revocations_pkey",
            "the index igniter_revocations_pkey is missing$",
        ),
        (
            "DROP TABLE igniter_revocations; CREATE TABLE igniter_revocations (order_no int)",
            "the table igniter_revocations is of another program$",
        ),
        (
            (
                "ALTER TABLE igniter_revocations RENAME TO other; CREATE VIEW"
                " igniter_revocations AS TABLE other"
            ),
            "igniter_revocations is not a table$",
        ),
        (
            (
                "DROP TABLE igniter_webhook_inbox, igniter_revocations, igniter_authorizations,"
                " igniter_connections, igniter_webhook_endpoints"
            ),
            "is missing, and 2 more$",
        ),
        (
            "DELETE FROM igniter_migrations WHERE version = 2",
            "migration 2 is not recorded in igniter_migrations, but 3 is$",
        ),
        (
            "UPDATE igniter_migrations SET name = 'users' WHERE version = 1",
            "igniter_migrations records another migration 1 than 0001_connections$",
        ),
        (
            "DROP TABLE igniter_migrations; CREATE TABLE igniter_migrations (id int)",
            "the table igniter_migrations is of another program$",
        ),
    ],
)
async def test_a_fault_is_named_when_a_store_is_opened(
    change: str, fault: str, database_url: str
) -> None:
    """Before any call meets it."""
    run(database_url, change)
    with pytest.raises(StoreUnavailable, match=fault) as caught:
        await PostgresStore(database_url).open()
    assert "\n" not in caught.value.reason


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM igniter_migrations WHERE version = 2",
        "UPDATE igniter_migrations SET name = 'users' WHERE version = 1",
        "DROP TABLE igniter_migrations; CREATE TABLE igniter_migrations (id int)",
        "DROP TABLE igniter_migrations",
    ],
)
async def test_migrating_such_a_database_changes_nothing(change: str, database_url: str) -> None:
    """It says what is wrong, or that a table is there that it did not make."""
    run(database_url, change)
    with pytest.raises(StoreUnavailable, match=r"igniter_migrations|did not make"):
        await PostgresStore(database_url).migrate()


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE igniter_connections ADD COLUMN note text",
        "ALTER TABLE igniter_connections ALTER version TYPE numeric",
        "CREATE INDEX more ON igniter_connections (created_at)",
        "CREATE SCHEMA other; CREATE TABLE other.igniter_connections (a int)",
    ],
)
async def test_what_an_administrator_may_change_is_not_refused(
    change: str, database_url: str
) -> None:
    """More columns, more indexes, a wider type, the same name in another schema."""
    run(database_url, change)
    store = PostgresStore(database_url)
    await store.open()
    await store.close()


async def test_partitioned_tables_are_the_librarys_too(databases: Databases) -> None:
    """Their indexes have other names."""
    with databases.migrated() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            partition_every_table(connection)
        store = PostgresStore(url)
        await store.open()
        await store.close()


def test_the_version_counts_the_migrations() -> None:
    """So that a gap is a gap."""
    assert len(migrations()) == SCHEMA_VERSION
