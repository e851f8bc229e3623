"""A session that is idle in a transaction locks one tenant's row:

other tenants are not affected.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from msgspec.structs import replace

from igniter_connectors.adapters.postgres import PostgresStore
from igniter_connectors.adapters.postgres.write_shares import WriteShares
from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.webhook.retry_policy import Delivery
from igniter_connectors.ports import StoreUnavailable
from igniter_connectors.testing.contract_events import new_event

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SICK = ConnectionKey("organization", "sick", "mail")
WELL = ConnectionKey("organization", "well", "mail")
RECORD = ConnectionRecord(SICK, "row-1", b"{}", b"sealed", True, 1, NOW, NOW)

_LOCK = "SELECT 1 FROM {} WHERE identity = 'sick' FOR UPDATE"


@asynccontextmanager
async def opened(
    url: str, deadline: timedelta = timedelta(seconds=20)
) -> AsyncGenerator[PostgresStore, None]:
    """With two tenants. Its calls wait so long that those that finish did not wait."""
    store = PostgresStore(url, deadline=deadline)
    await store.open()
    try:
        await store.insert(RECORD)
        await store.insert(replace(RECORD, key=WELL, id="row-2"))
        yield store
    finally:
        await store.close()


async def waiting(holder: psycopg.Connection, count: int) -> None:
    """Until so many sessions wait for a lock."""
    found = 0
    while found < count:
        await asyncio.sleep(0.02)
        (found,) = holder.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone() or (
            0,
        )


async def test_other_tenants_read_and_write_while_one_waits(database_url: str) -> None:
    """Twenty updates of a locked row use a quarter of the pool. Then they all succeed."""
    async with opened(database_url) as store:
        with psycopg.connect(database_url) as holder:
            holder.execute(_LOCK.format("igniter_connections").encode())
            updates = [
                asyncio.create_task(store.set_enabled(SICK, enabled=False, now=NOW))
                for _ in range(20)
            ]
            await waiting(holder, 2)
            for _ in range(20):
                assert await store.find(WELL) is not None
                assert await store.set_enabled(WELL, enabled=True, now=NOW)
            (blocked,) = holder.execute(
                "SELECT count(*) FROM pg_locks WHERE NOT granted"
            ).fetchone() or (0,)
            assert blocked <= 3  # two connections; one of them waits for the other, too
            assert not any(update.done() for update in updates)
            holder.commit()
        assert await asyncio.gather(*updates) == [True] * 20


async def test_many_locked_tenants_leave_connections_to_reads(database_url: str) -> None:
    """However many rows are locked, reads go on."""
    async with opened(database_url) as store:
        keys = [ConnectionKey("organization", f"sick{number}", "mail") for number in range(12)]
        for number, key in enumerate(keys):
            await store.insert(replace(RECORD, key=key, id=f"sick-{number}"))
        with psycopg.connect(database_url) as holder:
            holder.execute("SELECT 1 FROM igniter_connections WHERE id LIKE 'sick-%' FOR UPDATE")
            updates = [
                asyncio.create_task(store.set_enabled(key, enabled=False, now=NOW))
                for key in keys * 2
            ]
            await waiting(holder, 8)
            for _ in range(20):
                assert await store.find(WELL) is not None
            assert not any(update.done() for update in updates)
            holder.commit()
        assert await asyncio.gather(*updates) == [True] * 24


async def test_a_batch_is_divided_where_one_row_is_locked(database_url: str) -> None:
    """The other tenants' completions neither fail nor wait as long."""
    async with opened(database_url, timedelta(seconds=4)) as store:
        deliveries = []
        for key in (SICK, WELL):
            for number in range(10):
                event = replace(new_event(f"e{number}"), key=key)
                await store.inbox.record(event, owner="me", lease=timedelta(minutes=5))
                deliveries.append(Delivery(key, f"e{number}", "me", 1, timedelta(0)))
        with psycopg.connect(database_url) as holder:
            holder.execute(_LOCK.format("igniter_webhook_inbox").encode())
            tasks = [asyncio.create_task(store.inbox.complete(one)) for one in deliveries]
            done, pending = tasks[10:], tasks[:10]
            assert await asyncio.gather(*done) == [True] * 10
            assert not any(task.done() for task in pending)
            holder.commit()
            assert await asyncio.gather(*pending) == [True] * 10


async def test_a_row_that_stays_locked_is_a_problem_in_time(database_url: str) -> None:
    """Transient, at the end of the deadline. No statement is left running at the server."""
    async with opened(database_url, timedelta(milliseconds=400)) as store:
        with psycopg.connect(database_url) as holder:
            holder.execute(_LOCK.format("igniter_connections").encode())
            with pytest.raises(StoreUnavailable, match=r"lock in time|within the deadline"):
                await store.set_enabled(SICK, enabled=False, now=NOW)
        found = await store.find(SICK)
        assert found is not None
        assert found.enabled


# --- the shares, without a server ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("max_size", "in_all", "of_one"), [(1, 1, 1), (2, 1, 1), (4, 3, 1), (10, 8, 2), (20, 16, 5)]
)
async def test_the_shares_of_a_pool(max_size: int, in_all: int, of_one: int) -> None:
    """For all tenants together, and for one tenant: at least one."""
    loop = asyncio.get_running_loop()
    shares = WriteShares(max_size)
    for _ in range(of_one):
        await shares.take(("s", "a"), loop.time() + 9)
    with pytest.raises(StoreUnavailable, match="no connection within the deadline"):
        await shares.take(("s", "a"), loop.time() + 0.01)
    for _ in range(in_all - of_one):
        await shares.take(None, loop.time() + 9)
    with pytest.raises(StoreUnavailable, match="no connection within the deadline"):
        await shares.take(("s", "b"), loop.time() + 0.01)
    for _ in range(in_all - of_one):
        shares.give_back(None)
    for _ in range(of_one):
        shares.give_back(("s", "a"))
    assert shares._tenants == {}


async def test_a_cancelled_wait_gives_its_share_back() -> None:
    """Both the tenant's share and that of all tenants."""
    loop = asyncio.get_running_loop()
    shares = WriteShares(2)
    await shares.take(("s", "a"), loop.time() + 9)
    for tenant in (("s", "a"), ("s", "b"), None):
        task = asyncio.create_task(shares.take(tenant, loop.time() + 9))
        await asyncio.sleep(0)
        task.cancel()
        _ = await asyncio.wait([task])
        assert task.cancelled()
    shares.give_back(("s", "a"))
    assert shares._tenants == {}
    await shares.take(("s", "b"), loop.time() + 0.01)
