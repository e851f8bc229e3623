"""Webhooks between the provider's 2xx and their end, over every store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from returns.result import Success

from igniter_connectors import MemoryStore, PostgresStore, SQLiteStore, problem_of, value_or_raise
from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.webhook.inbox import InboxEvent, NewEvent, Recorded
from igniter_connectors.events import (
    WebhookDeadLettered,
    WebhookFailedEvent,
    WebhookProcessed,
    WebhookReceived,
)
from igniter_connectors.flows.webhooks import inbox_worker as deliver
from igniter_connectors.flows.webhooks.inbox_worker import InboxWorker
from igniter_connectors.problems import WebhookEventNotFound, WebhookEventNotReplayable
from igniter_connectors.stores import Store, StoreUnavailable
from igniter_connectors.webhooks import GITHUB, DeliveryLimits, Retries
from tests.flows.mailroom import Answer, Call, Letter, Mailroom, Plan, mailroom
from tests.sample import CANARY

KEY = ConnectionKey("organization", "acme", "mail")
LONG = Retries(attempts=3, first_after=timedelta(hours=1), longest=timedelta(hours=1))
ONE_PLACE = DeliveryLimits(handlers_at_once=1)

MakeStore = Callable[[], Store]


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> MakeStore:
    """A store; called again, another on the same database, but for the one in memory."""
    match request.param:
        case "memory":
            store = MemoryStore()
            return lambda: store
        case "sqlite":
            return lambda: SQLiteStore(tmp_path / "c.db")
        case _:
            url = str(request.getfixturevalue("database_url"))
            # Patient, so that a busy machine answers no delivery with 503.
            return lambda: PostgresStore(url, deadline=timedelta(seconds=5))


async def states(room: Mailroom) -> list[tuple[str, int, str]]:
    """State, attempts and last code of each event, the oldest first."""
    page = value_or_raise(await room.at.webhooks.list())
    return [(one.state, one.attempts, one.last_code) for one in reversed(page.items)]


async def test_an_event_is_recorded_answered_and_then_handled_once(make_store: MakeStore) -> None:
    """The handler is told of the attempt and when it came; a duplicate is answered and no more."""
    before = datetime.now(UTC) - timedelta(seconds=1)
    async with mailroom(make_store()) as room:
        for _ in range(3):
            assert (await room.post("hi")).status == 204
        await room.connectors.settled()
        (call,) = room.calls
        assert (call.payload, call.config.key.reveal()) == (Letter("hi"), CANARY)
        assert (call.event_id, call.attempt, call.possible_replay) == ("msg_1", 1, False)
        assert before < call.received_at < datetime.now(UTC) + timedelta(seconds=1)
        event = value_or_raise(await room.at.webhooks.find(call.id))
        assert (event.state, event.event_id, event.has_body) == ("done", "msg_1", True)
        assert value_or_raise(await room.at.webhooks.last()) == event
        assert value_or_raise(await room.at.explain()).last_webhook == event
        await room.until(lambda: len(room.events) == 3)
    kinds = [type(event) for event in room.events]
    assert kinds[1:] == [WebhookReceived, WebhookProcessed]


async def test_the_handler_does_not_hold_up_the_answer(make_store: MakeStore) -> None:
    """It begins after the provider has its 2xx, and other events go on beside it."""
    gate = asyncio.Event()

    async def wait(call: Call) -> Answer:
        if call.payload.text == "slow":
            await gate.wait()
        return Success(None)

    async with mailroom(make_store(), Plan(wait)) as room:
        assert (await room.post("slow", "1")).status == 204
        assert (await room.post("quick", "2")).status == 204
        await room.until(lambda: "quick" in room.texts)
        assert [state for state, _, _ in await states(room)] == ["pending", "done"]
        gate.set()
        await room.connectors.settled()
        assert [state for state, _, _ in await states(room)] == ["done", "done"]


async def test_an_event_that_cannot_be_recorded_is_not_acknowledged() -> None:
    """503, never 2xx, and no handler; the provider comes again and all is well."""

    store = MemoryStore()
    record = store.inbox.record
    is_away = True

    async def away(event: NewEvent, *, owner: str, lease: timedelta) -> Recorded | None:
        if is_away:
            raise StoreUnavailable("away")
        return await record(event, owner=owner, lease=lease)

    store.inbox.record = away  # type: ignore[method-assign]  # the database's weather
    async with mailroom(store) as room:
        assert (await room.post("hi")).status == 503
        await room.connectors.settled()
        assert room.calls == []
        is_away = False
        assert (await room.post("hi")).status == 204
        await room.connectors.settled()
        assert room.texts == ["hi"]


async def test_a_handler_that_fails_is_tried_again(make_store: MakeStore) -> None:
    """After a pause, with the number of the attempt; what it raised is told as a code."""

    async def third_time(call: Call) -> Answer:
        if call.attempt == 1:
            raise RuntimeError(CANARY)
        return call.failed("not yet") if call.attempt == 2 else Success(None)

    async with mailroom(make_store(), Plan(third_time)) as room:
        await room.post("hi")
        await room.until(lambda: len(room.calls) == 3)
        await room.connectors.settled()
        assert await states(room) == [("done", 3, "CONNECTOR_WEBHOOK_FAILED")]
        assert [call.attempt for call in room.calls] == [1, 2, 3]
        assert {call.id for call in room.calls} == {room.calls[0].id}
        await room.until(lambda: isinstance(room.events[-1], WebhookProcessed))
    assert sum(isinstance(event, WebhookFailedEvent) for event in room.events) == 2


async def test_the_last_failed_attempt_leaves_a_dead_letter(make_store: MakeStore) -> None:
    """It is told, stays, and is handled when somebody replays it."""
    mends = False

    async def broken(call: Call) -> Answer:
        return Success(None) if mends else call.failed("no")

    async with mailroom(make_store(), Plan(broken)) as room:
        await room.post("hi")
        await room.until(lambda: any(isinstance(e, WebhookDeadLettered) for e in room.events))
        assert await states(room) == [("dead", 3, "CONNECTOR_WEBHOOK_FAILED")]
        assert len(room.calls) == 3
        id = room.calls[0].id
        mends = True
        assert value_or_raise(await room.at.webhooks.check_replay(id)).state == "dead"
        assert len(room.calls) == 3
        value_or_raise(await room.at.webhooks.replay(id))
        await room.connectors.settled()
        assert await states(room) == [("done", 1, "CONNECTOR_WEBHOOK_FAILED")]
        assert (await room.post("hi")).status == 204
        await room.connectors.settled()
        assert len(room.calls) == 4
        assert problem_of(await room.at.webhooks.replay("none")) == WebhookEventNotFound("mail")


async def test_a_poisoned_key_holds_up_no_other(make_store: MakeStore) -> None:
    """One key's events go in their order, across failures; other keys' go on meanwhile."""

    async def poisoned(call: Call) -> Answer:
        return call.failed("poison") if call.payload.text == "a1" else Success(None)

    plan = Plan(poisoned, order_key=lambda letter: letter.sender)
    async with mailroom(make_store(), plan) as room:
        for text in ("a1", "b1", "a2", "b2", "a3", "free"):
            sender = "" if text == "free" else text[0]
            assert (await room.post(text, text, sender)).status == 204
        await room.until(lambda: "a3" in room.texts)
        await room.connectors.settled()
        assert [text for text in room.texts if text[0] == "a"] == ["a1", "a1", "a1", "a2", "a3"]
        assert [text for text in room.texts if text[0] == "b"] == ["b1", "b2"]
        assert room.texts.index("b2") < room.texts.index("a2")
        assert sorted(state for state, _, _ in await states(room)) == ["dead", *["done"] * 5]


async def test_no_two_events_of_a_key_run_at_once(make_store: MakeStore) -> None:
    """Nor does any overtake another, however many came."""
    running = 0
    most = 0

    async def watch(call: Call) -> Answer:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1
        return Success(None)

    async with mailroom(make_store(), Plan(watch, order_key=lambda _: "one")) as room:
        for number in range(15):
            await room.post(f"{number:02}", f"id-{number}")
        await room.connectors.settled()
        await room.until(lambda: len(room.calls) == 15)
        assert room.texts == sorted(room.texts)
        assert most == 1


async def test_a_disabled_connections_events_are_held(make_store: MakeStore) -> None:
    """Verified, answered, recorded; handled in order once it is enabled."""
    async with mailroom(make_store(), Plan(order_key=lambda _: "one")) as room:
        value_or_raise(await room.at.disable())
        for text in "123":
            assert (await room.post(text, text)).status == 204
        await room.connectors.settled()
        assert room.calls == []
        assert await states(room) == [("held", 0, "")] * 3
        value_or_raise(await room.at.enable())
        await room.until(lambda: len(room.calls) == 3)
        await room.connectors.settled()
        assert room.texts == ["1", "2", "3"]
        assert [call.attempt for call in room.calls] == [1, 1, 1]


async def test_an_event_that_waits_when_its_connection_is_disabled_is_held(
    make_store: MakeStore,
) -> None:
    """What it has waited for does not come; enabled again, it does."""
    fails = True

    async def handle(call: Call) -> Answer:
        return call.failed("no") if fails else Success(None)

    pause = timedelta(milliseconds=150)
    retries = Retries(attempts=9, first_after=pause, longest=pause)
    async with mailroom(make_store(), Plan(handle, retries=retries)) as room:
        await room.post("hi")
        await room.until(lambda: len(room.calls) == 1)
        value_or_raise(await room.at.disable())
        await asyncio.sleep(0.3)
        await room.connectors.settled()
        assert (await states(room))[0][:2] == ("held", 1)
        fails = False
        value_or_raise(await room.at.enable())
        await room.connectors.settled()
        assert (await states(room))[0][:2] == ("done", 2)


async def test_a_connector_may_drop_what_comes_while_disabled(make_store: MakeStore) -> None:
    """Answered 2xx all the same, and nothing is stored."""
    async with mailroom(make_store(), Plan(when_disabled="drop")) as room:
        value_or_raise(await room.at.disable())
        assert (await room.post("hi")).status == 204
        assert await states(room) == []


async def test_only_so_many_run_at_once(make_store: MakeStore) -> None:
    """The others wait in the inbox, and all are handled."""
    running = most = 0

    async def watch(call: Call) -> Answer:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.005)
        running -= 1
        return Success(None)

    plan = Plan(watch, limits=DeliveryLimits(handlers_at_once=3))
    async with mailroom(make_store(), plan) as room:
        answers = await asyncio.gather(*(room.post("x", f"id-{n}") for n in range(40)))
        assert {answer.status for answer in answers} == {204}
        await room.connectors.settled()
        assert (len(room.calls), most) == (40, 3)
        assert {call.attempt for call in room.calls} == {1}


async def test_what_comes_over_the_limit_is_asked_to_come_again() -> None:
    """503 with Retry-After at once, and what was taken is taken."""
    store = MemoryStore()
    record, gate = store.inbox.record, asyncio.Event()

    async def slow(event: NewEvent, *, owner: str, lease: timedelta) -> Recorded | None:
        await gate.wait()
        return await record(event, owner=owner, lease=lease)

    store.inbox.record = slow  # type: ignore[method-assign]  # a slow database
    plan = Plan(limits=DeliveryLimits(received_at_once=2))
    async with mailroom(store, plan) as room:
        taken = [asyncio.create_task(room.post("x", f"id-{n}")) for n in range(2)]
        await asyncio.sleep(0.01)
        refused = await room.post("x", "id-3")
        assert (refused.status, refused.header("retry-after")) == (503, "1")
        gate.set()
        assert [(await task).status for task in taken] == [204, 204]
        assert (await room.post("x", "id-3")).status == 204
        await room.connectors.settled()
        assert len(room.calls) == 3


async def test_a_handler_that_hangs_is_cut_off(make_store: MakeStore) -> None:
    """It has failed, and is tried again."""

    async def hang(call: Call) -> Answer:
        if call.attempt == 1:
            await asyncio.sleep(60)
        return Success(None)

    plan = Plan(hang, time_limit=timedelta(milliseconds=50))
    async with mailroom(make_store(), plan) as room:
        await room.post("hi")
        await room.until(lambda: len(room.calls) == 2)
        await room.connectors.settled()
        assert await states(room) == [("done", 2, "CONNECTOR_WEBHOOK_FAILED")]


async def test_closing_waits_for_a_handler_that_runs(make_store: MakeStore) -> None:
    """For a while."""
    done: list[str] = []

    async def slow(call: Call) -> Answer:
        await asyncio.sleep(0.1)
        done.append(call.payload.text)
        return Success(None)

    async with mailroom(make_store(), Plan(slow)) as room:
        await room.post("hi")
        await room.until(lambda: len(room.calls) == 1)
    assert done == ["hi"]
    async with mailroom(make_store(), endpoint=room.endpoint) as again:
        await again.connectors.settled()
        assert (await states(again), again.calls) == ([("done", 1, "")], [])


async def test_what_comes_while_the_inbox_is_looked_into_does_not_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may have come too late for that look, which keeps the only place meanwhile."""
    monkeypatch.setattr(deliver, "_BLOCKED_SECONDS", 3600.0)
    store = MemoryStore()
    claim, looked, gate = store.inbox.claim, asyncio.Event(), asyncio.Event()

    async def slow(*given: Any, **named: Any) -> Sequence[InboxEvent]:
        claimed = await claim(*given, **named)
        looked.set()
        await gate.wait()
        return claimed

    store.inbox.claim = slow  # type: ignore[method-assign]  # a slow database
    async with mailroom(store, Plan(limits=ONE_PLACE)) as room:
        await looked.wait()
        assert (await room.post("hi")).status == 204
        gate.set()
        await room.until(lambda: len(room.calls) == 1)


async def test_a_look_into_the_inbox_leaves_places_for_what_comes_meanwhile() -> None:
    """It is handled while the database is still at that look."""
    store = MemoryStore()
    claim, looked, gate = store.inbox.claim, asyncio.Event(), asyncio.Event()

    async def slow(*given: Any, **named: Any) -> Sequence[InboxEvent]:
        looked.set()
        await gate.wait()
        return await claim(*given, **named)

    store.inbox.claim = slow  # type: ignore[method-assign]  # a slow database
    async with mailroom(store, Plan(limits=DeliveryLimits(handlers_at_once=2))) as room:
        await looked.wait()
        try:
            assert (await room.post("hi")).status == 204
            await room.until(lambda: len(room.calls) == 1)
        finally:
            gate.set()


async def test_what_is_taken_while_closing_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, not when its lease is over, and as if no attempt had begun."""
    store = MemoryStore()
    claim = store.inbox.claim
    asked, may_take, taken, may_answer = (asyncio.Event() for _ in range(4))

    async def slow(*given: Any, **named: Any) -> Sequence[InboxEvent]:
        asked.set()
        await may_take.wait()
        claimed = await claim(*given, **named)
        taken.set()
        await may_answer.wait()
        return claimed

    close = InboxWorker.close

    async def close_while_it_waits(worker: InboxWorker) -> None:
        closing = asyncio.create_task(close(worker))
        await asyncio.sleep(0)
        may_answer.set()
        await closing

    store.inbox.claim = slow  # type: ignore[method-assign]  # a slow database
    monkeypatch.setattr(InboxWorker, "close", close_while_it_waits)
    async with mailroom(store, Plan(limits=ONE_PLACE)) as room:
        await asked.wait()
        assert (await room.post("hi")).status == 204
        may_take.set()
        await taken.wait()
    assert room.calls == []
    async with mailroom(store, endpoint=room.endpoint) as again:
        await again.connectors.settled()
        assert [(call.payload.text, call.attempt) for call in again.calls] == [("hi", 1)]


async def test_what_closing_cuts_off_begins_anew_in_the_next_process(
    make_store: MakeStore,
) -> None:
    """At once, without waiting for any lease; the attempt did not count."""

    async def hang(call: Call) -> Answer:
        await asyncio.sleep(60)
        return Success(None)

    plan = Plan(hang, limits=DeliveryLimits(stop_within=timedelta(0)))
    async with mailroom(make_store(), plan) as room:
        await room.post("hi")
        await room.until(lambda: len(room.calls) == 1)
    async with mailroom(make_store(), endpoint=room.endpoint) as again:
        await again.connectors.settled()
        assert [call.attempt for call in again.calls] == [1]


async def test_what_was_received_without_delivery_is_handled_at_start(
    make_store: MakeStore,
) -> None:
    """A process that only receives leaves it to others."""
    plan = Plan(limits=DeliveryLimits(handlers_at_once=0))
    async with mailroom(make_store(), plan) as room:
        assert (await room.post("hi")).status == 204
        await room.connectors.settled()
        assert room.calls == []
    async with mailroom(make_store(), endpoint=room.endpoint) as again:
        await again.connectors.settled()
        assert again.texts == ["hi"]


async def test_a_long_handler_keeps_its_lease(make_store: MakeStore) -> None:
    """Another process that looks meanwhile does not get the event."""

    async def slow(call: Call) -> Answer:
        await asyncio.sleep(0.6)
        return Success(None)

    limits = DeliveryLimits(
        lease=timedelta(milliseconds=200), sweep_every=timedelta(milliseconds=30)
    )
    async with mailroom(make_store(), Plan(slow, limits=limits)) as room:
        await room.post("hi")
        async with mailroom(make_store(), Plan(limits=limits), endpoint=room.endpoint) as other:
            await asyncio.sleep(0.5)
            await room.connectors.settled()
            assert (len(room.calls), other.calls) == (1, [])
        assert await states(room) == [("done", 1, "")]


async def test_a_replay_under_another_id_is_marked(make_store: MakeStore) -> None:
    """GitHub signs neither an id nor a time: the same body again may be anybody's."""
    async with mailroom(make_store(), Plan(scheme=GITHUB)) as room:
        for id in ("1", "1", "2"):
            assert (await room.post("hi", id)).status == 204
            await room.connectors.settled()
        marks = [(call.event_id, call.possible_replay) for call in room.calls]
        assert marks == [("1", False), ("2", True)]


async def test_events_of_a_connection_that_is_gone_are_dead(make_store: MakeStore) -> None:
    """Its secrets are deleted, and whoever connects anew is somebody else."""
    plan = Plan(limits=DeliveryLimits(handlers_at_once=0))
    async with mailroom(make_store(), plan) as room:
        await room.post("hi")
        value_or_raise(await room.at.disconnect())
    async with mailroom(make_store()) as again:
        await again.connectors.settled()
        assert again.calls == []
        assert await states(again) == [("dead", 1, "CONNECTOR_NOT_CONNECTED")]


async def test_a_body_that_was_cleared_away_is_not_replayed(make_store: MakeStore) -> None:
    """As the connector asks: nothing of what the tenant was sent stays."""
    async with mailroom(make_store(), Plan(keep_body_for=timedelta(0))) as room:
        await room.post("hi")
        await room.connectors.settled()
        id = room.calls[0].id
        assert not value_or_raise(await room.at.webhooks.find(id)).has_body
        for refused in (
            await room.at.webhooks.replay(id),
            await room.at.webhooks.check_replay(id),
            await room.at.webhooks.body(id),
        ):
            assert isinstance(problem_of(refused), WebhookEventNotReplayable)


async def test_a_body_is_sealed_and_opens_for_its_tenant(make_store: MakeStore) -> None:
    """In clear it is nowhere in the store."""
    store = make_store()
    async with mailroom(store) as room:
        await room.post(CANARY)
        await room.connectors.settled()
        id = room.calls[0].id
        row = await store.inbox.find(KEY, id)
        assert row is not None
        assert row.sealed_body is not None
        assert CANARY.encode() not in row.sealed_body
        assert CANARY.encode() in value_or_raise(await room.at.webhooks.body(id))


async def test_pages_of_events_follow_one_another(make_store: MakeStore) -> None:
    """The latest first, to the end."""
    async with mailroom(make_store()) as room:
        for number in range(5):
            await room.post("x", f"id-{number}")
        await room.connectors.settled()
        seen: list[str] = []
        after: str | None = None
        while True:
            page = value_or_raise(await room.at.webhooks.list(limit=2, after=after))
            seen += [event.event_id for event in page.items]
            after = page.next
            if after is None:
                break
        assert seen == [f"id-{number}" for number in reversed(range(5))]
        assert value_or_raise(await room.at.webhooks.list(state="dead")).items == ()
