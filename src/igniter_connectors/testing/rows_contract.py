"""Rows of connections: stored exactly, and changed only if the condition holds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from msgspec.structs import replace

from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.ports import ConfigChange, Store
from igniter_connectors.testing.contract_records import (
    LATER,
    NOW,
    disconnect,
    grant_of,
    inserted,
    key_of,
    record_of,
)


async def a_row_comes_back_as_it_was(store: Store) -> None:
    """Every column is stored exactly: instants to the microsecond, bytes to the bit."""
    plain = await inserted(store, record_of())
    granted = await inserted(
        store,
        replace(
            record_of(key_of("ümläut ☃", "o-auth", "second 'account' -- %_")),
            grant=grant_of(),
            status="needs_reauth",
            failures=3,
            next_attempt_at=LATER,
            enabled=False,
        ),
    )
    assert await store.find(plain.key) == plain
    assert await store.find(granted.key) == granted


async def what_was_never_stored_is_none(store: Store) -> None:
    """Finding, switching, deleting and writing a missing row returns None or False."""
    assert await store.find(key_of()) is None
    assert await disconnect(store, key_of()) is None
    assert not await store.set_enabled(key_of(), enabled=True, now=NOW)
    assert not await store.save_renewed(key_of(), row="x", generation=1, grant=grant_of(2))


async def tenants_do_not_see_one_another(store: Store) -> None:
    """Keys that would be the same when joined with any separator are different."""
    keys = [
        ConnectionKey("a", "b:c", "d", "e"),
        ConnectionKey("a:b", "c", "d", "e"),
        ConnectionKey("a", "b", "c:d", "e"),
        ConnectionKey("a", "b/c", "d", "e"),
        ConnectionKey("A", "b:c", "d", "e"),
        ConnectionKey("a", "b:c", "d", "e "),
    ]
    records = [await inserted(store, record_of(key)) for key in keys]
    for key, record in zip(keys, records, strict=True):
        assert await store.find(key) == record
    assert await store.count("a", "b:c") == 2
    assert [one.key for one in await store.list("a:b", "c", after=None, limit=9)] == [keys[1]]


async def one_insert_wins(store: Store) -> None:
    """Of concurrent inserts under one key one succeeds, and the others return False."""
    records = [record_of() for _ in range(10)]
    outcomes = await asyncio.gather(*(store.insert(record) for record in records))
    assert sum(outcomes) == 1
    assert await store.find(key_of()) == records[outcomes.index(True)]


async def a_config_is_replaced_on_its_version_alone(store: Store) -> None:
    """A stale version or another row's id changes nothing."""
    record = await inserted(store, replace(record_of(), grant=grant_of()))

    async def write(row: str, version: int) -> bool:
        return await store.replace_config(
            record.key, ConfigChange(row, version, b"{}", b"new", LATER)
        )

    assert not await write(record.id, 2)
    assert not await write("another row", 1)
    assert await store.find(record.key) == record
    assert await write(record.id, 1)
    assert not await write(record.id, 1)
    expected = replace(
        record, public_config=b"{}", sealed_config=b"new", version=2, updated_at=LATER
    )
    assert await store.find(record.key) == expected


async def switching_twice_counts_once(store: Store) -> None:
    """The version is incremented only if something changes."""
    record = await inserted(store, record_of())
    assert await store.set_enabled(record.key, enabled=False, now=LATER)
    off = replace(record, enabled=False, version=2, updated_at=LATER)
    assert await store.find(record.key) == off
    assert await store.set_enabled(record.key, enabled=False, now=LATER + timedelta(hours=1))
    assert await store.find(record.key) == off


async def a_deleted_row_is_gone_once(store: Store) -> None:
    """Of concurrent deletes one gets the row, and a new row under the key is independent."""
    record = await inserted(store, record_of())
    gone = await asyncio.gather(*(disconnect(store, record.key) for _ in range(5)))
    assert [one for one in gone if one is not None] == [record]
    again = await inserted(store, record_of())
    assert await store.find(record.key) == again


async def pages_follow_one_another(store: Store) -> None:
    """Pages of any size contain each row of the tenant once, in order."""
    wanted = sorted((f"c{i % 4}", f"a{i:02}") for i in range(12))
    for connector, account in reversed(wanted):
        _ = await inserted(store, record_of(key_of("acme", connector, account)))
    _ = await inserted(store, record_of(key_of("other")))
    for limit in (1, 5, 12, 50):
        seen: list[tuple[str, str]] = []
        while rows := await store.list(
            "organization", "acme", after=seen[-1] if seen else None, limit=limit
        ):
            assert len(rows) <= limit
            seen += [(row.key.connector, row.key.account) for row in rows]
        assert seen == wanted
    assert await store.count("organization", "acme") == 12
    assert await store.count("organization", "nobody") == 0
    assert dict(await store.count_by_connector()) == {"c0": 3, "c1": 3, "c2": 3, "c3": 3, "mail": 1}


ROWS_CONTRACT: tuple[Callable[[Store], Awaitable[None]], ...] = (
    a_row_comes_back_as_it_was,
    what_was_never_stored_is_none,
    tenants_do_not_see_one_another,
    one_insert_wins,
    a_config_is_replaced_on_its_version_alone,
    switching_twice_counts_once,
    a_deleted_row_is_gone_once,
    pages_follow_one_another,
)
