"""What becomes of an event: replayed, purged, ordered, held. A part of `STORE_CONTRACT`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from msgspec.structs import replace

from igniter_connectors.core.connection.record import ConnectionRecord
from igniter_connectors.core.webhook.turns import Share
from igniter_connectors.ports import Store
from igniter_connectors.testing.contract_events import (
    BODY,
    CONNECTORS,
    KEEP,
    KEY,
    LONG,
    NOW,
    PAST_SHORT_SECONDS,
    REASON,
    SHORT,
    add_connection,
    claim_events,
    delivery,
    new_event,
    record_event,
)


async def a_dead_event_stays_until_it_is_replayed(store: Store) -> None:
    """A dead letter is not claimed. A replay resets its attempts."""
    event = new_event()
    _ = await record_event(store, event, "me")
    assert await store.inbox.dead_letter(delivery(event.id), code="CODE", reason=REASON)
    assert not await store.inbox.dead_letter(delivery(event.id), code="CODE")
    assert await claim_events(store) == []
    dead = await store.inbox.find(KEY, event.id)
    assert dead is not None
    assert (dead.state, dead.last_code, dead.due_at) == ("dead", "CODE", None)
    assert dead.last_reason == REASON
    assert dead.finished_at is not None
    assert not await store.inbox.replay(replace(KEY, identity="rival"), event.id)
    assert await store.inbox.replay(KEY, event.id)
    (again,) = await claim_events(store)
    assert (again.attempts, again.finished_at, again.last_reason) == (1, None, REASON)
    assert not await store.inbox.replay(KEY, event.id)
    assert await store.inbox.complete(delivery(event.id))


async def a_done_event_keeps_its_body_for_a_time(store: Store) -> None:
    """Without its body an event still counts as a duplicate, but cannot be replayed."""
    kept, cleared, short = new_event(), new_event(), new_event()
    for event, keep in ((kept, KEEP), (cleared, timedelta(0)), (short, SHORT)):
        _ = await record_event(store, event, "me")
        assert await store.inbox.complete(delivery(event.id, keep_body_for=keep))
    await asyncio.sleep(PAST_SHORT_SECONDS)
    assert await store.inbox.purge() == 1
    assert await store.inbox.purge() == 0
    bodies = [await store.inbox.find(KEY, event.id) for event in (kept, cleared, short)]
    assert [one and one.sealed_body for one in bodies] == [BODY, None, None]
    assert not await store.inbox.replay(KEY, short.id)
    assert await store.inbox.record(short, owner="", lease=LONG) is None
    assert await store.inbox.replay(KEY, kept.id)


async def expired_events_are_deleted_and_pending_ones_are_not(store: Store) -> None:
    """Done, dead and held events are deleted when they expire; pending ones are not."""
    done, dead, held, pending = (
        new_event(remember_for=SHORT),
        new_event(remember_for=SHORT),
        new_event(remember_for=SHORT, is_held=True),
        new_event(remember_for=SHORT),
    )
    for event in (done, dead, held, pending):
        _ = await record_event(store, event, "me")
    assert await store.inbox.complete(delivery(done.id))
    assert await store.inbox.dead_letter(delivery(dead.id), code="CODE")
    await asyncio.sleep(PAST_SHORT_SECONDS)
    assert await store.inbox.purge() == 3
    left = await store.inbox.list(KEY, state=None, before=None, limit=9)
    assert [one.id for one in left] == [pending.id]
    assert await store.inbox.record(done, owner="", lease=LONG) is not None


async def an_attempt_that_never_ended_marks_its_event(store: Store) -> None:
    """Not one that was retried or given back, and not one that its own process takes over."""
    event = new_event()
    _ = await record_event(store, event, "")
    codes: list[str] = []
    for owner in ("first", "first", "second", "third"):
        (claimed,) = await claim_events(store, owner, lease=SHORT)
        codes.append(claimed.last_code)
        await asyncio.sleep(PAST_SHORT_SECONDS)
    assert codes == ["", "", "PROCESS_ENDED", "PROCESS_ENDED_ALONE"]
    await store.inbox.give_back([delivery(event.id, "third", 4)])
    (again,) = await claim_events(store, "fourth")
    assert (again.attempts, again.last_code) == (4, "PROCESS_ENDED_ALONE")
    assert await store.inbox.retry(delivery(event.id, "fourth", 4), code="X", pause=timedelta(0))
    (retried,) = await claim_events(store, "fifth")
    assert (retried.attempts, retried.last_code) == (5, "X")


async def events_of_one_key_go_one_after_another(store: Store) -> None:
    """They run in order of arrival, also after a failure; other events do not wait."""
    first, second, third, other, free = (
        new_event(order_key="a"),
        new_event(order_key="a"),
        new_event(order_key="a"),
        new_event(order_key="b"),
        new_event(),
    )
    for event in (first, second, third, other, free):
        _ = await record_event(store, event, "me")
    claimed = {one.id for one in await claim_events(store)}
    assert claimed == {first.id, other.id}  # `free` already belongs to its recorder
    assert await claim_events(store) == []
    assert await store.inbox.retry(delivery(first.id), code="X", pause=SHORT)
    assert await claim_events(store) == []
    await asyncio.sleep(PAST_SHORT_SECONDS)
    (again,) = await claim_events(store, lease=SHORT)
    assert (again.id, again.attempts) == (first.id, 2)
    await asyncio.sleep(PAST_SHORT_SECONDS)
    (taken_over,) = await claim_events(store, "other")
    assert (taken_over.id, taken_over.attempts) == (first.id, 3)
    assert await store.inbox.dead_letter(delivery(first.id, "other", 3), code="X")
    assert [one.id for one in await claim_events(store)] == [second.id]
    # A replayed earlier event does not run at the same time as a later one.
    assert await store.inbox.replay(KEY, first.id)
    assert await claim_events(store) == []
    assert await store.inbox.complete(delivery(second.id))
    assert [one.id for one in await claim_events(store)] == [first.id]
    assert await store.inbox.complete(delivery(first.id))
    assert [one.id for one in await claim_events(store)] == [third.id]


async def the_next_of_a_key_follows_each_end(store: Store) -> None:
    """A head that is done, dead or held makes room, and a held one keeps its place in the order."""
    record = await add_connection(store, enabled=False)
    events = [new_event(order_key="a") for _ in range(4)]
    for event in events:
        _ = await record_event(store, event)
        await asyncio.sleep(0.002)
    first, second, third, fourth = events
    until_due = await store.inbox.until_due(CONNECTORS)
    assert until_due is not None
    assert until_due <= timedelta(0)
    assert [one.id for one in await claim_events(store)] == [first.id]
    until_due = await store.inbox.until_due(CONNECTORS)
    assert until_due is not None
    assert until_due > timedelta(0)
    await store.inbox.give_back([delivery(first.id)])
    assert [one.id for one in await claim_events(store)] == [first.id]
    assert await store.inbox.complete(delivery(first.id))
    assert [one.id for one in await claim_events(store)] == [second.id]
    assert await store.inbox.dead_letter(delivery(second.id), code="X")
    assert [one.id for one in await claim_events(store)] == [third.id]
    assert await store.inbox.hold(delivery(third.id))
    assert await claim_events(store) == []
    assert await store.inbox.replay(KEY, first.id)
    assert [one.id for one in await claim_events(store)] == [first.id]
    assert await store.inbox.complete(delivery(first.id))
    assert await claim_events(store) == []
    assert await store.set_enabled(record.key, enabled=True, now=NOW)
    assert await store.inbox.release(KEY) == 1
    assert [one.id for one in await claim_events(store)] == [third.id]
    assert await store.inbox.complete(delivery(third.id))
    assert [one.id for one in await claim_events(store)] == [fourth.id]


async def tenants_take_turns(store: Store) -> None:
    """A tenant with many due events delays no other, in one claim or from claim to claim."""
    for _ in range(30):
        _ = await record_event(store, new_event())
    names = [f"tenant-{number}" for number in range(5)]
    for name in (*names, *names):
        _ = await record_event(store, new_event(key=replace(KEY, identity=name)))
    served = [one.key.identity for one in await claim_events(store, limit=12)]
    assert {name: served.count(name) for name in names} == dict.fromkeys(names, 2)
    assert served.count(KEY.identity) == 2
    _ = await record_event(store, new_event(key=replace(KEY, identity="zoo")))
    _ = await record_event(store, new_event(key=replace(KEY, identity="aaa")))
    one_by_one = [one.key.identity for _ in range(3) for one in await claim_events(store, limit=1)]
    assert sorted(one_by_one) == ["aaa", KEY.identity, "zoo"]


async def a_tenants_share_is_not_exceeded(store: Store) -> None:
    """It counts what runs already; other tenants' events are claimed beside it."""
    for _ in range(9):
        _ = await record_event(store, new_event())
    _ = await record_event(store, new_event(key=replace(KEY, identity="rival")))
    share = Share(4, {("organization", "acme"): 1})
    served = [
        one.key.identity
        for _ in range(3)
        for one in await store.inbox.claim(CONNECTORS, owner="me", lease=LONG, limit=8, share=share)
    ]
    assert "rival" in served[:4]
    full = Share(4, {("organization", "acme"): 4})
    _ = await record_event(store, new_event(key=replace(KEY, identity="late")))
    claimed = await store.inbox.claim(CONNECTORS, owner="me", lease=LONG, limit=8, share=full)
    assert [one.key.identity for one in claimed] == ["late"]


async def held_events_wait_until_their_connection_is_enabled(store: Store) -> None:
    """Events are held when recorded or when claimed, and attempts do not count meanwhile."""
    record = await add_connection(store, enabled=False)
    first, second = new_event(order_key="a", is_held=True), new_event(order_key="a", is_held=True)
    third = new_event()
    for event in (first, second, third):
        _ = await record_event(store, event, "me")
    assert await store.inbox.hold(delivery(third.id))
    assert not await store.inbox.hold(delivery(third.id))
    assert await claim_events(store) == []
    assert await store.inbox.until_due(CONNECTORS) is None
    assert await store.inbox.release() == 0
    assert await store.inbox.release(KEY) == 0
    assert await store.set_enabled(record.key, enabled=True, now=NOW)
    assert await store.inbox.release(replace(KEY, identity="rival")) == 0
    assert await store.inbox.release(KEY) == 3
    assert await store.inbox.release() == 0
    claimed = await claim_events(store)
    assert {one.id for one in claimed} == {first.id, third.id}
    assert {one.attempts for one in claimed} == {1}


async def events_held_for_another_row_are_not_released(store: Store) -> None:
    """A new connection under the same key gets no events of the old one."""
    record = ConnectionRecord(KEY, "d" * 32, b"{}", b"sealed", True, 1, NOW, NOW)
    assert await store.insert(record)
    _ = await record_event(store, new_event(is_held=True))
    assert await store.inbox.release(KEY) == 0
    assert await store.inbox.release() == 0


INBOX_STATES_CONTRACT: tuple[Callable[[Store], Awaitable[None]], ...] = (
    a_dead_event_stays_until_it_is_replayed,
    a_done_event_keeps_its_body_for_a_time,
    expired_events_are_deleted_and_pending_ones_are_not,
    an_attempt_that_never_ended_marks_its_event,
    events_of_one_key_go_one_after_another,
    the_next_of_a_key_follows_each_end,
    tenants_take_turns,
    a_tenants_share_is_not_exceeded,
    held_events_wait_until_their_connection_is_enabled,
    events_held_for_another_row_are_not_released,
)
