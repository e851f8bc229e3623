"""A handler's own writes and its event's completion, in one transaction of the store."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from returns.result import Success

from igniter_connectors import MemoryStore, PostgresStore, SQLiteStore, value_or_raise
from igniter_connectors.events import WebhookFailedEvent
from igniter_connectors.stores import DeliveryLost, StoreUnavailable
from igniter_connectors.webhooks import DeliveryLimits
from tests.faults.effects import INSERT, Effects
from tests.flows.mailroom import Answer, Call, Mailroom, Plan, mailroom


@pytest.fixture(params=["sqlite", "postgres"])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> Effects:
    if request.param == "sqlite":
        made = Effects("sqlite", str(tmp_path / "c.db"))
    else:
        made = Effects("postgres", str(request.getfixturevalue("database_url")))
    made.create()
    return made


async def outcome(room: Mailroom) -> tuple[str, int]:
    """The state and the attempts of the latest event."""
    event = value_or_raise(await room.at.webhooks.last())
    assert event is not None
    return event.state, event.attempts


async def test_effect_and_completion_commit_together(base: Effects) -> None:
    """And a handler that fails after its commit is not run again."""
    store = base.store()

    async def write(call: Call) -> Answer:
        async with store.transaction(call) as connection:
            await connection.execute(INSERT.format(call.payload.text))
        return call.failed("too late") if call.payload.text == "late" else Success(None)

    async with mailroom(store, Plan(write)) as room:
        await room.post("hi", "1")
        await room.connectors.settled()
        assert await outcome(room) == ("done", 1)
        await room.post("late", "2")
        await asyncio.sleep(0.1)
        await room.connectors.settled()
        assert await outcome(room) == ("done", 1)
        assert base.letters() == ["hi", "late"]


async def test_a_call_opens_the_transaction_of_its_own_store(base: Effects) -> None:
    """`call.transaction()`: a handler needs neither the store nor its kind."""

    async def write(call: Call) -> Answer:
        async with call.transaction() as connection:
            await connection.execute(INSERT.format(call.payload.text))
            if call.attempt == 1:
                raise RuntimeError("not now")
        return Success(None)

    async with mailroom(base.store(), Plan(write)) as room:
        await room.post("hi")
        await room.until(lambda: any(isinstance(e, WebhookFailedEvent) for e in room.events))
        await room.until(lambda: len(base.letters()) == 1)
        await room.connectors.settled()
        assert await outcome(room) == ("done", 2)
        assert base.letters() == ["hi"]


async def test_a_call_has_a_transaction_in_memory() -> None:
    """It completes the event with the block, and keeps the statements of blocks that end well."""
    store = MemoryStore()

    async def write(call: Call) -> Answer:
        async with call.transaction() as connection:
            await connection.execute("INSERT INTO payments VALUES (?)", (call.payload.text,))
            if call.attempt == 1:
                raise RuntimeError("not now")
        return call.failed("too late")

    async with mailroom(store, Plan(write)) as room:
        await room.post("hi")
        await room.until(lambda: len(room.calls) == 2)
        await room.connectors.settled()
        assert await outcome(room) == ("done", 2)
    assert store.executed == [("INSERT INTO payments VALUES (?)", ("hi",))]


async def test_a_transaction_in_memory_is_lost_with_the_event() -> None:
    """As on the other stores: before the block, and at its end."""
    store, seen = MemoryStore(), list[str]()

    async def lose(call: Call) -> None:
        async with call.transaction() as connection:
            await connection.execute("INSERT INTO payments VALUES (1)")
            await store.inbox.give_back([call.delivery])
            seen.append("ends")

    async def begin(call: Call) -> None:
        async with call.transaction():
            seen.append("begins")

    async def write(call: Call) -> Answer:
        with pytest.raises(DeliveryLost):
            await lose(call)
        with pytest.raises(DeliveryLost):
            await begin(call)
        seen.append("both")
        return Success(None)

    async with mailroom(store, Plan(write, limits=DeliveryLimits(handlers_at_once=1))) as room:
        await room.post("hi")
        await room.until(lambda: "both" in seen)
    assert "begins" not in seen
    assert store.executed == []


async def test_the_next_event_of_a_key_follows_the_commit(base: Effects) -> None:
    """The transaction completes the head, and the events behind it run in order."""
    store = base.store()

    async def write(call: Call) -> Answer:
        async with store.transaction(call) as connection:
            await connection.execute(INSERT.format(call.payload.text))
        return Success(None)

    async with mailroom(store, Plan(write, order_key=lambda _: "one")) as room:
        for text in ("a", "b", "c"):
            await room.post(text, text)
        await room.connectors.settled()
        assert room.texts == ["a", "b", "c"]
        assert sorted(base.letters()) == ["a", "b", "c"]


async def test_what_raises_inside_leaves_neither(base: Effects) -> None:
    """The event is tried again, and takes effect once."""
    store = base.store()

    async def write(call: Call) -> Answer:
        async with store.transaction(call) as connection:
            await connection.execute(INSERT.format(call.attempt))
            if call.attempt < 3:
                raise RuntimeError("half-way")
        return Success(None)

    async with mailroom(store, Plan(write)) as room:
        await room.post("hi")
        await room.until(lambda: len(room.calls) == 3)
        await room.connectors.settled()
        assert await outcome(room) == ("done", 3)
        assert base.letters() == ["3"]


async def test_a_handler_cut_off_inside_leaves_neither(base: Effects) -> None:
    """Its time limit rolls back."""
    store = base.store()

    async def write(call: Call) -> Answer:
        async with store.transaction(call) as connection:
            await connection.execute(INSERT.format(call.attempt))
            if call.attempt == 1:
                await asyncio.sleep(60)
        return Success(None)

    async with mailroom(store, Plan(write, time_limit=timedelta(seconds=0.5))) as room:
        await room.post("hi")
        await room.until(lambda: len(room.calls) == 2)
        await room.connectors.settled()
        assert base.letters() == ["2"]


async def test_who_lost_the_event_cannot_complete_it(base: Effects) -> None:
    """A process that was stopped past its lease: another has handled the event meanwhile."""
    store = base.store()
    other_is_done = asyncio.Event()
    lost: list[type[Exception]] = []

    async def late(call: Call) -> Answer:
        await other_is_done.wait()
        try:
            async with store.transaction(call) as connection:
                await connection.execute(INSERT.format("late"))
        except DeliveryLost as error:
            lost.append(type(error))
            raise
        return Success(None)

    other_store = base.store()

    async def prompt(call: Call) -> Answer:
        async with other_store.transaction(call) as connection:
            await connection.execute(INSERT.format("prompt"))
        return Success(None)

    # The first never holds on to its lease, as if it were stopped.
    limits = DeliveryLimits(lease=timedelta(milliseconds=150))
    quick = DeliveryLimits(sweep_every=timedelta(milliseconds=30))
    async with mailroom(store, Plan(late, limits=limits)) as room:

        async def no_extension(*_: object, **__: object) -> None:
            return None

        store.inbox.extend = no_extension  # type: ignore[method-assign]  # it is stopped
        await room.post("hi")
        async with mailroom(
            other_store, Plan(prompt, limits=quick), endpoint=room.endpoint
        ) as other:
            await other.until(lambda: len(other.calls) == 1)
            await other.connectors.settled()
            state, attempts = await outcome(other)
            # A busy machine lets the short lease pass more than once: how often is no matter.
            assert state == "done"
            assert attempts >= 2
        other_is_done.set()
        await room.connectors.settled()
        assert set(lost) == {DeliveryLost}
        assert base.letters() == ["prompt"]
        assert await outcome(room) == ("done", attempts)


async def test_an_event_in_a_transaction_is_nobody_elses(base: Effects) -> None:
    """Though its lease ends: the row is locked until the transaction ends."""
    store, other_store = base.store(), base.store()

    async def slow(call: Call) -> Answer:
        async with store.transaction(call) as connection:
            await connection.execute(INSERT.format("one"))
            await asyncio.sleep(0.5)
        return Success(None)

    limits = DeliveryLimits(
        lease=timedelta(milliseconds=100), sweep_every=timedelta(milliseconds=30)
    )
    async with mailroom(store, Plan(slow, limits=limits)) as room:
        await room.post("hi")
        await room.until(lambda: len(room.calls) == 1)
        async with mailroom(other_store, Plan(limits=limits), endpoint=room.endpoint) as other:
            await room.connectors.settled()
            assert other.calls == []
        assert base.letters() == ["one"]


async def test_many_transactions_leave_links_for_receiving(database_url: str) -> None:
    """Handlers that sit in transactions do not starve what comes in."""
    store = PostgresStore(database_url, max_size=4, deadline=timedelta(seconds=5))
    gate = asyncio.Event()

    async def sit(call: Call) -> Answer:
        async with store.transaction(call):
            await gate.wait()
        return Success(None)

    async with mailroom(store, Plan(sit)) as room:
        for number in range(12):
            assert (await room.post("x", f"id-{number}")).status == 204
        gate.set()
        await room.connectors.settled()
        assert len(room.calls) == 12


async def test_a_database_in_memory_has_no_such_transaction() -> None:
    """Said, rather than a transaction mixed with everybody else's statements."""
    store = SQLiteStore(":memory:")
    said: list[str] = []

    async def write(call: Call) -> Answer:
        try:
            async with store.transaction(call):
                raise AssertionError("it began")
        except StoreUnavailable as error:
            said.append(error.reason)
        return Success(None)

    async with mailroom(store, Plan(write)) as room:
        await room.post("hi")
        await room.connectors.settled()
    assert said == ["SQLite: a transaction needs an open file"]
