"""Order keys in PostgreSQL: races, crashes, and the cost of a long queue."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import psycopg
import pytest
from psycopg.rows import scalar_row

from igniter_connectors.adapters.postgres import PostgresStore, inbox_statements
from igniter_connectors.adapters.postgres import migrations as module
from igniter_connectors.adapters.postgres.migrations import migrations
from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.webhook.inbox import InboxEvent
from igniter_connectors.core.webhook.retry_policy import Delivery
from igniter_connectors.testing.contract_events import LONG, claim_events, new_event
from tests.postgres.databases import Databases

KEY = ConnectionKey("organization", "acme", "mail")

_WAITING = """
    INSERT INTO igniter_webhook_inbox (scope, identity, connector, account, connection_id, id,
        event_id, state, attempts, received_at, order_key, due_at, owner, last_code,
        possible_replay, sealed_body, keep_until)
    SELECT 'organization', 'acme', 'mail', 'default', 'row', 'evt-' || lpad(n::text, 7, '0'), '',
        'pending', 0, now() + n * interval '1 microsecond', 'key', now(), '', '', false, '\\x00',
        now() + interval '1 day'
    FROM generate_series(1, {count}) AS n
"""


@asynccontextmanager
async def stores(url: str, count: int) -> AsyncGenerator[list[PostgresStore], None]:
    opened = [PostgresStore(url, deadline=timedelta(seconds=10)) for _ in range(count)]
    for store in opened:
        await store.open()
    try:
        yield opened
    finally:
        for store in opened:
            await store.close()


async def run(url: str, statement: str) -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute(statement.encode())


def of(event: InboxEvent, owner: str) -> Delivery:
    return Delivery(event.key, event.id, owner, event.attempts, timedelta(0))


async def test_records_and_completions_race_and_no_event_is_left_behind(database_url: str) -> None:
    """Four processes record, complete, retry and dead-letter at random; nobody sweeps.

    At any time one event of a key runs, and in the end all have been handled.
    """
    count, keys = 120, ("a", "b", "c")
    running: dict[str, int] = defaultdict(int)
    handled: set[str] = set()
    chance = random.Random(7)  # a test's choices
    async with stores(database_url, 4) as opened:

        async def record(store: PostgresStore, number: int) -> None:
            event = new_event(f"evt-{number}", order_key=chance.choice(keys))
            await asyncio.sleep(chance.random())
            assert await store.inbox.record(event, owner="", lease=LONG) is not None

        async def handle(store: PostgresStore, owner: str, event: InboxEvent) -> None:
            running[event.order_key] += 1
            assert running[event.order_key] == 1
            await asyncio.sleep(chance.random() / 100)
            running[event.order_key] -= 1
            match chance.randrange(6) if event.attempts == 1 else 0:
                case 1:
                    pause = timedelta(milliseconds=5)
                    assert await store.inbox.retry(of(event, owner), code="X", pause=pause)
                case 2:
                    assert await store.inbox.dead_letter(of(event, owner), code="X")
                    handled.add(event.id)
                case _:
                    assert await store.inbox.complete(of(event, owner))
                    handled.add(event.id)

        async def work(store: PostgresStore, owner: str) -> None:
            while len(handled) < count:
                claimed = await claim_events(store, owner)
                await asyncio.gather(*(handle(store, owner, event) for event in claimed))
                await asyncio.sleep(0.002)

        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
            for number in range(count):
                _ = tasks.create_task(record(opened[number % 4], number))
            for number, store in enumerate(opened):
                _ = tasks.create_task(work(store, f"process-{number}"))
        assert len(handled) == count


async def test_a_key_without_a_head_after_a_crash_is_found(database_url: str) -> None:
    """A process ended between the commit of an event, or of a completion, and the promotion."""
    async with stores(database_url, 1) as (store,):
        for number in range(3):
            event = new_event(f"evt-{number}", order_key="key")
            assert await store.inbox.record(event, owner="", lease=LONG) is not None
        await run(database_url, "UPDATE igniter_webhook_inbox SET is_head = false")
        assert await claim_events(store) == []
        assert await store.inbox.release() == 1
        assert await store.inbox.release() == 0
        assert [one.id for one in await claim_events(store)] == ["evt-0"]


async def test_the_unique_index_decides_between_two_promotions_of_one_key(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The earlier event was committed later, after another process had promoted the other one."""
    async with (
        stores(database_url, 2) as (a, b),
        await psycopg.AsyncConnection.connect(database_url) as slow,
    ):
        for store in (a, b):
            monkeypatch.setattr(store.inbox, "_promote", _nothing)
        second = new_event("second", order_key="key")
        assert await a.inbox.record(second, owner="", lease=LONG) is not None
        await slow.execute("UPDATE igniter_webhook_inbox SET is_head = true WHERE id = 'second'")
        first = new_event("first", order_key="key")
        assert await b.inbox.record(first, owner="", lease=LONG) is not None
        await run(
            database_url,
            "UPDATE igniter_webhook_inbox SET received_at = received_at - interval '1 s'"
            " WHERE id = 'first'",
        )
        monkeypatch.undo()
        promoting = asyncio.create_task(a.inbox.release())
        await asyncio.sleep(0.2)
        assert not promoting.done()
        await slow.commit()
        assert await promoting == 0
        assert [one.id for one in await claim_events(b)] == ["second"]
        assert await claim_events(a) == []


async def _nothing(_: object) -> None:
    return None


async def test_a_claim_does_not_read_waiting_events(database_url: str) -> None:
    """100,000 events wait behind one key. A claim of another event reads a few pages."""
    async with stores(database_url, 1) as (store,):
        await run(database_url, _WAITING.format(count=100_000))
        assert await store.inbox.release() == 1
        (head,) = await claim_events(store)
        assert head.id == "evt-0000001"
        assert await store.inbox.complete(of(head, "me"))
        other = new_event("other")
        assert await store.inbox.record(other, owner="", lease=LONG) is not None
        turn = {"scope": "organization", "identity": "acme", "connector": "mail"}
        claim: dict[str, object] = {name: [value] for name, value in turn.items()}
        claim |= {"events_each": 64, "row_limit": 64, "owner": "x", "lease": LONG}
        turns: dict[str, object] = {**dict.fromkeys(turn, ""), "connectors": ["mail"]}
        turns |= {"row_limit": 64, "due_limit": 64}
        async with await psycopg.AsyncConnection.connect(
            database_url, autocommit=True, row_factory=scalar_row
        ) as connection:
            for statement, values, rows in (
                (inbox_statements.TURNS, turns, 1),
                (inbox_statements.CLAIM, claim, 2),
            ):
                explain = b"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + statement.encode()
                explained = await (await connection.execute(explain, values)).fetchone()
                assert explained is not None
                plan = explained[0]["Plan"]
                assert plan["Actual Rows"] == rows
                assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 200


async def test_events_from_before_the_migration_come_out_in_order(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The running event stays the head of its key. The others follow in order of arrival."""
    with databases.empty() as url:
        store = PostgresStore(url)
        with monkeypatch.context() as patch:
            patch.setattr(module, "migrations", lambda: migrations()[:3])
            _ = await store.migrate()
        await run(url, _WAITING.format(count=3))
        await run(
            url,
            "UPDATE igniter_webhook_inbox SET owner = 'old', attempts = 1,"
            " due_at = now() + interval '1 minute' WHERE id = 'evt-0000002'",
        )
        _ = await store.migrate()
        await store.open()
        assert await claim_events(store) == []
        assert await store.inbox.complete(Delivery(KEY, "evt-0000002", "old", 1, timedelta(0)))
        for id in ("evt-0000001", "evt-0000003"):
            (event,) = await claim_events(store)
            assert event.id == id
            assert await store.inbox.complete(of(event, "me"))
        await store.close()
