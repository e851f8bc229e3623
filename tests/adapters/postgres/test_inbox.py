"""The inbox in PostgreSQL when several processes use it within the same millisecond."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import psycopg
import pytest

from igniter_connectors.adapters.postgres import PostgresStore
from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.webhook.inbox import InboxEvent, NewEvent
from igniter_connectors.core.webhook.retry_policy import Delivery
from igniter_connectors.manager import worker
from tests.flows.mailroom import Call, Plan, manager

KEY = ConnectionKey("organization", "acme", "mail")
LEASE = timedelta(seconds=30)
PATIENT = timedelta(seconds=10)

# Commits wait for whoever holds the lock: those that record `first`, and those that take for `b`.
_SLOW_COMMITS = """
    CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_advisory_xact_lock_shared(TG_ARGV[0]::bigint);
        RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER slow_record AFTER INSERT ON igniter_webhook_inbox
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
        WHEN (NEW.id = 'first') EXECUTE FUNCTION wait(1);
    CREATE CONSTRAINT TRIGGER slow_claim AFTER UPDATE ON igniter_webhook_inbox
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
        WHEN (NEW.owner = 'b') EXECUTE FUNCTION wait(2);
"""
_LISTENING = (
    "SELECT pid FROM pg_stat_activity WHERE query = 'LISTEN igniter_webhooks'"
    " AND datname = current_database() AND pid <> %s"
)
_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


def event(id: str, order_key: str = "") -> NewEvent:
    return NewEvent(
        key=KEY,
        connection_id="row",
        id=id,
        event_id=id,
        sealed_body=b"sealed",
        order_key=order_key,
        body_hash=None,
        is_held=False,
        remember_for=timedelta(days=1),
    )


@asynccontextmanager
async def stores(url: str, count: int) -> AsyncGenerator[list[PostgresStore], None]:
    opened = [PostgresStore(url, deadline=PATIENT) for _ in range(count)]
    for store in opened:
        await store.open()
    try:
        yield opened
    finally:
        for store in opened:
            await store.close()


async def claim(store: PostgresStore, owner: str) -> Sequence[InboxEvent]:
    return await store.inbox.claim(["mail"], owner=owner, lease=LEASE, limit=8)


async def until_listening(beside: psycopg.AsyncConnection, other_than: int) -> int:
    async with asyncio.timeout(5):
        while True:
            row = await (await beside.execute(_LISTENING, (other_than,))).fetchone()
            if row is not None:
                return int(row[0])
            await asyncio.sleep(0.01)


async def until_waiting(gate: psycopg.AsyncConnection, count: int) -> None:
    async with asyncio.timeout(5):
        while await (await gate.execute(_WAITING)).fetchone() != (count,):  # noqa: ASYNC110  # the server tells nobody
            await asyncio.sleep(0.01)


async def test_two_events_of_one_order_key_never_run_at_once(database_url: str) -> None:
    """Even if each process looks before it can see the other's event or claim.

    The first event's commit is slow, so the second one is recorded and claimed alone. The commit
    of that claim is slow, so another process looks while it cannot see the claim.
    """
    async with (
        stores(database_url, 3) as (recorder, a, b),
        await psycopg.AsyncConnection.connect(database_url, autocommit=True) as gate,
    ):
        await gate.execute(_SLOW_COMMITS)
        await gate.execute("SELECT pg_advisory_lock(1), pg_advisory_lock(2)")
        recording = asyncio.create_task(
            recorder.inbox.record(event("first", "key"), owner="", lease=LEASE)
        )
        await until_waiting(gate, 1)
        await b.inbox.record(event("second", "key"), owner="", lease=LEASE)
        taking = asyncio.create_task(claim(b, "b"))
        await until_waiting(gate, 2)
        await gate.execute("SELECT pg_advisory_unlock(1)")
        await recording
        by_a = await claim(a, "a")
        await gate.execute("SELECT pg_advisory_unlock(2)")
        by_b = await taking
        assert ([one.id for one in by_a], [one.id for one in by_b]) == ([], ["second"])
        assert await claim(a, "a") == []
        assert await b.inbox.complete(Delivery(KEY, "second", "b", 1, timedelta(0)))
        assert [(one.id, one.attempts) for one in await claim(a, "a")] == [("first", 1)]


async def test_a_worker_listens_again_after_its_connection_broke(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broken connection is reported like any outage, and another replaces it."""
    monkeypatch.setattr(worker, "_LISTEN_RETRY_SECONDS", 0.01)
    calls: list[Call] = []
    connectors, _ = manager(PostgresStore(database_url, deadline=PATIENT), Plan(), calls)
    async with (
        connectors.as_worker() as working,
        await psycopg.AsyncConnection.connect(database_url, autocommit=True) as beside,
    ):
        working.start()
        first = await until_listening(beside, 0)
        await beside.execute("SELECT pg_terminate_backend(%s)", (first,))
        assert await until_listening(beside, first) != first
