"""Order keys in SQLite: rows from before the migration, and a handler's own transaction."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from importlib import resources
from pathlib import Path

from igniter_connectors import SQLiteStore
from igniter_connectors.core.webhook.retry_policy import Delivery
from igniter_connectors.testing.contract_events import (
    KEY,
    LONG,
    claim_events,
    delivery,
    new_event,
    record_event,
)

_MIGRATIONS = resources.files("igniter_connectors.adapters.sqlite") / "migrations"


def file_of_version(path: Path, version: int) -> sqlite3.Connection:
    """A file as an earlier version of the library left it."""
    connection = sqlite3.connect(path)
    files = sorted(
        (one for one in _MIGRATIONS.iterdir() if one.name.endswith(".sql")),
        key=lambda one: one.name,
    )
    for file in files[:version]:
        connection.executescript(file.read_text())
    connection.execute(f"PRAGMA user_version = {version}")
    return connection


async def test_events_from_before_the_migration_come_out_in_order(tmp_path: Path) -> None:
    """The one that runs stays the head of its key; the others follow in order of arrival."""
    path = tmp_path / "connectors.db"
    with file_of_version(path, 3) as connection:
        for number in range(3):
            is_running = number == 1
            connection.execute(
                "INSERT INTO webhook_inbox (scope, identity, connector, account, connection_id,"
                " id, event_id, state, attempts, received_at, order_key, due_at, owner, last_code,"
                " possible_replay, sealed_body, keep_until) VALUES ('organization', 'acme',"
                " 'mail', 'default', 'row', ?, '', 'pending', ?, ?, 'key', ?, ?, '', 0, x'00', ?)",
                (
                    f"evt-{number}",
                    int(is_running),
                    number,
                    4 * 10**15 if is_running else 0,
                    "old" if is_running else "",
                    4 * 10**15,
                ),
            )
    connection.close()
    store = SQLiteStore(path)
    await store.open()
    try:
        assert await claim_events(store) == []
        key = (await store.inbox.list(new_event().key, state=None, before=None, limit=1))[0].key
        assert await store.inbox.complete(Delivery(key, "evt-1", "old", 1, timedelta(0)))
        for id in ("evt-0", "evt-2"):
            (event,) = await claim_events(store)
            assert event.id == id
            assert await store.inbox.complete(Delivery(key, id, "me", 1, timedelta(0)))
    finally:
        await store.close()


async def test_a_claim_reads_nothing_of_what_waits(tmp_path: Path) -> None:
    """Behind one order key there is one row in the index that a claim reads."""
    path = tmp_path / "connectors.db"
    store = SQLiteStore(path)
    await store.open()
    try:
        for _ in range(50):
            _ = await record_event(store, new_event(order_key="key"))
        with sqlite3.connect(path) as connection:
            claimable = connection.execute(
                "SELECT count(*) FROM webhook_inbox INDEXED BY webhook_inbox_turns"
                " WHERE state = 'pending' AND (order_key = '' OR is_head)"
            ).fetchone()
        assert claimable == (1,)
        (head,) = await claim_events(store, lease=LONG)
        assert await store.inbox.complete(Delivery(head.key, head.id, "me", 1, timedelta(0)))
        assert len(await claim_events(store)) == 1
    finally:
        await store.close()


async def test_events_from_before_keep_what_they_had(tmp_path: Path) -> None:
    """Version 5 had no reasons. Its events get an empty one, and can be replayed and fail again."""
    path = tmp_path / "connectors.db"
    with file_of_version(path, 5) as connection:
        connection.execute(
            "INSERT INTO webhook_inbox (scope, identity, connector, account, connection_id,"
            " id, event_id, state, attempts, received_at, order_key, due_at, owner, last_code,"
            " possible_replay, sealed_body, keep_until) VALUES ('organization', 'acme',"
            " 'mail', 'default', 'row', 'id', 'evt', 'dead', 12, ?, '', ?, '', 'CODE', 0,"
            " x'00', ?)",
            (1, 1, 2**60),
        )
    connection.close()
    store = SQLiteStore(path)
    await store.open()
    try:
        dead = await store.inbox.find(KEY, "id")
        assert dead is not None
        assert (dead.state, dead.attempts, dead.last_code) == ("dead", 12, "CODE")
        assert (dead.last_reason, dead.sealed_body) == ("", b"\0")
        assert await store.inbox.replay(KEY, "id")
        (again,) = await claim_events(store)
        assert await store.inbox.dead_letter(delivery(again.id), code="X", reason="why")
        found = await store.inbox.find(KEY, "id")
        assert found is not None
        assert found.last_reason == "why"
    finally:
        await store.close()
