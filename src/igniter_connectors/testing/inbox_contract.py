"""What the webhook inbox of any store must do: a part of `STORE_CONTRACT`."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord, Grant
from igniter_connectors.core.webhook.inbox import InboxEvent, NewEvent, Recorded
from igniter_connectors.core.webhook.retry_policy import Delivery
from igniter_connectors.ports import Store

_KEY = ConnectionKey("organization", "acme", "mail")
_ROW = "c" * 32
_BODY = bytes(range(256))
_LONG = timedelta(minutes=1)
_SHORT = timedelta(milliseconds=50)
_PAST_SHORT_SECONDS = 0.12
_KEEP = timedelta(days=7)
_NOW = datetime(2026, 3, 1, tzinfo=UTC)
_ONLY = ("mail",)


def _event(
    id: str | None = None,
    *,
    key: ConnectionKey = _KEY,
    order_key: str = "",
    is_held: bool = False,
    body_hash: bytes | None = None,
    remember_for: timedelta = timedelta(days=30),
) -> NewEvent:
    return NewEvent(
        key=key,
        connection_id=_ROW,
        id=id or secrets.token_hex(16),
        event_id="evt ☃ 'x' -- %_",
        sealed_body=_BODY,
        order_key=order_key,
        body_hash=body_hash,
        is_held=is_held,
        remember_for=remember_for,
    )


async def _record(store: Store, event: NewEvent, owner: str = "") -> Recorded:
    recorded = await store.inbox.record(event, owner=owner, lease=_LONG)
    assert recorded is not None
    return recorded


async def _claim(
    store: Store, owner: str = "me", *, limit: int = 100, lease: timedelta = _LONG
) -> Sequence[InboxEvent]:
    return await store.inbox.claim(_ONLY, owner=owner, lease=lease, limit=limit)


def _delivery(
    id: str, owner: str = "me", attempt: int = 1, keep_body_for: timedelta = _KEEP
) -> Delivery:
    return Delivery(_KEY, id, owner, attempt, keep_body_for)


async def _connection(store: Store, *, enabled: bool) -> ConnectionRecord:
    record = ConnectionRecord(_KEY, _ROW, b"{}", b"sealed", enabled, 1, _NOW, _NOW)
    assert await store.insert(record)
    return record


async def an_event_comes_back_as_it_was_recorded(store: Store) -> None:
    """Every column survives; the instant is the one that recording told."""
    event = _event(order_key="order")
    recorded = await _record(store, event)
    assert recorded.received_at.tzinfo is UTC
    found = await store.inbox.find(_KEY, event.id)
    assert found is not None
    assert found == InboxEvent(
        key=_KEY,
        connection_id=_ROW,
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
        sealed_body=_BODY,
    )
    assert found.due_at is not None
    assert found.due_at <= recorded.received_at
    assert await store.inbox.find(replace(_KEY, identity="rival"), event.id) is None
    assert await store.inbox.find(replace(_KEY, account="other"), event.id) is None


async def one_event_is_recorded_once(store: Store) -> None:
    """However often it comes, and however many at once: one row, told once."""
    event = _event()
    outcomes = await asyncio.gather(
        *(store.inbox.record(event, owner="me", lease=_LONG) for _ in range(100))
    )
    assert sum(outcome is not None for outcome in outcomes) == 1
    assert await store.inbox.complete(_delivery(event.id))
    assert await store.inbox.record(event, owner="me", lease=_LONG) is None
    found = await store.inbox.find(_KEY, event.id)
    assert found is not None
    assert (found.state, found.attempts) == ("done", 1)


async def many_events_are_recorded_at_once(store: Store) -> None:
    """Each is told of its own, other tenants' with the same id too."""
    events = [_event() for _ in range(150)]
    keys = [replace(_KEY, identity=f"tenant-{number}") for number in range(50)]
    events += [_event("same", key=key) for key in keys]
    outcomes = await asyncio.gather(
        *(store.inbox.record(event, owner="", lease=_LONG) for event in events)
    )
    assert all(outcome is not None for outcome in outcomes)
    claimed = [one.id for _ in range(3) for one in await _claim(store)]
    assert sorted(claimed) == sorted(event.id for event in events)


async def an_owner_has_the_first_attempt_from_the_start(store: Store) -> None:
    """Nobody else gets the event before its lease is over; then it is another attempt."""
    event = _event()
    _ = await store.inbox.record(event, owner="me", lease=_SHORT)
    assert await _claim(store, "other") == []
    await asyncio.sleep(_PAST_SHORT_SECONDS)
    (claimed,) = await _claim(store, "other")
    assert (claimed.id, claimed.attempts, claimed.sealed_body) == (event.id, 2, _BODY)
    for stale in (
        _delivery(event.id),
        _delivery(event.id, "me", 2),
        _delivery(event.id, "other", 1),
        _delivery(event.id, "other", 3),
        replace(_delivery(event.id, "other", 2), key=replace(_KEY, identity="rival")),
    ):
        assert not await store.inbox.complete(stale)
        assert not await store.inbox.dead_letter(stale, code="X")
        assert not await store.inbox.hold(stale)
        assert not await store.inbox.retry(stale, code="X", pause=_LONG)
    assert await store.inbox.complete(_delivery(event.id, "other", 2))
    assert not await store.inbox.complete(_delivery(event.id, "other", 2))


async def two_never_claim_the_same(store: Store) -> None:
    """Of many that look at once each event goes to one, and all are gone afterwards."""
    events = [_event() for _ in range(40)]
    for event in events:
        _ = await _record(store, event)
    shares = await asyncio.gather(*(_claim(store, f"p{n}", limit=7) for n in range(8)))
    claimed = [one.id for share in shares for one in share]
    assert len(claimed) == len(set(claimed))
    assert all(len(share) <= 7 for share in shares)
    claimed += [one.id for one in await _claim(store)]
    assert sorted(claimed) == sorted(event.id for event in events)
    assert await _claim(store) == []


async def only_the_connectors_asked_for_are_claimed(store: Store) -> None:
    """A process handles no event whose handler it does not have."""
    _ = await _record(store, _event(key=replace(_KEY, connector="shop")))
    assert await _claim(store) == []
    assert await store.inbox.until_due(_ONLY) is None
    assert await store.inbox.until_due(("shop",)) is not None


async def a_lease_that_is_held_on_to_does_not_end(store: Store) -> None:
    """Extending counts from now, and for the latest attempt alone."""
    event, other = _event(), _event()
    for one in (event, other):
        _ = await store.inbox.record(one, owner="me", lease=_SHORT)
    await store.inbox.extend(
        [_delivery(event.id), _delivery(other.id, "me", 2), _delivery("none")], lease=_LONG
    )
    await asyncio.sleep(_PAST_SHORT_SECONDS)
    assert [one.id for one in await _claim(store, "other")] == [other.id]


async def an_attempt_given_back_was_none(store: Store) -> None:
    """The event is due at once, and the attempt does not count."""
    event = _event()
    _ = await _record(store, event, "me")
    await store.inbox.give_back([_delivery(event.id), _delivery(event.id, "other")])
    (claimed,) = await _claim(store, "other")
    assert claimed.attempts == 1


async def a_failed_attempt_is_due_after_its_pause(store: Store) -> None:
    """Not before; with the code of its problem. A stale attempt writes nothing."""
    event = _event()
    _ = await _record(store, event, "me")
    assert not await store.inbox.retry(_delivery(event.id, "other"), code="X", pause=_SHORT)
    assert not await store.inbox.retry(_delivery(event.id, "me", 2), code="X", pause=_SHORT)
    assert await store.inbox.retry(_delivery(event.id), code="CODE", pause=_SHORT)
    assert not await store.inbox.retry(_delivery(event.id), code="X", pause=_SHORT)
    until = await store.inbox.until_due(_ONLY)
    assert until is not None
    assert until <= _SHORT
    await asyncio.sleep(_PAST_SHORT_SECONDS)
    (claimed,) = await _claim(store)
    assert (claimed.attempts, claimed.last_code) == (2, "CODE")
    assert await store.inbox.retry(_delivery(event.id, "me", 2), code="CODE", pause=_LONG)
    assert await _claim(store) == []


async def a_dead_event_stays_until_it_is_replayed(store: Store) -> None:
    """Nobody claims it; replayed, its attempts count anew, and it may die again."""
    event = _event()
    _ = await _record(store, event, "me")
    assert await store.inbox.dead_letter(_delivery(event.id), code="CODE")
    assert not await store.inbox.dead_letter(_delivery(event.id), code="CODE")
    assert await _claim(store) == []
    dead = await store.inbox.find(_KEY, event.id)
    assert dead is not None
    assert (dead.state, dead.last_code, dead.due_at) == ("dead", "CODE", None)
    assert dead.finished_at is not None
    assert not await store.inbox.replay(replace(_KEY, identity="rival"), event.id)
    assert await store.inbox.replay(_KEY, event.id)
    (again,) = await _claim(store)
    assert (again.attempts, again.finished_at) == (1, None)
    assert not await store.inbox.replay(_KEY, event.id)
    assert await store.inbox.complete(_delivery(event.id))


async def a_done_event_keeps_its_body_for_a_time(store: Store) -> None:
    """Or not at all; without it the event is remembered, and cannot be replayed."""
    kept, cleared, short = _event(), _event(), _event()
    for event, keep in ((kept, _KEEP), (cleared, timedelta(0)), (short, _SHORT)):
        _ = await _record(store, event, "me")
        assert await store.inbox.complete(_delivery(event.id, keep_body_for=keep))
    await asyncio.sleep(_PAST_SHORT_SECONDS)
    assert await store.inbox.purge() == 1
    assert await store.inbox.purge() == 0
    bodies = [await store.inbox.find(_KEY, event.id) for event in (kept, cleared, short)]
    assert [one and one.sealed_body for one in bodies] == [_BODY, None, None]
    assert not await store.inbox.replay(_KEY, short.id)
    assert await store.inbox.record(short, owner="", lease=_LONG) is None
    assert await store.inbox.replay(_KEY, kept.id)


async def what_is_over_is_forgotten_and_what_is_pending_is_not(store: Store) -> None:
    """Done, dead and held events go when their time is over."""
    done, dead, held, pending = (
        _event(remember_for=_SHORT),
        _event(remember_for=_SHORT),
        _event(remember_for=_SHORT, is_held=True),
        _event(remember_for=_SHORT),
    )
    for event in (done, dead, held, pending):
        _ = await _record(store, event, "me")
    assert await store.inbox.complete(_delivery(done.id))
    assert await store.inbox.dead_letter(_delivery(dead.id), code="CODE")
    await asyncio.sleep(_PAST_SHORT_SECONDS)
    assert await store.inbox.purge() == 3
    left = await store.inbox.list(_KEY, state=None, before=None, limit=9)
    assert [one.id for one in left] == [pending.id]
    assert await store.inbox.record(done, owner="", lease=_LONG) is not None


async def events_of_one_key_go_one_after_another(store: Store) -> None:
    """In the order of arrival, a pause after a failure included; others go on."""
    first, second, third, other, free = (
        _event(order_key="a"),
        _event(order_key="a"),
        _event(order_key="a"),
        _event(order_key="b"),
        _event(),
    )
    for event in (first, second, third, other, free):
        _ = await _record(store, event, "me")
    claimed = {one.id for one in await _claim(store)}
    assert claimed == {first.id, other.id}  # `free` is its recorder's already
    assert await _claim(store) == []
    assert await store.inbox.retry(_delivery(first.id), code="X", pause=_SHORT)
    assert await _claim(store) == []
    await asyncio.sleep(_PAST_SHORT_SECONDS)
    (again,) = await _claim(store, lease=_SHORT)
    assert (again.id, again.attempts) == (first.id, 2)
    await asyncio.sleep(_PAST_SHORT_SECONDS)
    (taken_over,) = await _claim(store, "other")
    assert (taken_over.id, taken_over.attempts) == (first.id, 3)
    assert await store.inbox.dead_letter(_delivery(first.id, "other", 3), code="X")
    assert [one.id for one in await _claim(store)] == [second.id]
    # An earlier one that is replayed does not run beside a later one.
    assert await store.inbox.replay(_KEY, first.id)
    assert await _claim(store) == []
    assert await store.inbox.complete(_delivery(second.id))
    assert [one.id for one in await _claim(store)] == [first.id]
    assert await store.inbox.complete(_delivery(first.id))
    assert [one.id for one in await _claim(store)] == [third.id]


async def held_events_wait_until_their_connection_is_enabled(store: Store) -> None:
    """Recorded as held, or held when their turn came; attempts do not count meanwhile."""
    record = await _connection(store, enabled=False)
    first, second = _event(order_key="a", is_held=True), _event(order_key="a", is_held=True)
    third = _event()
    for event in (first, second, third):
        _ = await _record(store, event, "me")
    assert await store.inbox.hold(_delivery(third.id))
    assert not await store.inbox.hold(_delivery(third.id))
    assert await _claim(store) == []
    assert await store.inbox.until_due(_ONLY) is None
    assert await store.inbox.release() == 0
    assert await store.inbox.release(_KEY) == 0
    assert await store.set_enabled(record.key, enabled=True, now=_NOW)
    assert await store.inbox.release(replace(_KEY, identity="rival")) == 0
    assert await store.inbox.release(_KEY) == 3
    assert await store.inbox.release() == 0
    claimed = await _claim(store)
    assert {one.id for one in claimed} == {first.id, third.id}
    assert {one.attempts for one in claimed} == {1}


async def events_held_for_another_row_are_not_released(store: Store) -> None:
    """Whoever connected anew under the same key gets none of what was sent to the one before."""
    record = ConnectionRecord(_KEY, "d" * 32, b"{}", b"sealed", True, 1, _NOW, _NOW)
    assert await store.insert(record)
    _ = await _record(store, _event(is_held=True))
    assert await store.inbox.release(_KEY) == 0
    assert await store.inbox.release() == 0


async def a_body_that_came_before_is_marked(store: Store) -> None:
    """Where a hash is given, in the same connection, and only then."""
    body = b"h" * 32
    assert not (await _record(store, _event(body_hash=body))).possible_replay
    assert not (await _record(store, _event(body_hash=b"i" * 32))).possible_replay
    assert not (await _record(store, _event())).possible_replay
    again = _event(body_hash=body)
    assert (await _record(store, again)).possible_replay
    found = await store.inbox.find(_KEY, again.id)
    assert found is not None
    assert found.possible_replay


async def a_connections_events_are_listed_latest_first(store: Store) -> None:
    """In pages, of one state or of all, and no other connection's."""
    events = [_event() for _ in range(7)]
    for event in events:
        _ = await _record(store, event, "me")
        await asyncio.sleep(0.002)
    _ = await _record(store, _event(key=replace(_KEY, account="other")))
    for event in events[:3]:
        assert await store.inbox.complete(_delivery(event.id))
    seen: list[str] = []
    before: tuple[datetime, str] | None = None
    while page := await store.inbox.list(_KEY, state=None, before=before, limit=3):
        assert len(page) <= 3
        seen += [one.id for one in page]
        before = (page[-1].received_at, page[-1].id)
    assert seen == [event.id for event in reversed(events)]
    done = await store.inbox.list(_KEY, state="done", before=None, limit=9)
    assert [one.id for one in done] == [event.id for event in reversed(events[:3])]
    assert await store.inbox.list(_KEY, state="dead", before=None, limit=9) == []


async def connections_are_found_by_their_account(store: Store) -> None:
    """Of any tenant, where the row is the one that was said to belong to it."""
    records = []
    for number in range(3):
        key = replace(_KEY, identity=f"tenant-{number}")
        record = ConnectionRecord(key, f"row-{number}", b"{}", b"s", True, 1, _NOW, _NOW)
        await store.routing.add_account(key, row=record.id, account="team")
        assert await store.insert(record)
        records.append(record)
    other_row = replace(_KEY, identity="tenant-0")
    await store.routing.add_account(other_row, row="gone", account="another team")

    async def found(account: str, connector: str = "mail") -> list[str]:
        return sorted(one.id for one in await store.routing.find_by_account(connector, account))

    assert await found("team") == ["row-0", "row-1", "row-2"]
    assert await found("team", "shop") == []
    assert await found("another team") == []
    first = records[0]
    assert await store.routing.find_by_account("mail", "team") != []
    await store.routing.add_account(first.key, row=first.id, account="new team")
    await store.routing.add_account(first.key, row=first.id, account="new team")
    assert (await found("team"), await found("new team")) == (
        ["row-0", "row-1", "row-2"],
        ["row-0"],
    )
    await store.routing.keep_account(first.key, row=first.id, account="new team")
    assert (await found("team"), await found("new team")) == (["row-1", "row-2"], ["row-0"])
    await store.routing.forget_accounts(first.key)
    assert await found("new team") == []
    assert await store.disconnect(records[1].key, revocation=None, now=_NOW) is not None
    assert await found("team") == ["row-2"]


async def connections_are_found_by_who_authorized_them(store: Store) -> None:
    """Of any tenant, at that connector alone."""
    grant = Grant(b"sealed", 1, "grant", (), True, _NOW, subject="subject-1")
    for number, connector in enumerate(("mail", "mail", "shop")):
        key = replace(_KEY, identity=f"tenant-{number}", connector=connector)
        record = ConnectionRecord(
            key, f"row-{number}", b"{}", b"s", True, 1, _NOW, _NOW, grant=grant
        )
        assert await store.insert(record)
    plain = ConnectionRecord(_KEY, "row-9", b"{}", b"s", True, 1, _NOW, _NOW)
    assert await store.insert(plain)
    found = await store.routing.find_by_subject("mail", "subject-1")
    assert sorted(one.id for one in found) == ["row-0", "row-1"]
    assert await store.routing.find_by_subject("mail", "subject-2") == []


INBOX_CONTRACT: tuple[Callable[[Store], Awaitable[None]], ...] = (
    an_event_comes_back_as_it_was_recorded,
    one_event_is_recorded_once,
    many_events_are_recorded_at_once,
    an_owner_has_the_first_attempt_from_the_start,
    two_never_claim_the_same,
    only_the_connectors_asked_for_are_claimed,
    a_lease_that_is_held_on_to_does_not_end,
    an_attempt_given_back_was_none,
    a_failed_attempt_is_due_after_its_pause,
    a_dead_event_stays_until_it_is_replayed,
    a_done_event_keeps_its_body_for_a_time,
    what_is_over_is_forgotten_and_what_is_pending_is_not,
    events_of_one_key_go_one_after_another,
    held_events_wait_until_their_connection_is_enabled,
    events_held_for_another_row_are_not_released,
    a_body_that_came_before_is_marked,
    a_connections_events_are_listed_latest_first,
    connections_are_found_by_their_account,
    connections_are_found_by_who_authorized_them,
)
