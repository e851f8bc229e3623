"""The webhook inbox in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeAlias, final

import msgspec

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.webhook.inbox import EventState, InboxEvent, NewEvent, Recorded
from igniter_connectors.core.webhook.retry_policy import Delivery
from igniter_connectors.ports import Clock

_Place: TypeAlias = tuple[ConnectionKey, str]

_MAX_ROWS: Final = 1000


class _Row(msgspec.Struct):
    event: NewEvent
    state: EventState
    received_at: datetime
    keep_until: datetime
    due_at: datetime
    owner: str
    attempts: int
    possible_replay: bool
    sealed_body: bytes | None
    last_code: str = ""
    finished_at: datetime | None = None
    purge_at: datetime | None = None


@final
class MemoryInbox:
    """`InboxStore` in dictionaries. No method awaits, so each is atomic for all tasks."""

    def __init__(
        self, clock: Clock, find: Callable[[ConnectionKey], ConnectionRecord | None]
    ) -> None:
        self._clock = clock
        self._find_connection = find
        self._rows: dict[_Place, _Row] = {}
        # Events that are not finished, in the order of arrival.
        self._open: dict[_Place, _Row] = {}
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
        row = _Row(
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
        self._rows[place] = self._open[place] = row
        return Recorded(now, is_replay)

    async def claim(
        self, connectors: Collection[str], *, owner: str, lease: timedelta, limit: int
    ) -> Sequence[InboxEvent]:
        """Claims due events."""
        now = self._clock.now()
        lines: dict[tuple[str, str], list[_Row]] = {}
        due: list[_Row] = []
        for row in self._open.values():
            if row.event.order_key:
                lines.setdefault((row.event.connection_id, row.event.order_key), []).append(row)
            else:
                due.append(row)
        due.extend(
            min(line, key=lambda row: row.received_at)
            for line in lines.values()
            if not any(row.owner and row.due_at > now for row in line)
        )
        due = [
            row
            for row in due
            if row.state == "pending"
            and row.due_at <= now
            and row.event.key.connector in connectors
        ]
        due.sort(key=lambda row: row.due_at)
        for row in due[:limit]:
            row.owner, row.due_at, row.attempts = owner, now + lease, row.attempts + 1
        return [_shown(row) for row in due[:limit]]

    async def until_due(self, connectors: Collection[str]) -> timedelta | None:
        """How long until the next event is due."""
        due = [
            row.due_at
            for row in self._open.values()
            if row.state == "pending" and row.event.key.connector in connectors
        ]
        return min(due) - self._clock.now() if due else None

    async def extend(self, deliveries: Sequence[Delivery], *, lease: timedelta) -> None:
        """Extends the leases of attempts that still run."""
        for delivery in deliveries:
            row = self._latest(delivery)
            if row is not None:
                row.due_at = self._clock.now() + lease

    async def give_back(self, deliveries: Sequence[Delivery]) -> None:
        """Ends attempts without counting them."""
        for delivery in deliveries:
            row = self._latest(delivery)
            if row is not None:
                row.owner, row.due_at = "", self._clock.now()
                row.attempts -= 1

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
        del self._open[delivery.key, delivery.id]
        return True

    async def retry(self, delivery: Delivery, *, code: str, pause: timedelta) -> bool:
        """Records a failed attempt."""
        row = self._latest(delivery)
        if row is None:
            return False
        row.owner, row.last_code, row.due_at = "", code, self._clock.now() + pause
        return True

    async def dead_letter(self, delivery: Delivery, *, code: str) -> bool:
        """Makes the event a dead letter."""
        row = self._latest(delivery)
        if row is None:
            return False
        row.state, row.owner, row.last_code = "dead", "", code
        row.finished_at, row.purge_at = self._clock.now(), row.keep_until
        del self._open[delivery.key, delivery.id]
        return True

    async def hold(self, delivery: Delivery) -> bool:
        """Holds the event of a disabled connection."""
        row = self._latest(delivery)
        if row is None:
            return False
        row.state, row.owner, row.purge_at = "held", "", row.keep_until
        row.attempts -= 1
        return True

    async def release(self, key: ConnectionKey | None = None) -> int:
        """Makes held events due if their connection is enabled."""
        released = 0
        for row in self._open.values():
            if row.state != "held" or key not in (None, row.event.key):
                continue
            record = self._find_connection(row.event.key)
            if record is None or record.id != row.event.connection_id or not record.enabled:
                continue
            row.state, row.due_at, row.purge_at = "pending", self._clock.now(), None
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
                _ = self._open.pop(place, None)
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
        self._open[key, id] = row
        return True

    def _latest(self, delivery: Delivery) -> _Row | None:
        row = self._open.get((delivery.key, delivery.id))
        if row is None or row.state != "pending":
            return None
        is_latest = row.owner == delivery.owner and row.attempts == delivery.attempt
        return row if is_latest else None


def _shown(row: _Row) -> InboxEvent:
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
    )
