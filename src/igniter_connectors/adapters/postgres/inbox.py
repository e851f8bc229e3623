"""The webhook inbox in PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, LiteralString, TypeAlias, final

from igniter_connectors.adapters.postgres import inbox_statements as sql
from igniter_connectors.adapters.postgres.batching import Batches
from igniter_connectors.adapters.postgres.connection import Row
from igniter_connectors.adapters.postgres.database import Database
from igniter_connectors.adapters.postgres.errors import RowUnreadable
from igniter_connectors.adapters.postgres.rows import key_values, utc
from igniter_connectors.adapters.postgres.text_array import TextArray
from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.webhook.inbox import EventState, InboxEvent, NewEvent, Recorded
from igniter_connectors.core.webhook.retry_policy import Delivery
from igniter_connectors.ports import StoreUnavailable

_New: TypeAlias = tuple[Any, ...]  # the values of `sql.NEW`: the type of each is its column's

_SOME: Final = 1000
_TEXTS: Final = 9
_KEPT: Final = (0, 1, 5)  # scope, identity, id
_OWNER: Final = sql.NEW.index("owner")
_IS_HELD: Final = sql.NEW.index("is_held")
_STATES: Final[dict[object, EventState]] = {
    "pending": "pending",
    "held": "held",
    "done": "done",
    "dead": "dead",
}


@final
class PostgresInbox:
    """The inbox of a `PostgresStore`; the database's clock decides.

    Events that are recorded, and such that are completed, at the same time share a statement.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._records = Batches(database.until, self._record_one, self._record_many)
        self._completions = Batches(database.until, self._complete_one, self._complete_many)

    async def close(self) -> None:
        """Waits for statements on their way."""
        await self._records.close()
        await self._completions.close()

    async def record(self, event: NewEvent, *, owner: str, lease: timedelta) -> Recorded | None:
        """Adds an event; None where its id is there already."""
        starts = not event.is_held and event.order_key == ""
        return await self._records.submit(
            (
                *key_values(event.key),
                event.connection_id,
                event.id,
                event.event_id,
                event.order_key,
                owner if starts else "",
                event.is_held,
                lease.total_seconds(),
                event.remember_for.total_seconds(),
                event.body_hash,
                event.sealed_body,
            )
        )

    async def claim(
        self, connectors: Collection[str], *, owner: str, lease: timedelta, limit: int
    ) -> Sequence[InboxEvent]:
        """Takes due events."""
        values = (list(connectors), limit, owner, lease)
        events = [_to_event(row) for row in await self._database.write(sql.CLAIM, values)]
        ordered = [
            Delivery(event.key, event.id, owner, event.attempts, timedelta(0))
            for event in events
            if event.order_key
        ]
        if not ordered:
            return events
        given_back = set(await self._database.write(sql.GIVE_BACK_OVERLAPPING, _columns(ordered)))
        return [
            event
            for event in events
            if (event.key.scope, event.key.identity, event.id) not in given_back
        ]

    async def until_due(self, connectors: Collection[str]) -> timedelta | None:
        """How long until some event is due."""
        rows = await self._read(sql.UNTIL_DUE, list(connectors))
        return rows[0][0] if rows else None

    async def extend(self, deliveries: Sequence[Delivery], *, lease: timedelta) -> None:
        """Holds on to attempts that still run."""
        _ = await self._database.write(sql.EXTEND, (*_columns(deliveries), lease))

    async def give_back(self, deliveries: Sequence[Delivery]) -> None:
        """Ends attempts as if they had not begun."""
        _ = await self._database.write(sql.GIVE_BACK, _columns(deliveries))

    async def complete(self, delivery: Delivery) -> bool:
        """The event is done."""
        return await self._completions.submit(delivery)

    async def retry(self, delivery: Delivery, *, code: str, pause: timedelta) -> bool:
        """The attempt failed."""
        values = (code, pause, *_latest(delivery))
        return bool(await self._database.write(sql.RETRY, values))

    async def dead_letter(self, delivery: Delivery, *, code: str) -> bool:
        """The event is dead."""
        return bool(await self._database.write(sql.DEAD_LETTER, (code, *_latest(delivery))))

    async def hold(self, delivery: Delivery) -> bool:
        """The event's connection is disabled."""
        return bool(await self._database.write(sql.HOLD, _latest(delivery)))

    async def release(self, key: ConnectionKey | None = None) -> int:
        """Makes held events due whose connection is enabled."""
        if key is None:
            return len(await self._database.write(sql.RELEASE_SOME, (_SOME,)))
        return len(await self._database.write(sql.RELEASE_OF, key_values(key)))

    async def listen(self, wake: Callable[[], None]) -> None:
        """Calls `wake` when an event was recorded that no process has, until it is cancelled."""
        await self._database.listen("igniter_webhooks", wake)

    async def purge(self) -> int:
        """Clears away some bodies and events whose time is over."""
        deleted = await self._database.write(sql.DELETE_OLD, (_SOME,))
        return len(deleted) + len(await self._database.write(sql.CLEAR_BODIES, (_SOME,)))

    async def find(self, key: ConnectionKey, id: str) -> InboxEvent | None:
        """One event of a connection."""
        rows = await self._read(sql.FIND_EVENT, *key_values(key), id)
        return _to_event(rows[0]) if rows else None

    async def list(
        self,
        key: ConnectionKey,
        *,
        state: EventState | None,
        before: tuple[datetime, str] | None,
        limit: int,
    ) -> Sequence[InboxEvent]:
        """A connection's events, the latest first."""
        place = before or (None, "")
        rows = await self._read(sql.LIST_EVENTS, *key_values(key), state, state, *place, limit)
        return [_to_event(row) for row in rows]

    async def replay(self, key: ConnectionKey, id: str) -> bool:
        """Makes an event due again."""
        return bool(await self._database.write(sql.REPLAY, (*key_values(key), id)))

    async def _read(self, statement: LiteralString, *values: object) -> Sequence[Row]:
        return await self._database.run(statement, values, until=self._database.until())

    async def _record_one(self, new: _New, until: float) -> Recorded | None:
        statement = sql.RECORD_AND_TELL if _is_for_others(new) else sql.RECORD
        rows = await self._database.write(statement, new, until=until)
        return Recorded(utc(rows[0][3]), rows[0][4]) if rows else None

    async def _record_many(
        self, items: Sequence[_New], until: float
    ) -> Sequence[Recorded | StoreUnavailable | None]:
        columns = list(zip(*items, strict=True))
        values = [TextArray(column) for column in columns[:_TEXTS]]
        # Telling takes a lock that every commit then waits for: not where nobody need be told.
        is_for_others = any(map(_is_for_others, items))
        statement = sql.RECORD_MANY_AND_TELL if is_for_others else sql.RECORD_MANY
        rows = await self._database.write(
            statement, (*values, *map(list, columns[_TEXTS:])), until=until
        )
        added = {row[:3]: Recorded(utc(row[3]), row[4]) for row in rows}
        # Of several with one id the first was added.
        return [added.pop(tuple(item[at] for at in _KEPT), None) for item in items]

    async def _complete_one(self, delivery: Delivery, until: float) -> bool:
        values = complete_values(delivery)
        return bool(await self._database.write(sql.COMPLETE, values, until=until))

    async def _complete_many(
        self, deliveries: Sequence[Delivery], until: float
    ) -> Sequence[bool | StoreUnavailable]:
        keep = [delivery.keep_body_for.total_seconds() for delivery in deliveries]
        rows = await self._database.write(
            sql.COMPLETE_MANY, (*_columns(deliveries), keep), until=until
        )
        done = {row[:3] for row in rows}
        return [(one.key.scope, one.key.identity, one.id) in done for one in deliveries]


def _is_for_others(new: _New) -> bool:
    return new[_OWNER] == "" and not new[_IS_HELD]


def complete_values(delivery: Delivery) -> tuple[Any, ...]:
    """The values of `COMPLETE`."""
    return (*_latest(delivery), delivery.keep_body_for.total_seconds())


def _latest(delivery: Delivery) -> tuple[Any, ...]:
    key = delivery.key
    return (key.scope, key.identity, delivery.id, delivery.owner, delivery.attempt)


def _columns(deliveries: Sequence[Delivery]) -> tuple[TextArray | list[int], ...]:
    *texts, attempts = zip(*map(_latest, deliveries), strict=True)
    return (*map(TextArray, texts), list(attempts))


def _to_event(row: Row) -> InboxEvent:
    (
        scope,
        identity,
        connector,
        account,
        connection_id,
        id,
        event_id,
        state,
        attempts,
        received_at,
        order_key,
        due_at,
        finished_at,
        last_code,
        possible_replay,
        sealed_body,
    ) = row
    known = _STATES.get(state)
    if known is None:
        raise RowUnreadable("PostgreSQL: a row is not of this schema")
    return InboxEvent(
        ConnectionKey(scope, identity, connector, account),
        connection_id,
        id,
        event_id,
        known,
        attempts,
        utc(received_at),
        order_key,
        utc(due_at) if known == "pending" else None,
        None if finished_at is None else utc(finished_at),
        last_code,
        possible_replay,
        sealed_body,
    )
