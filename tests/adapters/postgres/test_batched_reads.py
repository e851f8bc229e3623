"""Batched reads: one alone runs its own statement, several share a query, failures stay
separate."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, LiteralString

import psycopg
import pytest

from igniter_connectors.adapters.postgres import PostgresStore
from igniter_connectors.adapters.postgres.batched_reads import FIND, FIND_MANY, BatchedConnections
from igniter_connectors.adapters.postgres.batching import BATCH_LIMIT
from igniter_connectors.adapters.postgres.connection import Row
from igniter_connectors.adapters.sql.database import RowUnreadable
from igniter_connectors.adapters.sql.dialect import KEY, columns
from igniter_connectors.adapters.sql.records import connection_values, key_values
from igniter_connectors.adapters.sql.tables import BodyRow
from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.ports import StoreUnavailable

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LANES = 2


def key(number: int) -> ConnectionKey:
    return ConnectionKey("organization", f"tenant-{number}", "mail")


def record(number: int) -> ConnectionRecord:
    return ConnectionRecord(key(number), f"row-{number}", b"{}", b"s", True, 1, NOW, NOW)


def place(number: int) -> tuple[str, ...]:
    """The values of a key."""
    return tuple(key_values(key(number)).values())


def row(number: int, **changes: object) -> Row:
    """A row as the server returns it."""
    values = {**connection_values(record(number)), **changes}
    return tuple(values[name] for name in columns(BodyRow))


class SlowDatabase:
    """Reads from a dictionary. Each query waits until the test releases it, and is recorded."""

    def __init__(self, count: int) -> None:
        self.rows: dict[tuple[str, ...], Row] = {place(n): row(n) for n in range(count)}
        self.asked: list[tuple[str, int]] = []
        self.failure: StoreUnavailable | None = None
        self.is_spoilt_by: tuple[str, ...] | None = None
        self.open = asyncio.Event()

    def until(self) -> float:
        return asyncio.get_running_loop().time() + 1

    async def run(
        self, statement: LiteralString, values: Mapping[str, Any], *, until: float
    ) -> Sequence[Row]:
        of_key = [values[name] for name in KEY]
        keys = (
            [tuple(of_key)]
            if statement == FIND
            else list(zip(*(one.texts for one in of_key), strict=True))
        )
        self.asked.append((statement, len(keys)))
        await self.open.wait()
        await asyncio.sleep(0)
        if self.failure is not None:
            raise self.failure
        if self.is_spoilt_by in keys:
            raise RowUnreadable("spoilt")
        found = [(place, self.rows[one]) for place, one in enumerate(keys, 1) if one in self.rows]
        return [row if statement == FIND else (*row, place) for place, row in found]


def sizes(database: SlowDatabase) -> list[int]:
    """The number of keys of each shared query; plain queries are not counted."""
    return [size for statement, size in database.asked if statement == FIND_MANY]


async def begun(reads: BatchedConnections, numbers: Sequence[int]) -> list[asyncio.Task[Any]]:
    tasks = [asyncio.create_task(reads.find(key(n))) for n in numbers]
    await asyncio.sleep(0)
    return tasks


async def test_reads_one_after_another_use_the_plain_statement() -> None:
    """A read that is alone runs the statement that one would write by hand."""
    database = SlowDatabase(3)
    database.open.set()
    reads = BatchedConnections(database)
    assert [await reads.find(key(n)) for n in range(4)] == [*map(record, range(3)), None]
    assert database.asked == [(FIND, 1)] * 4


async def test_waiting_reads_share_a_query() -> None:
    """Each gets its own row, or None if there is none."""
    database = SlowDatabase(10)
    reads = BatchedConnections(database)
    tasks = await begun(reads, range(12))
    database.open.set()
    assert await asyncio.gather(*tasks) == [*map(record, range(10)), None, None]
    assert database.asked == [(FIND, 1)] * LANES + [(FIND_MANY, 10)]


async def test_a_batch_has_a_limit() -> None:
    """A thousand reads at once are sixteen queries, not one that blocks the others."""
    database = SlowDatabase(1000)
    reads = BatchedConnections(database)
    tasks = await begun(reads, range(1000))
    database.open.set()
    assert await asyncio.gather(*tasks) == [record(n) for n in range(1000)]
    assert max(sizes(database)) == BATCH_LIMIT
    assert sum(sizes(database)) == 1000 - LANES


async def test_reads_of_the_same_row_share_one_read() -> None:
    """A connection that many callers use is read once for all who wait."""
    database = SlowDatabase(3)
    reads = BatchedConnections(database)
    tasks = await begun(reads, [0, 1, *[2] * 50])
    database.open.set()
    assert (await asyncio.gather(*tasks))[2:] == [record(2)] * 50
    assert sizes(database) == [1]


async def test_tasks_that_read_in_a_loop_stay_in_one_batch() -> None:
    """A task that reads again as soon as it has its row is in the next batch."""
    database = SlowDatabase(16)
    database.open.set()
    reads = BatchedConnections(database)

    async def ask(number: int) -> None:
        for _ in range(20):
            assert await reads.find(key(number)) == record(number)

    await asyncio.gather(*map(ask, range(16)))
    assert len(database.asked) < 16 * 20 / 8


async def test_a_slow_batch_does_not_delay_the_next() -> None:
    """Later reads gather for a moment, then use another connection."""
    database = SlowDatabase(12)
    reads = BatchedConnections(database)
    first = await begun(reads, range(6))
    await asyncio.sleep(0)
    behind = await begun(reads, range(6, 12))
    assert sizes(database) == [4]
    await asyncio.sleep(0.05)
    assert sizes(database) == [4, 6]
    database.open.set()
    assert await asyncio.gather(*first, *behind) == [record(n) for n in range(12)]


async def test_a_cancelled_caller_does_not_affect_others() -> None:
    """Whether it waits in the queue, has sent its query, or reads alone."""
    database = SlowDatabase(8)
    reads = BatchedConnections(database)
    tasks = await begun(reads, range(8))
    tasks[0].cancel()  # a plain statement of its own
    tasks[3].cancel()  # in the queue
    for _ in range(3):
        await asyncio.sleep(0)
    assert sizes(database), "the freed lane took the queue"
    tasks[5].cancel()  # on its way
    database.open.set()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    for number, outcome in enumerate(outcomes):
        if number in {0, 3, 5}:
            assert isinstance(outcome, asyncio.CancelledError)
        else:
            assert outcome == record(number)
    assert await reads.find(key(1)) == record(1)


async def test_all_lanes_are_released() -> None:
    """After any mixture of results the next reads are plain again."""
    database = SlowDatabase(20)
    reads = BatchedConnections(database)
    tasks = await begun(reads, range(20))
    for task in tasks:
        task.cancel()
    database.open.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0.01)
    database.asked.clear()
    again = await begun(reads, range(LANES))
    assert await asyncio.gather(*again) == [record(n) for n in range(LANES)]
    assert database.asked == [(FIND, 1)] * LANES


async def test_a_row_that_cannot_be_read_fails_only_its_own_caller() -> None:
    """The columns exist, but one has a value that this library never writes."""
    database = SlowDatabase(10)
    database.rows[place(7)] = row(7, status="gone_fishing")
    reads = BatchedConnections(database)
    tasks = await begun(reads, range(10))
    database.open.set()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(outcomes.pop(7), StoreUnavailable)
    assert outcomes == [record(n) for n in range(10) if n != 7]
    assert sizes(database) == [8]


async def test_a_value_that_fails_the_whole_query_fails_only_its_own_caller() -> None:
    """The driver cannot read one value, so the query fails. Then each row is read alone."""
    database = SlowDatabase(10)
    database.is_spoilt_by = place(7)
    reads = BatchedConnections(database)
    tasks = await begun(reads, range(10))
    database.open.set()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(outcomes.pop(7), StoreUnavailable)
    assert outcomes == [record(n) for n in range(10) if n != 7]


async def test_an_outage_fails_the_waiting_callers_and_no_later_one() -> None:
    """Each gets its own exception, because a traceback is written into it."""
    database = SlowDatabase(10)
    reads = BatchedConnections(database)
    tasks = await begun(reads, range(10))
    database.failure = StoreUnavailable("down")
    database.open.set()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [getattr(outcome, "reason", None) for outcome in outcomes] == ["down"] * 10
    assert len({id(outcome) for outcome in outcomes[LANES:]}) == 10 - LANES
    database.failure = None
    assert await reads.find(key(3)) == record(3)


async def test_an_unexpected_exception_reaches_every_waiting_caller() -> None:
    """It is raised in each of them."""
    database = SlowDatabase(6)
    del database.rows[place(4)]
    database.rows[place(5)] = (1, 2)  # no row at all
    reads = BatchedConnections(database)
    unseen: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unseen.append(context))
    tasks = await begun(reads, range(6))
    database.open.set()
    async with asyncio.timeout(2):
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(outcomes[5], StoreUnavailable)
    assert await reads.find(key(0)) == record(0)


async def test_under_load_each_caller_gets_its_own_row(database_url: str) -> None:
    """On a real database, with callers that are cancelled at random and rows that cannot be
    read."""
    store = PostgresStore(database_url)
    await store.open()
    try:
        await asyncio.gather(*(store.insert(record(n)) for n in range(200)))
        # One that this library cannot interpret, and one that the driver cannot even read.
        with psycopg.connect(database_url, autocommit=True) as connection:
            for change, number in (("status = 'x'", 50), ("updated_at = 'infinity'", 60)):
                connection.execute(
                    f"UPDATE igniter_connections SET {change} WHERE id = 'row-{number}'".encode()
                )
        dice = random.Random(7)

        async def ask() -> None:
            for _ in range(60):
                number = dice.randrange(210)
                task = asyncio.create_task(store.find(key(number)))
                if dice.random() < 0.1:
                    await asyncio.sleep(dice.random() / 500)
                    task.cancel()
                try:
                    found = await task
                except asyncio.CancelledError:
                    continue
                except StoreUnavailable:
                    assert number in {50, 60}
                    continue
                assert number not in {50, 60}
                assert found == (record(number) if number < 200 else None)

        await asyncio.gather(*(ask() for _ in range(40)))
        for number in (50, 60):
            with pytest.raises(StoreUnavailable):
                await store.find(key(number))
        assert await store.find(key(1)) == record(1)
    finally:
        await store.close()
