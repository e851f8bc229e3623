"""The inbox worker: order, slots, leases and closing, over every store."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from returns.result import Success

from igniter_connectors import MemoryStore, Secret, value_or_raise
from igniter_connectors.core.webhook.inbox import InboxEvent, NewEvent
from igniter_connectors.flows.webhooks import inbox_worker
from igniter_connectors.flows.webhooks.inbox_worker import InboxWorker
from igniter_connectors.testing import sign_webhook
from igniter_connectors.webhooks import DeliveryLimits, Retries, WebhookEndpoint
from tests.flows.mailroom import (
    Answer,
    Call,
    Letter,
    Mail,
    MakeStore,
    Plan,
    mailroom,
    manager,
    states,
)
from tests.sample import CANARY, Organization

ONE_SLOT = DeliveryLimits(handlers_at_once=1)


async def test_a_failing_order_key_does_not_block_other_keys(make_store: MakeStore) -> None:
    """Events of one key keep their order across failures. Events of other keys are handled."""

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


async def test_events_of_one_order_key_never_run_concurrently(make_store: MakeStore) -> None:
    """And none overtakes another, however many there are."""
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


async def test_handlers_at_once_limits_the_running_handlers(make_store: MakeStore) -> None:
    """The other events wait in the inbox, and all are handled."""
    running = most = 0

    async def watch(call: Call) -> Answer:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.05)
        running -= 1
        return Success(None)

    plan = Plan(watch, limits=DeliveryLimits(handlers_at_once=3))
    async with mailroom(make_store(), plan) as room:
        answers = await asyncio.gather(*(room.post("x", f"id-{n}") for n in range(40)))
        assert {answer.status for answer in answers} == {204}
        await room.connectors.settled()
        assert (len(room.calls), most) == (40, 3)
        assert {call.attempt for call in room.calls} == {1}


async def test_closing_waits_for_running_handlers(make_store: MakeStore) -> None:
    """Closing waits for a limited time."""
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


async def test_an_event_that_arrives_during_a_claim_does_not_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may be too late for that claim, which reserves the only slot in the meantime."""
    monkeypatch.setattr(inbox_worker, "_BLOCKED_SECONDS", 3600.0)
    store = MemoryStore()
    claim, looked, gate = store.inbox.claim, asyncio.Event(), asyncio.Event()

    async def slow(*given: Any, **named: Any) -> Sequence[InboxEvent]:
        claimed = await claim(*given, **named)
        looked.set()
        await gate.wait()
        return claimed

    store.inbox.claim = slow  # type: ignore[method-assign]  # a slow database
    async with mailroom(store, Plan(limits=ONE_SLOT)) as room:
        await looked.wait()
        assert (await room.post("hi")).status == 204
        gate.set()
        await room.until(lambda: len(room.calls) == 1)


async def test_one_tenants_hanging_handlers_leave_slots_for_others(
    make_store: MakeStore,
) -> None:
    """A tenant has at most its share of the slots, whether it is claimed or starts at once."""
    gate = asyncio.Event()

    async def hang(call: Call) -> Answer:
        if call.payload.text == "slow":
            await gate.wait()
        return Success(None)

    plan, calls = Plan(hang, limits=DeliveryLimits(handlers_at_once=4)), list[Call]()
    connectors, mail = manager(make_store(), plan, calls)

    async def post(endpoint: WebhookEndpoint, text: str, id: str) -> None:
        body = msgspec.json.encode(Letter(text))
        now = datetime.now(UTC)
        request = sign_webhook(plan.scheme, endpoint, body, now=now, event_id=id)
        assert (await connectors.handle(request)).status == 204

    async with connectors:
        endpoints: list[WebhookEndpoint] = []
        for name in ("acme", "rival"):
            at = connectors.scope(Organization(name)).at(mail)
            value_or_raise(await at.connect(Mail(Secret(CANARY))))
            endpoints.append(value_or_raise(await at.create_webhook()))
        for number in range(20):
            await post(endpoints[0], "slow", f"slow-{number}")
        await asyncio.sleep(0.05)
        assert len(calls) == 3
        await post(endpoints[1], "quick", "quick")
        async with asyncio.timeout(1):
            while calls[-1].payload.text != "quick":  # noqa: ASYNC110  # a handler's call
                await asyncio.sleep(0.005)
        gate.set()
        await connectors.settled()
        assert len(calls) == 21


async def test_a_claim_leaves_slots_for_events_that_arrive_meanwhile() -> None:
    """The event is handled while the database still works on the claim."""
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


async def test_events_claimed_during_closing_are_given_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At once, not when the lease ends, and the attempt does not count."""
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
    async with mailroom(store, Plan(limits=ONE_SLOT)) as room:
        await asked.wait()
        assert (await room.post("hi")).status == 204
        may_take.set()
        await taken.wait()
    assert room.calls == []
    async with mailroom(store, endpoint=room.endpoint) as again:
        await again.connectors.settled()
        assert [(call.payload.text, call.attempt) for call in again.calls] == [("hi", 1)]


async def test_a_handler_cancelled_by_closing_runs_again_in_the_next_process(
    make_store: MakeStore,
) -> None:
    """At once, without waiting for a lease. The cancelled attempt does not count."""

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


async def test_a_handler_that_swallows_its_cancellation_does_not_keep_the_manager_open(
    make_store: MakeStore, caplog: pytest.LogCaptureFixture
) -> None:
    """It is ended by force and named. Its event is given back, and the attempt does not count."""
    ended: list[str] = []

    async def never_end(call: Call) -> Answer:
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                continue
            finally:
                ended.append("ended")

    plan = Plan(never_end, limits=DeliveryLimits(stop_within=timedelta(0)))
    async with mailroom(make_store(), plan) as room:
        await room.post("hi")
        await room.until(lambda: len(room.calls) == 1)
    assert "does not end when it is cancelled: it is ended by force" in caplog.text
    assert ended
    async with mailroom(make_store(), endpoint=room.endpoint) as again:
        await again.connectors.settled()
        assert [call.attempt for call in again.calls] == [1]


async def test_a_handler_that_swallows_its_time_limit_is_ended_by_force(
    make_store: MakeStore, caplog: pytest.LogCaptureFixture
) -> None:
    """It does not keep its slot for ever: the event is tried again in the same slot."""

    async def never_end(call: Call) -> Answer:
        while call.attempt == 1:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                continue
        return Success(None)

    limits = DeliveryLimits(
        handlers_at_once=1,
        lease=timedelta(milliseconds=200),
        sweep_every=timedelta(milliseconds=50),
    )
    plan = Plan(never_end, limits=limits, time_limit=timedelta(milliseconds=50))
    async with mailroom(make_store(), plan) as room:
        await room.post("hi")
        await room.until(lambda: len(room.calls) == 2)
        await room.connectors.settled()
        assert await states(room) == [("done", 2, "")]
    assert "does not end after its time limit" in caplog.text


@pytest.mark.parametrize("method", ["purge", "release", "claim", "extend"])
async def test_a_database_call_that_swallows_a_cancellation_does_not_stop_closing(
    method: str,
) -> None:
    """As asyncio's `wait_for` does on Python 3.11 if the answer comes in the same moment."""
    store = MemoryStore()
    real = getattr(store.inbox, method)
    asked = asyncio.Event()

    async def swallow(*given: Any, **named: Any) -> Any:
        asked.set()
        try:
            await asyncio.sleep(0.3)
        except asyncio.CancelledError:
            await asyncio.sleep(0)
        return await real(*given, **named)

    async def slow(call: Call) -> Answer:
        await asyncio.sleep(0.5)
        return Success(None)

    setattr(store.inbox, method, swallow)
    limits = DeliveryLimits(lease=timedelta(milliseconds=150))
    async with asyncio.timeout(20), mailroom(store, Plan(slow, limits=limits)) as room:
        await room.post("hi")
        await asked.wait()


async def test_pending_events_are_handled_at_start(
    make_store: MakeStore,
) -> None:
    """A process that only receives leaves the events to others."""
    plan = Plan(limits=DeliveryLimits(handlers_at_once=0))
    async with mailroom(make_store(), plan) as room:
        assert (await room.post("hi")).status == 204
        await room.connectors.settled()
        assert room.calls == []
    async with mailroom(make_store(), endpoint=room.endpoint) as again:
        await again.connectors.settled()
        assert again.texts == ["hi"]


async def test_a_long_handler_keeps_its_lease(make_store: MakeStore) -> None:
    """Another process that looks into the inbox does not get the event."""

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


@pytest.mark.parametrize("error", [asyncio.CancelledError, SystemExit, KeyboardInterrupt])
async def test_whatever_a_handler_raises_is_a_failed_attempt(
    error: type[BaseException], make_store: MakeStore
) -> None:
    """The worker, and the handlers of other events, go on."""

    async def fail(call: Call) -> Answer:
        if call.payload.text == "bad":
            raise error
        return Success(None)

    async with mailroom(make_store(), Plan(fail)) as room:
        await room.post("bad", "1")
        await room.post("good", "2")
        await room.until(lambda: room.texts.count("bad") == 3)
        await room.connectors.settled()
        assert sorted(await states(room)) == [
            ("dead", 3, "CONNECTOR_WEBHOOK_FAILED"),
            ("done", 1, ""),
        ]


async def test_an_event_whose_attempts_never_end_is_dead_in_the_end(
    make_store: MakeStore,
) -> None:
    """A handler that kills its process leaves only leases behind, and each was an attempt."""
    store = make_store()
    async with mailroom(store, Plan(limits=DeliveryLimits(handlers_at_once=0))) as room:
        assert (await room.post("killer")).status == 204
        endpoint = room.endpoint
        for number in range(3):
            (claimed,) = await store.inbox.claim(
                ["mail"], owner=f"gone-{number}", lease=timedelta(milliseconds=1), limit=9
            )
            assert claimed.sealed_body is not None
            await asyncio.sleep(0.02)
    again = store if isinstance(store, MemoryStore) else make_store()
    async with mailroom(again, Plan(), endpoint=endpoint) as room:
        await room.connectors.settled()
        assert room.calls == []
        ((state, _, code),) = await states(room)
        assert (state, code) == ("dead", "CONNECTOR_WEBHOOK_PROCESS_ENDED")


async def test_an_event_that_may_have_ended_a_process_runs_alone(make_store: MakeStore) -> None:
    """With one attempt allowed, too: what only ran beside the one that did it is not dead."""
    running: list[str] = []
    beside: list[list[str]] = []
    once = Retries(attempts=1)

    async def note(call: Call) -> Answer:
        running.append(call.payload.text)
        beside.append(sorted(running))
        await asyncio.sleep(0.02)
        running.remove(call.payload.text)
        return Success(None)

    store = make_store()
    idle = DeliveryLimits(handlers_at_once=0)
    async with mailroom(store, Plan(limits=idle, retries=once)) as room:
        endpoint = room.endpoint
        for number in range(4):
            assert (await room.post("hi", f"id-{number}")).status == 204
        claimed = await store.inbox.claim(
            ["mail"], owner="gone", lease=timedelta(milliseconds=1), limit=9
        )
        assert len(claimed) == 4
        await asyncio.sleep(0.02)
    again = store if isinstance(store, MemoryStore) else make_store()
    async with mailroom(again, Plan(note, retries=once), endpoint=endpoint) as room:
        await room.until(lambda: bool(running))
        await asyncio.gather(*(room.post("new", f"new-{number}") for number in range(3)))
        await room.connectors.settled()
        found = await states(room)
    assert all(texts == ["hi"] for texts in beside if "hi" in texts)
    assert sorted(found) == [("done", 1, "")] * 3 + [("done", 2, "PROCESS_ENDED")] * 4


async def test_a_purge_goes_on_while_all_handlers_are_busy(make_store: MakeStore) -> None:
    """Expired events are deleted in several batches, without waiting for a free slot."""
    gate = asyncio.Event()

    async def hang(_: Call) -> Answer:
        await gate.wait()
        return Success(None)

    limits = DeliveryLimits(handlers_at_once=1, sweep_every=timedelta(milliseconds=20))
    store = make_store()
    inbox = store.inbox
    async with mailroom(store, Plan(hang, limits=limits)) as room:
        for number in range(3):
            await room.post("hi", f"id-{number}")
        await room.until(lambda: len(room.calls) == 1)
        key = room.calls[0].delivery.key
        old = [
            NewEvent(
                key=key,
                connection_id="x" * 32,
                id=f"old-{number}",
                event_id="",
                sealed_body=b"s",
                order_key="",
                body_hash=None,
                is_held=True,
                remember_for=timedelta(0),
            )
            for number in range(1200)
        ]
        await asyncio.gather(*(inbox.record(one, owner="", lease=timedelta(1)) for one in old))
        async with asyncio.timeout(10):
            while await inbox.find(key, "old-1199") or await inbox.find(key, "old-0"):  # noqa: ASYNC110  # the store has no event
                await asyncio.sleep(0.01)
        assert len(room.calls) == 1
        gate.set()
