"""Migrations: from an empty database and from each version, by several processes, all or
nothing."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import timedelta
from time import monotonic, sleep

import psycopg
import pytest

from igniter_connectors.adapters.postgres import PostgresStore
from igniter_connectors.adapters.postgres import migrations as module
from igniter_connectors.adapters.postgres.migrations import (
    _LOCK,
    SCHEMA_VERSION,
    Migration,
    migrations,
)
from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.ports import StoreUnavailable
from igniter_connectors.testing.contract_events import KEY, claim_events, delivery
from tests.postgres.databases import Databases

NAMES = [one.name for one in migrations()]
NEXT = Migration(SCHEMA_VERSION + 1, "9999_next", "CREATE TABLE igniter_next (a integer)")
BROKEN = Migration(SCHEMA_VERSION + 2, "9999_broken", "CREATE TABLE igniter_next (a integer)")


def test_the_last_file_is_the_version_that_the_library_reads() -> None:
    """The files are numbered from 1 without a gap, up to the constant."""
    assert [int(name.partition("_")[0]) for name in NAMES] == list(range(1, SCHEMA_VERSION + 1))


async def test_an_empty_database_is_refused_until_it_is_migrated(empty_database_url: str) -> None:
    """Opening and planning change nothing, nor does a second migration."""
    store = PostgresStore(empty_database_url)
    with pytest.raises(StoreUnavailable, match="no tables yet: run `igniter-connectors migrate`"):
        await store.open()
    assert await store.plan() == NAMES
    assert tables(empty_database_url) == []
    assert await store.migrate() == NAMES
    assert await store.plan() == []
    assert await store.migrate() == []
    await store.open()
    await store.close()


@pytest.mark.parametrize("version", range(SCHEMA_VERSION + 1))
async def test_every_earlier_version_becomes_the_newest(
    version: int, databases: Databases, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tables are the same as in a new database."""
    with databases.empty() as url:
        store = PostgresStore(url)
        with monkeypatch.context() as patch:
            patch.setattr(module, "migrations", lambda: migrations()[:version])
            assert await store.migrate() == NAMES[:version]
        assert await store.migrate() == NAMES[version:]
        assert tables(url) == tables(database_url)


async def test_accounts_become_a_part_of_their_rows(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row with one account keeps it. Of several nobody knows which is right, so none is kept."""
    accounts = {"one": ["T1"], "several": ["T1", "T2"], "none": [], "gone": ["T1"]}
    with databases.empty() as url:
        store = PostgresStore(url)
        with monkeypatch.context() as patch:
            patch.setattr(module, "migrations", lambda: migrations()[:5])
            await store.migrate()
        for name, teams in accounts.items():
            status = "disconnected" if name == "gone" else "ok"
            run(
                url,
                "INSERT INTO igniter_connections (scope, identity, connector, account, id,"
                " public_config, sealed_config, enabled, version, created_at, updated_at, status,"
                " failures, unresolved) VALUES"
                f" ('organization', '{name}', 'chat', 'default', 'row-{name}', '', '', true, 1,"
                f" now(), now(), '{status}', 0, false)",
            )
            for team in teams:
                run(
                    url,
                    "INSERT INTO igniter_webhook_accounts VALUES"
                    f" ('chat', '{team}', 'organization', '{name}', 'default', 'row-{name}'),"
                    f" ('chat', '{team}', 'organization', '{name}', 'default', 'row-before')"
                    " ON CONFLICT DO NOTHING",
                )
        assert await store.migrate() == NAMES[5:]
        assert run(url, "SELECT identity, upstream FROM igniter_connections ORDER BY 1") == [
            ("gone", None),
            ("none", None),
            ("one", "T1"),
            ("several", None),
        ]
        await store.open()
        (found,) = await store.routing.find_by_account("chat", "T1")
        await store.close()
        assert found.key.identity == "one"


async def test_events_from_before_keep_what_they_had(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Version 5 had no reasons. Its events get an empty one, and can be replayed and fail again."""
    with databases.empty() as url:
        with monkeypatch.context() as patch:
            patch.setattr(module, "migrations", lambda: migrations()[:5])
            await PostgresStore(url).migrate()
        run(
            url,
            "INSERT INTO igniter_webhook_inbox (scope, identity, connector, account,"
            " connection_id, id, event_id, state, attempts, received_at, order_key, due_at, owner,"
            " last_code, possible_replay, sealed_body, keep_until) VALUES ('organization', 'acme',"
            " 'mail', 'default', 'row', 'id', 'evt', 'dead', 12, now(), '', now(), '', 'CODE',"
            " false, 'sealed', now() + interval '1 day')",
        )
        store = PostgresStore(url)
        assert await store.migrate() == NAMES[5:]
        await store.open()
        try:
            dead = await store.inbox.find(KEY, "id")
            assert dead is not None
            assert (dead.state, dead.attempts, dead.last_code) == ("dead", 12, "CODE")
            assert (dead.last_reason, dead.sealed_body) == ("", b"sealed")
            assert await store.inbox.replay(KEY, "id")
            (again,) = await claim_events(store)
            assert await store.inbox.dead_letter(delivery(again.id), code="X", reason="why")
            found = await store.inbox.find(KEY, "id")
            assert found is not None
            assert found.last_reason == "why"
        finally:
            await store.close()


async def test_a_schema_that_is_too_old_says_what_to_do(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer library does not use old tables."""
    monkeypatch.setattr(module, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
    with pytest.raises(StoreUnavailable, match=r"version \d.*run `igniter-connectors migrate`"):
        await PostgresStore(database_url).open()


async def test_a_schema_that_is_too_new_says_what_to_do(database_url: str) -> None:
    """An older library neither uses nor changes newer tables."""
    run(
        database_url,
        f"INSERT INTO igniter_migrations (version, name) VALUES ({SCHEMA_VERSION + 1}, 'x')",
    )
    before = tables(database_url)
    store = PostgresStore(database_url)
    for refused in (store.open, store.plan, store.migrate):
        with pytest.raises(StoreUnavailable, match="install a newer igniter-connectors"):
            await refused()
    assert tables(database_url) == before


async def test_a_migration_that_fails_leaves_nothing(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither its own tables nor those of the migration before it in the same run."""
    before = tables(database_url)
    monkeypatch.setattr(module, "migrations", lambda: (*migrations(), NEXT, BROKEN))
    with pytest.raises(StoreUnavailable, match="42P07"):
        await PostgresStore(database_url).migrate()
    assert tables(database_url) == before
    assert await PostgresStore(database_url).plan() == [NEXT.name, BROKEN.name]


def test_four_processes_migrate_at_once(empty_database_url: str) -> None:
    """One migrates, the others wait and find it done. The test sees all four wait first."""
    script = (
        "import asyncio, sys; from igniter_connectors.adapters.postgres import PostgresStore;"
        "print(*asyncio.run(PostgresStore(sys.argv[1]).migrate()))"
    )
    with psycopg.connect(empty_database_url) as holder:
        holder.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", script, empty_database_url],
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(4)
        ]
        wait_until(empty_database_url, "count(*) = 4", "pg_locks", "NOT granted")
    outputs = [process.communicate(timeout=30)[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    assert sorted(outputs) == [[], [], [], NAMES]
    assert run(empty_database_url, "SELECT name FROM igniter_migrations ORDER BY version") == [
        (name,) for name in NAMES
    ]


async def test_waiting_for_another_process_ends(empty_database_url: str) -> None:
    """A process that hangs while it migrates is reported within the given time.

    Nothing was changed.
    """
    with psycopg.connect(empty_database_url) as holder:
        holder.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        began = monotonic()
        with pytest.raises(StoreUnavailable):
            await PostgresStore(empty_database_url).migrate(within=timedelta(milliseconds=300))
        assert monotonic() - began < 1
    assert tables(empty_database_url) == []


async def test_the_deadline_of_calls_does_not_end_a_migration(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An index on a large table takes longer than a call may."""
    slow = Migration(SCHEMA_VERSION + 1, "9999_slow", "SELECT pg_sleep(0.3)")
    monkeypatch.setattr(module, "migrations", lambda: (*migrations(), slow))
    store = PostgresStore(database_url, deadline=timedelta(milliseconds=150))
    assert await store.migrate() == [slow.name]


async def test_readers_do_not_wait_behind_a_migration(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another session uses the table: it is asked for again and again, and readers go on."""
    change = Migration(
        SCHEMA_VERSION + 1, "9999_change", "ALTER TABLE igniter_connections ADD COLUMN a integer"
    )
    store = PostgresStore(database_url)
    await store.open()
    key = ConnectionKey("organization", "acme", "mail")
    said: list[str] = []
    try:
        with psycopg.connect(database_url) as holder:
            holder.execute("SELECT count(*) FROM igniter_connections")
            monkeypatch.setattr(module, "migrations", lambda: (*migrations(), change))
            migrating = asyncio.create_task(store.migrate(on_wait=said.append))
            while len(said) < 3:
                assert await store.find(key) is None
                await asyncio.sleep(0)
            process = holder.info.backend_pid
            holder.commit()
        assert await migrating == [change.name]
    finally:
        await store.close()
    assert set(said) == {
        f"waiting for igniter_connections: session {process} uses it (idle in transaction)"
    }


async def test_a_table_that_stays_in_use_ends_the_migration_in_time(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is changed, and the reason says why."""
    change = Migration(
        SCHEMA_VERSION + 1, "9999_change", "ALTER TABLE igniter_connections ADD COLUMN a integer"
    )
    monkeypatch.setattr(module, "migrations", lambda: (*migrations(), change))
    before = tables(database_url)
    with psycopg.connect(database_url) as holder:
        holder.execute("SELECT count(*) FROM igniter_connections")
        with pytest.raises(StoreUnavailable, match="lock in time"):
            await PostgresStore(database_url).migrate(within=timedelta(seconds=1.5))
    assert tables(database_url) == before


async def test_two_tasks_of_one_process_migrate_at_once(empty_database_url: str) -> None:
    """Like two processes."""
    store = PostgresStore(empty_database_url)
    outcomes = await asyncio.gather(store.migrate(), store.migrate())
    assert sorted(outcomes, key=len) == [[], NAMES]


def run(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def tables(url: str) -> list[tuple[object, ...]]:
    """Every column and index, in order."""
    return run(
        url,
        "SELECT table_name, column_name, data_type, is_nullable, collation_name"
        " FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2",
    ) + run(url, "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1")


def wait_until(url: str, condition: str, table: str, where: str) -> None:
    deadline = monotonic() + 20
    while run(url, f"SELECT {condition} FROM {table} WHERE {where}") != [(True,)]:
        assert monotonic() < deadline, "what was waited for did not come"
        sleep(0.02)
