"""A database that is down, stopped, restarted or busy: a typed problem in time, then recovery."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from time import monotonic

import psycopg
import pytest
from psycopg import sql

from igniter_connectors.adapters.postgres import PostgresStore
from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.oauth.state import PendingAuthorization
from igniter_connectors.core.webhook.endpoint import EndpointRecord
from igniter_connectors.ports import StoreUnavailable
from tests.postgres.server import Server

NOW = datetime(2026, 3, 1, tzinfo=UTC)
KEY = ConnectionKey("organization", "acme", "mail")
RECORD = ConnectionRecord(KEY, "row-1", b"{}", b"sealed-canary", True, 1, NOW, NOW)
ENDPOINT = EndpointRecord(b"canary-hash", "canary-id", KEY, "row-1", b"canary-secret", NOW)
SHORT = timedelta(milliseconds=300)

CALLS: dict[str, Callable[[PostgresStore], Awaitable[object]]] = {
    "find": lambda store: store.find(KEY),
    "list": lambda store: store.list("organization", "acme", after=None, limit=5),
    "insert": lambda store: store.insert(RECORD),
    "set_enabled": lambda store: store.set_enabled(KEY, enabled=False, now=NOW),
}


@asynccontextmanager
async def opened(
    url: str, *, deadline: timedelta | None = SHORT, max_size: int = 4
) -> AsyncGenerator[PostgresStore, None]:
    if deadline is None:
        store = PostgresStore(url, max_size=max_size)
    else:
        store = PostgresStore(url, deadline=deadline, max_size=max_size)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


@contextmanager
def unavailable_within(seconds: float, reason: str = ".") -> Generator[None, None, None]:
    began = monotonic()
    with pytest.raises(StoreUnavailable, match=reason):
        yield
    assert monotonic() - began < seconds


@contextmanager
def paused(server: Server) -> Generator[None, None, None]:
    server.pause()
    try:
        yield
    finally:
        server.resume()


async def recovers(call: Callable[[], Awaitable[object]], *, within: float = 5) -> None:
    """Waits up to some seconds until the store works again after the database is back."""
    deadline = monotonic() + within
    while True:
        try:
            await call()
        except StoreUnavailable:
            assert monotonic() < deadline, "it did not recover"
        else:
            return


async def test_the_default_deadline_is_below_a_second(
    own_server: Server, own_database_url: str
) -> None:
    """With nothing configured."""
    async with opened(own_database_url, deadline=None) as store:
        with paused(own_server):
            with unavailable_within(1):
                await store.find(KEY)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_a_stopped_server_is_a_problem_in_time(
    call: Callable[[PostgresStore], Awaitable[object]],
    own_server: Server,
    own_database_url: str,
) -> None:
    """SIGSTOP: the socket is open, but neither queries nor cancel requests get a response."""
    async with opened(own_database_url) as store:
        await store.find(KEY)
        with paused(own_server):
            for _ in range(3):
                with unavailable_within(1, "no answer within the deadline"):
                    await call(store)
        await recovers(lambda: call(store))


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_a_server_that_is_down_is_a_problem_in_time(
    call: Callable[[PostgresStore], Awaitable[object]],
    own_server: Server,
    own_database_url: str,
) -> None:
    """Killed while the store is open, and back later."""
    async with opened(own_database_url) as store:
        await store.find(KEY)
        own_server.stop_immediately()
        try:
            for _ in range(3):
                with unavailable_within(1):
                    await call(store)
        finally:
            own_server.start()
        await recovers(lambda: call(store))


async def test_many_callers_at_once_all_get_the_problem_in_time(
    own_server: Server, own_database_url: str
) -> None:
    """Also those that wait behind others: the deadline counts from the call."""
    async with opened(own_database_url, deadline=timedelta(milliseconds=600)) as store:
        await store.find(KEY)
        with paused(own_server):
            began = monotonic()
            outcomes = await asyncio.gather(
                *(store.find(ConnectionKey("s", str(n), "c", "a")) for n in range(300)),
                *(store.set_enabled(KEY, enabled=True, now=NOW) for _ in range(30)),
                return_exceptions=True,
            )
            assert monotonic() - began < 1
        assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
        await recovers(lambda: store.find(KEY))


async def test_a_long_outage_is_over_when_the_server_is_back(
    own_server: Server, own_database_url: str
) -> None:
    """No back-off grows so long that the store misses the return of the server."""
    async with opened(own_database_url, max_size=2) as store:
        await store.find(KEY)
        own_server.stop_immediately()
        try:
            began = monotonic()
            while monotonic() - began < 3.3:
                with unavailable_within(1):
                    await store.find(KEY)
        finally:
            own_server.start()
        await recovers(lambda: store.find(KEY), within=1.5)


async def test_a_restart_between_two_calls_fails_neither(
    own_server: Server, own_database_url: str
) -> None:
    """Every idle connection is closed; its socket shows that before a statement is sent."""
    async with opened(own_database_url) as store:
        await store.insert(RECORD)
        await asyncio.gather(*(store.count("organization", "acme") for _ in range(20)))
        own_server.restart_immediately()
        assert await store.find(KEY) == RECORD
        assert await store.set_enabled(KEY, enabled=False, now=NOW)


async def test_a_store_opens_only_if_the_server_responds(
    own_server: Server, own_database_url: str
) -> None:
    """Otherwise it is a problem in time. The same store opens later."""
    store = PostgresStore(own_database_url)
    own_server.stop_immediately()
    try:
        with unavailable_within(1, "nothing listens there"):
            await store.open()
    finally:
        own_server.start()
    with paused(own_server):
        with unavailable_within(3, "did not answer in time"):
            await store.open()
        with unavailable_within(3, "did not answer in time"):
            await store.migrate()
    await recovers(store.open)
    await store.close()


async def test_a_cancelled_caller_of_a_stopped_server_returns_at_once(
    own_server: Server, own_database_url: str
) -> None:
    """Neither a read nor a write delays the application's own time-out."""
    async with opened(own_database_url, deadline=timedelta(milliseconds=800)) as store:
        await store.find(KEY)
        with paused(own_server):
            for call in CALLS.values():
                began = monotonic()
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await call(store)
                assert monotonic() - began < 1
        await recovers(lambda: store.find(KEY))


async def test_a_write_is_completed_after_its_caller_is_cancelled(database_url: str) -> None:
    """A statement that was sent is completed, and closing the store waits for it."""
    store = PostgresStore(database_url)
    await store.open()
    await store.insert(RECORD)
    with psycopg.connect(database_url) as holder:
        holder.execute("UPDATE igniter_connections SET failures = failures")
        task = asyncio.create_task(store.set_enabled(KEY, enabled=False, now=NOW))
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.wait([task])
        closing = asyncio.create_task(store.close())
        await asyncio.sleep(0.1)
        assert not closing.done()
        holder.commit()
        await closing
        assert holder.execute("SELECT enabled FROM igniter_connections").fetchall() == [(False,)]


async def test_the_server_cancels_a_write_that_exceeds_its_deadline(
    database_url: str,
) -> None:
    """It does not wait for a lock and take effect minutes later."""
    async with opened(database_url) as store:
        await store.insert(RECORD)
        with psycopg.connect(database_url) as holder:
            holder.execute("UPDATE igniter_connections SET failures = failures")
            with unavailable_within(1):
                await store.set_enabled(KEY, enabled=False, now=NOW)
            await asyncio.sleep(0.5)
            holder.commit()
        await asyncio.sleep(0.1)
        assert await store.find(KEY) == RECORD


async def test_an_exhausted_pool_is_a_problem_in_time(database_url: str) -> None:
    """Two connections wait for a lock, and all other callers for a connection.

    Then all continue.
    """
    async with opened(database_url, max_size=2) as store:
        await store.insert(RECORD)
        with psycopg.connect(database_url) as holder:
            holder.execute("UPDATE igniter_connections SET failures = failures")
            began = monotonic()
            outcomes = await asyncio.gather(
                *(store.set_enabled(KEY, enabled=True, now=NOW) for _ in range(20)),
                return_exceptions=True,
            )
            assert monotonic() - began < 1
            assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
            await recovers(lambda: store.find(KEY))  # which waits for no lock


async def test_a_serialization_failure_is_a_problem_and_loses_nothing(database_url: str) -> None:
    """The isolation level is stricter than the default. The next attempt succeeds."""
    with psycopg.connect(database_url, autocommit=True) as owner:
        database = sql.Identifier(owner.info.dbname)
        owner.execute(
            sql.SQL(
                "ALTER DATABASE {} SET default_transaction_isolation = 'repeatable read'"
            ).format(database)
        )
    async with opened(database_url) as store:
        await store.insert(RECORD)
        with psycopg.connect(database_url) as holder:
            holder.execute("UPDATE igniter_connections SET failures = 7")
            write = asyncio.create_task(store.set_enabled(KEY, enabled=False, now=NOW))
            await asyncio.sleep(0.1)
            holder.commit()
            with unavailable_within(1, "another transaction came first: try again"):
                await write
        stored = await store.find(KEY)
        assert stored is not None
        assert (stored.enabled, stored.failures) == (True, 7)
        assert await store.set_enabled(KEY, enabled=False, now=NOW)


@pytest.mark.parametrize("statement", ["DEALLOCATE ALL", "RETYPE"])
async def test_a_prepared_statement_is_prepared_again_after_a_change(
    statement: str, database_url: str
) -> None:
    """A column has another type, or a pooler forgot the statement: no call fails."""
    async with opened(database_url, deadline=timedelta(seconds=5)) as store:
        await store.insert(RECORD)
        calls: list[Callable[[], Awaitable[object]]] = [
            lambda: store.find(KEY),
            lambda: store.list("organization", "acme", after=None, limit=5),
            lambda: store.take_lease(KEY, generation=0, owner="o", duration=timedelta(0)),
            lambda: store.set_enabled(KEY, enabled=True, now=NOW),
        ]
        before = [await call() for call in calls]
        assert len(before) == len(await asyncio.gather(*(call() for call in calls * 5))) / 5
        if statement == "RETYPE":
            with psycopg.connect(database_url, autocommit=True) as owner:
                for column in ("version", "failures", "generation"):
                    retype = f"ALTER TABLE igniter_connections ALTER {column} TYPE numeric(9)"
                    owner.execute(retype.encode())
        else:
            pool = store._server._pool
            assert pool is not None
            async with pool._pool.connection() as one, pool._pool.connection() as other:
                for connection in (one, other):
                    # Without psycopg's noticing.
                    _ = connection.pgconn.exec_(b"DEALLOCATE ALL")
        for _ in range(3):
            assert [await call() for call in calls] == before


async def test_a_problem_repeats_no_value(database_url: str) -> None:
    """PostgreSQL's own message quotes the conflicting row."""
    async with opened(database_url) as store:
        pending = PendingAuthorization(b"canary-hash", b"who", "canary-id", KEY, b"canary-sealed")
        await store.add_authorization(pending, lifetime=timedelta(minutes=1))
        with pytest.raises(StoreUnavailable) as caught:
            await store.add_authorization(pending, lifetime=timedelta(minutes=1))
    assert caught.value.reason == "PostgreSQL: the row exists already (UniqueViolation 23505)"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://u:canary@/x?host=/nowhere", "nothing listens there"),
        ("postgresql://u:canary@127.0.0.1:1/x", "nothing listens there"),
        ("postgresql://u:canary@nowhere.invalid/x", "no such host|it failed|within the deadline"),
        ("postgresql://u:ca/na#ry@host/x", "cannot be read|no such host|it failed"),
        ("no such thing", "the database's URL cannot be read"),
    ],
)
async def test_a_wrong_address_says_what_is_wrong_and_no_password(url: str, reason: str) -> None:
    """Also if the password is not escaped and becomes another part of the URL."""
    store = PostgresStore(url)
    with pytest.raises(StoreUnavailable, match=reason) as caught:
        await store.open()
    assert "ca" not in caught.value.reason.replace("cannot", "")
    assert "canary" not in repr(store)


async def test_a_missing_database_is_named_in_the_problem(own_server: Server) -> None:
    """This is the most common mistake."""
    with pytest.raises(StoreUnavailable, match="no such database"):
        await PostgresStore(own_server.url("nowhere")).open()


async def test_a_closed_store_says_so_and_opens_again(database_url: str) -> None:
    """As the port promises."""
    store = PostgresStore(database_url)
    with pytest.raises(StoreUnavailable, match="not open"):
        await store.find(KEY)
    for _ in range(2):
        await store.open()
        assert await store.find(KEY) is None
        await store.close()
    with pytest.raises(StoreUnavailable, match="not open"):
        await store.find(KEY)
