"""The webhook inbox: recording, claiming, and attempts. A part of `STORE_CONTRACT`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from msgspec.structs import replace

from igniter_connectors.core.webhook.inbox import InboxEvent
from igniter_connectors.ports import Store
from igniter_connectors.testing.contract_events import (
    BODY,
    CONNECTORS,
    KEY,
    LONG,
    PAST_SHORT_SECONDS,
    REASON,
    ROW,
    SHORT,
    claim_events,
    delivery,
    new_event,
    record_event,
)


async def an_event_comes_back_as_it_was_recorded(store: Store) -> None:
    """Every column is stored, and `received_at` is the instant that recording returned."""
    event = new_event(order_key="order")
    recorded = await record_event(store, event)
    assert recorded.received_at.tzinfo is UTC
    found = await store.inbox.find(KEY, event.id)
    assert found is not None
    assert found == InboxEvent(
        key=KEY,
        connection_id=ROW,
        id=event.id,
        event_id=event.event_id,
        state="pending",
        attempts=0,
        received_at=recorded.received_at,
        order_key="order",
        due_at=found.due_at,
        finished_at=None,
        last_code="",
        possible_replay=False,
        sealed_body=BODY,
    )
    assert found.due_at is not None
    assert found.due_at <= recorded.received_at
    assert await store.inbox.find(replace(KEY, identity="rival"), event.id) is None
    assert await store.inbox.find(replace(KEY, account="other"), event.id) is None


async def one_event_is_recorded_once(store: Store) -> None:
    """Repeated and concurrent deliveries give one row, and one of them is told so."""
    event = new_event()
    outcomes = await asyncio.gather(
        *(store.inbox.record(event, owner="me", lease=LONG) for _ in range(100))
    )
    assert sum(outcome is not None for outcome in outcomes) == 1
    assert await store.inbox.complete(delivery(event.id))
    assert await store.inbox.record(event, owner="me", lease=LONG) is None
    found = await store.inbox.find(KEY, event.id)
    assert found is not None
    assert (found.state, found.attempts) == ("done", 1)


async def many_events_are_recorded_at_once(store: Store) -> None:
    """Concurrent events are all recorded, also those of other tenants with the same id."""
    events = [new_event() for _ in range(150)]
    keys = [replace(KEY, identity=f"tenant-{number}") for number in range(50)]
    events += [new_event("same", key=key) for key in keys]
    outcomes = await asyncio.gather(
        *(store.inbox.record(event, owner="", lease=LONG) for event in events)
    )
    assert all(outcome is not None for outcome in outcomes)
    claimed = [one.id for _ in range(3) for one in await claim_events(store)]
    assert sorted(claimed) == sorted(event.id for event in events)


async def an_owner_has_the_first_attempt_from_the_start(store: Store) -> None:
    """Nobody else can claim the event before the lease ends; then a claim is another attempt."""
    event = new_event()
    _ = await store.inbox.record(event, owner="me", lease=SHORT)
    assert await claim_events(store, "other") == []
    await asyncio.sleep(PAST_SHORT_SECONDS)
    (claimed,) = await claim_events(store, "other")
    assert (claimed.id, claimed.attempts, claimed.sealed_body) == (event.id, 2, BODY)
    for stale in (
        delivery(event.id),
        delivery(event.id, "me", 2),
        delivery(event.id, "other", 1),
        delivery(event.id, "other", 3),
        replace(delivery(event.id, "other", 2), key=replace(KEY, identity="rival")),
    ):
        assert not await store.inbox.complete(stale)
        assert not await store.inbox.dead_letter(stale, code="X")
        assert not await store.inbox.hold(stale)
        assert not await store.inbox.retry(stale, code="X", pause=LONG)
    assert await store.inbox.complete(delivery(event.id, "other", 2))
    assert not await store.inbox.complete(delivery(event.id, "other", 2))


async def two_never_claim_the_same(store: Store) -> None:
    """Of concurrent callers each event goes to one, and in the end all are claimed."""
    events = [new_event() for _ in range(40)]
    for event in events:
        _ = await record_event(store, event)
    shares = await asyncio.gather(*(claim_events(store, f"p{n}", limit=7) for n in range(8)))
    claimed = [one.id for share in shares for one in share]
    assert len(claimed) == len(set(claimed))
    assert all(len(share) <= 7 for share in shares)
    claimed += [one.id for one in await claim_events(store)]
    assert sorted(claimed) == sorted(event.id for event in events)
    assert await claim_events(store) == []


async def only_the_connectors_asked_for_are_claimed(store: Store) -> None:
    """A process claims no event of a connector that it does not handle."""
    _ = await record_event(store, new_event(key=replace(KEY, connector="shop")))
    assert await claim_events(store) == []
    assert await store.inbox.until_due(CONNECTORS) is None
    assert await store.inbox.until_due(("shop",)) is not None


async def an_extended_lease_does_not_end(store: Store) -> None:
    """An extension counts from now, and only for the latest attempt."""
    event, other = new_event(), new_event()
    for one in (event, other):
        _ = await store.inbox.record(one, owner="me", lease=SHORT)
    await store.inbox.extend(
        [delivery(event.id), delivery(other.id, "me", 2), delivery("none")], lease=LONG
    )
    await asyncio.sleep(PAST_SHORT_SECONDS)
    assert [one.id for one in await claim_events(store, "other")] == [other.id]


async def an_attempt_given_back_does_not_count(store: Store) -> None:
    """The event is due now, or after a pause, and the attempt does not count."""
    event = new_event()
    _ = await record_event(store, event, "me")
    await store.inbox.give_back([delivery(event.id), delivery(event.id, "other")])
    (claimed,) = await claim_events(store, "other")
    assert claimed.attempts == 1
    await store.inbox.give_back([delivery(event.id, "other")], pause=SHORT)
    assert await claim_events(store) == []
    await asyncio.sleep(PAST_SHORT_SECONDS)
    (claimed,) = await claim_events(store)
    assert claimed.attempts == 1


async def a_failed_attempt_is_due_after_its_pause(store: Store) -> None:
    """The retry is due after the pause, with the problem's code. A stale attempt writes nothing."""
    event = new_event()
    _ = await record_event(store, event, "me")
    assert not await store.inbox.retry(delivery(event.id, "other"), code="X", pause=SHORT)
    assert not await store.inbox.retry(delivery(event.id, "me", 2), code="X", pause=SHORT)
    assert await store.inbox.retry(delivery(event.id), code="CODE", reason=REASON, pause=SHORT)
    assert not await store.inbox.retry(delivery(event.id), code="X", pause=SHORT)
    until = await store.inbox.until_due(CONNECTORS)
    assert until is not None
    assert until <= SHORT
    await asyncio.sleep(PAST_SHORT_SECONDS)
    (claimed,) = await claim_events(store)
    assert (claimed.attempts, claimed.last_code, claimed.last_reason) == (2, "CODE", REASON)
    assert await store.inbox.retry(delivery(event.id, "me", 2), code="CODE", pause=LONG)
    assert await claim_events(store) == []


async def a_body_that_came_before_is_marked(store: Store) -> None:
    """A repeated body hash of the same connection is marked; without a hash nothing is."""
    body = b"h" * 32
    assert not (await record_event(store, new_event(body_hash=body))).possible_replay
    assert not (await record_event(store, new_event(body_hash=b"i" * 32))).possible_replay
    assert not (await record_event(store, new_event())).possible_replay
    again = new_event(body_hash=body)
    assert (await record_event(store, again)).possible_replay
    found = await store.inbox.find(KEY, again.id)
    assert found is not None
    assert found.possible_replay


async def a_connections_events_are_listed_latest_first(store: Store) -> None:
    """The list has pages, filters by state, and contains no other connection's events."""
    events = [new_event() for _ in range(7)]
    for event in events:
        _ = await record_event(store, event, "me")
        await asyncio.sleep(0.002)
    _ = await record_event(store, new_event(key=replace(KEY, account="other")))
    for event in events[:3]:
        assert await store.inbox.complete(delivery(event.id))
    seen: list[str] = []
    before: tuple[datetime, str] | None = None
    while page := await store.inbox.list(KEY, state=None, before=before, limit=3):
        assert len(page) <= 3
        seen += [one.id for one in page]
        before = (page[-1].received_at, page[-1].id)
    assert seen == [event.id for event in reversed(events)]
    done = await store.inbox.list(KEY, state="done", before=None, limit=9)
    assert [one.id for one in done] == [event.id for event in reversed(events[:3])]
    assert await store.inbox.list(KEY, state="dead", before=None, limit=9) == []


INBOX_CONTRACT: tuple[Callable[[Store], Awaitable[None]], ...] = (
    an_event_comes_back_as_it_was_recorded,
    one_event_is_recorded_once,
    many_events_are_recorded_at_once,
    an_owner_has_the_first_attempt_from_the_start,
    two_never_claim_the_same,
    only_the_connectors_asked_for_are_claimed,
    an_extended_lease_does_not_end,
    an_attempt_given_back_does_not_count,
    a_failed_attempt_is_due_after_its_pause,
    a_body_that_came_before_is_marked,
    a_connections_events_are_listed_latest_first,
)
