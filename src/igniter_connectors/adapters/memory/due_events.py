"""Which events of the inbox in memory may be claimed: by tenant, and the heads of order keys."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection
from datetime import datetime
from heapq import heappop, heappush
from itertools import count
from typing import Final, TypeAlias, final

import msgspec

from igniter_connectors.core.connection.record import Tenant
from igniter_connectors.core.webhook.inbox import EventState, NewEvent
from igniter_connectors.core.webhook.turns import Share

_Turn: TypeAlias = tuple[str, str, str]
_OrderKey: TypeAlias = tuple[str, str]


class Row(msgspec.Struct):
    """One event of the inbox in memory."""

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
    last_reason: str = ""
    finished_at: datetime | None = None
    purge_at: datetime | None = None


@final
class DueEvents:
    """The pending events by tenant and connector, and what waits behind each order key.

    Call `changed` after each change of a row's state or `due_at`.
    """

    def __init__(self) -> None:
        self._numbers: Final = count()
        # A heap for each tenant and connector. An entry whose instant is not its row's is stale.
        self._queues: Final[dict[_Turn, list[tuple[datetime, int, Row]]]] = {}
        # The events of an order key that are not finished, in order of arrival.
        self._lines: Final[dict[_OrderKey, list[Row]]] = {}
        self._heads: Final[dict[_OrderKey, Row]] = {}

    def changed(self, row: Row) -> None:
        """Puts the event where its state and `due_at` belong."""
        if not row.event.order_key:
            if row.state == "pending":
                self._push(row)
            return
        key = (row.event.connection_id, row.event.order_key)
        line = self._lines.setdefault(key, [])
        place = bisect_left(line, _arrival(row), key=_arrival)
        is_in_line = place < len(line) and line[place] is row
        if row.state in ("pending", "held"):
            if not is_in_line:
                insort(line, row, key=_arrival)
        elif is_in_line:
            del line[place]
        head = self._heads.get(key)
        if head is not None and head.state != "pending":
            head = None
        if head is None and line and line[0].state == "pending":
            head = line[0]
            self._push(head)
        elif head is not None and head is row:
            self._push(head)
        if head is None:
            _ = self._heads.pop(key, None)
        else:
            self._heads[key] = head
        if not line:
            del self._lines[key]

    def removed(self, row: Row) -> None:
        """Takes out an event that was deleted."""
        row.state = "done"
        self.changed(row)

    def take(
        self, connectors: Collection[str], *, now: datetime, share: Share | None, limit: int
    ) -> list[Row]:
        """Due events, one of each tenant and connector in turn, at most `limit`.

        Those that were not served longest come first. Claim each row, and call `changed`.
        """
        taken: list[Row] = []
        turns = [turn for turn in self._queues if turn[2] in connectors]
        room: dict[Tenant, int] = {}
        if share is not None:
            room = {turn[:2]: share.room(turn[:2]) for turn in turns}
        while turns and len(taken) < limit:
            served: list[_Turn] = []
            for turn in turns:
                has_room = len(taken) < limit and room.get(turn[:2], limit) > 0
                row = self._pop_due(turn, now) if has_room else None
                if row is None:
                    continue
                room[turn[:2]] = room.get(turn[:2], limit) - 1
                taken.append(row)
                if turn in self._queues:
                    # Its next turn comes after everybody else's.
                    self._queues[turn] = self._queues.pop(turn)
                    served.append(turn)
            turns = served
        return taken

    def first_due_at(self, connectors: Collection[str]) -> datetime | None:
        """When the next event may be claimed; None if there is none."""
        firsts = [
            queue[0][0]
            for turn, queue in list(self._queues.items())
            if turn[2] in connectors and self._without_stale(turn, queue)
        ]
        return min(firsts, default=None)

    def _push(self, row: Row) -> None:
        key = row.event.key
        queue = self._queues.setdefault((key.scope, key.identity, key.connector), [])
        heappush(queue, (row.due_at, next(self._numbers), row))

    def _pop_due(self, turn: _Turn, now: datetime) -> Row | None:
        queue = self._queues[turn]
        if not self._without_stale(turn, queue) or queue[0][0] > now:
            return None
        row = heappop(queue)[2]
        _ = self._without_stale(turn, queue)
        return row

    def _without_stale(self, turn: _Turn, queue: list[tuple[datetime, int, Row]]) -> bool:
        """Drops stale entries at the front. False if none is left, and then the queue is gone."""
        while queue and not self._is_valid(*queue[0]):
            _ = heappop(queue)
        if not queue:
            del self._queues[turn]
        return bool(queue)

    def _is_valid(self, due_at: datetime, _: int, row: Row) -> bool:
        event = row.event
        is_head = (
            not event.order_key or self._heads.get((event.connection_id, event.order_key)) is row
        )
        return row.state == "pending" and row.due_at == due_at and is_head


def _arrival(row: Row) -> tuple[datetime, str]:
    return (row.received_at, row.event.id)
