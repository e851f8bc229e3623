"""The webhook inbox in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeAlias, final

from igniter_connectors.adapters.memory.due_events import DueEvents, Row
from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.webhook.inbox import (
    EventState,
    InboxEvent,
    NewEvent,
    Recorded,
    ended_code,
)
from igniter_connectors.core.webhook.retry_policy import Delivery
from igniter_connectors.core.webhook.turns import Share
from igniter_connectors.ports import Clock

_Place: TypeAlias = tuple[ConnectionKey, str]

_MAX_ROWS: Final = 1000


@final
class MemoryInbox:
    """`InboxStore` in dictionaries. No method awaits, so each is atomic for all tasks."""

    def __init__(
        self, clock: Clock, find: Callable[[ConnectionKey], ConnectionRecord | None]
    ) -> None:
        self._clock = clock
        self._find_connection = find
        self._rows: dict[_Place, Row] = {}
        self._held: dict[_Place, Row] = {}
        self._due = DueEvents()
        self._bodies: set[tuple[str, bytes]] = set()

    async def record(self, event: NewEvent, *, owner: str, lease: timedelta) -> Recorded | None:
        """Adds an event; None if its id is there already."""
        place = (event.key, event.id)
        if place in self._rows:
            return None
        now = self._clock.now()
        starts = owner != "" and not event.is_held and event.order_key == ""
        is_replay = False
        if event.body_hash is not None:
            body = (event.connection_id, event.body_hash)
            is_replay = body in self._bodies
            self._bodies.add(body)
        keep_until = now + event.remember_for
        row = Row(
            event,
            "held" if event.is_held else "pending",
            now,
            keep_until,
            now + lease if starts else now,
            owner if starts else "",
            1 if starts else 0,
            is_replay,
            event.sealed_body,
            purge_at=keep_until if event.is_held else None,
        )
        self._rows[place] = row
        if event.is_held:
            self._held[place] = row
        self._due.changed(row)
        return Recorded(now, is_replay)

    async def claim(
        self,
        connectors: Collection[str],
        *,
        owner: str,
        lease: timedelta,
        limit: int,
        share: Share | None = None,
    ) -> Sequence[InboxEvent]:
        """Claims due events."""
        now = self._clock.now()
        claimed = self._due.take(connectors, now=now, share=share, limit=limit)
        for row in claimed:
            if row.owner not in ("", owner):
                row.last_code = ended_code(row.last_code)
            row.owner, row.due_at, row.attempts = owner, now + lease, row.attempts + 1
            self._due.changed(row)
        return [_shown(row) for row in claimed]

    async def until_due(self, connectors: Collection[str]) -> timedelta | None:
        """How long until the next event is due."""
        due_at = self._due.first_due_at(connectors)
        return None if due_at is None else due_at - self._clock.now()

    async def extend(self, deliveries: Sequence[Delivery], *, lease: timedelta) -> None:
        """Extends the leases of attempts that still run."""
        for delivery in deliveries:
            row = self._latest(delivery)
            if row is not None:
                row.due_at = self._clock.now() + lease
                self._due.changed(row)

    async def give_back(
        self, deliveries: Sequence[Delivery], *, pause: timedelta = timedelta(0)
    ) -> None:
        """Ends attempts without counting them."""
        for delivery in deliveries:
            row = self._latest(delivery)
            if row is not None:
                row.owner, row.due_at = "", self._clock.now() + pause
                row.attempts -= 1
                self._due.changed(row)

    async def complete(self, delivery: Delivery) -> bool:
        """Marks the event as done."""
        row = self._latest(delivery)
        if row is None:
            return False
        now = self._clock.now()
        row.state, row.owner, row.finished_at = "done", "", now
        row.purge_at = min(now + delivery.keep_body_for, row.keep_until)
        if not delivery.keep_body_for:
            row.sealed_body, row.purge_at = None, row.keep_until
        self._due.changed(row)
        return True

    async def retry(
        self, delivery: Delivery, *, code: str, pause: timedelta, reason: str = ""
    ) -> bool:
        """Records a failed attempt."""
        row = self._latest(delivery)
        if row is None:
            return False
        row.owner, row.due_at = "", self._clock.now() + pause
        row.last_code, row.last_reason = code, reason
        self._due.changed(row)
        return True

    async def dead_letter(self, delivery: Delivery, *, code: str, reason: str = "") -> bool:
        """Makes the event a dead letter."""
        row = self._latest(delivery)
        if row is None:
            return False
        row.state, row.owner = "dead", ""
        row.last_code, row.last_reason = code, reason
        row.finished_at, row.purge_at = self._clock.now(), row.keep_until
        self._due.changed(row)
        return True

    async def hold(self, delivery: Delivery) -> bool:
        """Holds the event of a disabled connection."""
        row = self._latest(delivery)
        if row is None:
            return False
        row.state, row.owner, row.purge_at = "held", "", row.keep_until
        row.attempts -= 1
        self._held[delivery.key, delivery.id] = row
        self._due.changed(row)
        return True

    async def release(self, key: ConnectionKey | None = None) -> int:
        """Makes held events due if their connection is enabled."""
        released = 0
        for place, row in list(self._held.items()):
            if key not in (None, row.event.key):
                continue
            record = self._find_connection(row.event.key)
            if record is None or record.id != row.event.connection_id or not record.enabled:
                continue
            row.state, row.due_at, row.purge_at = "pending", self._clock.now(), None
            del self._held[place]
            self._due.changed(row)
            released += 1
        return released

    async def listen(self, wake: Callable[[], None]) -> None:  # noqa: ARG002  # the port's
        """Waits for ever: no other process writes to this inbox."""
        _ = await asyncio.get_running_loop().create_future()

    async def purge(self) -> int:
        """Deletes expired bodies and events."""
        now = self._clock.now()
        over = [
            (place, row)
            for place, row in self._rows.items()
            if row.purge_at is not None and row.purge_at <= now
        ]
        for place, row in over[:_MAX_ROWS]:
            if row.keep_until <= now:
                del self._rows[place]
                if self._held.pop(place, None) is not None:
                    self._due.removed(row)
                if row.event.body_hash is not None:
                    self._bodies.discard((row.event.connection_id, row.event.body_hash))
            else:
                row.sealed_body, row.purge_at = None, row.keep_until
        return len(over[:_MAX_ROWS])

    async def find(self, key: ConnectionKey, id: str) -> InboxEvent | None:
        """One event of a connection."""
        row = self._rows.get((key, id))
        return None if row is None else _shown(row)

    async def list(
        self,
        key: ConnectionKey,
        *,
        state: EventState | None,
        before: tuple[datetime, str] | None,
        limit: int,
    ) -> Sequence[InboxEvent]:
        """One page of a connection's events, latest first."""
        rows = sorted(
            (
                row
                for row in self._rows.values()
                if row.event.key == key
                and state in (None, row.state)
                and (before is None or (row.received_at, row.event.id) < before)
            ),
            key=lambda row: (row.received_at, row.event.id),
            reverse=True,
        )
        return [_shown(row) for row in rows[:limit]]

    async def replay(self, key: ConnectionKey, id: str) -> bool:
        """Makes an event due again."""
        row, now = self._rows.get((key, id)), self._clock.now()
        if row is None or row.sealed_body is None or (row.owner and row.due_at > now):
            return False
        row.state, row.owner, row.attempts, row.due_at = "pending", "", 0, now
        row.finished_at = row.purge_at = None
        _ = self._held.pop((key, id), None)
        self._due.changed(row)
        return True

    def is_latest(self, delivery: Delivery) -> bool:
        """Whether an attempt is still the latest of an event that is not done."""
        return self._latest(delivery) is not None

    def _latest(self, delivery: Delivery) -> Row | None:
        row = self._rows.get((delivery.key, delivery.id))
        if row is None or row.state != "pending":
            return None
        is_latest = row.owner == delivery.owner and row.attempts == delivery.attempt
        return row if is_latest else None


def _shown(row: Row) -> InboxEvent:
    event = row.event
    return InboxEvent(
        event.key,
        event.connection_id,
        event.id,
        event.event_id,
        row.state,
        row.attempts,
        row.received_at,
        event.order_key,
        row.due_at if row.state == "pending" else None,
        row.finished_at,
        row.last_code,
        row.possible_replay,
        row.sealed_body,
        row.last_reason,
    )
