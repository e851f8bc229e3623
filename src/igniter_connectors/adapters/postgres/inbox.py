"""The webhook inbox in PostgreSQL: what differs from SQLite."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, final

import msgspec
from typing_extensions import override

from igniter_connectors.adapters.postgres import inbox_statements as sql
from igniter_connectors.adapters.postgres.batching import Batches
from igniter_connectors.adapters.postgres.connection import Row
from igniter_connectors.adapters.postgres.database import Database
from igniter_connectors.adapters.postgres.dialect import STATEMENTS
from igniter_connectors.adapters.postgres.errors import AlreadyExists, RowLocked
from igniter_connectors.adapters.postgres.text_array import TextArray
from igniter_connectors.adapters.sql.database import RowUnreadable
from igniter_connectors.adapters.sql.dialect import columns
from igniter_connectors.adapters.sql.inbox import MAX_ROWS, MAX_TURNS, SqlInbox, delivery_values
from igniter_connectors.adapters.sql.records import Values, key_values, utc
from igniter_connectors.adapters.sql.tables import EventRow, OrderKeyRow, TurnRow
from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.webhook.inbox import NewEvent, Recorded
from igniter_connectors.core.webhook.retry_policy import Delivery
from igniter_connectors.core.webhook.turns import Turn, Turns
from igniter_connectors.ports import StoreUnavailable

# Texts that are sent as `TextArray` in a batch.
_TEXTS: Final = (
    *("scope", "identity", "connector", "account", "connection_id"),
    *("id", "event_id", "order_key", "owner"),
)
_OTHERS: Final = ("is_held", "lease", "remember", "body_hash", "sealed_body")


class _CompletedRow(OrderKeyRow, frozen=True, gc=False):
    id: str


class _KeyRow(OrderKeyRow, frozen=True, gc=False):
    is_without_head: bool


class _RecordedRow(msgspec.Struct, array_like=True, gc=False):
    scope: str
    identity: str
    id: str
    received_at: datetime
    possible_replay: bool


_SEPARATED_BY: Final = (RowUnreadable, RowLocked)

_FIRST_KEY: Final = OrderKeyRow("", "", "", "")


@final
class PostgresInbox(SqlInbox):
    """`InboxStore` in PostgreSQL, by the database's clock.

    Events that are recorded or completed at the same time share a statement.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database, STATEMENTS)
        self._server = database
        self._records = Batches(
            database.until, self._record_one, self._record_many, separated_by=_SEPARATED_BY
        )
        self._completions = Batches(
            database.until, self._complete_one, self._complete_many, separated_by=_SEPARATED_BY
        )
        self._promotions = Batches(database.until, self._promote_one, self._promote_many)
        self._last_key = _FIRST_KEY

    async def close(self) -> None:
        """Waits for running statements."""
        await self._records.close()
        await self._completions.close()
        await self._promotions.close()

    async def record(self, event: NewEvent, *, owner: str, lease: timedelta) -> Recorded | None:
        """Adds an event; None if its id is there already."""
        recorded = await self._records.submit(
            {
                **key_values(event.key),
                "connection_id": event.connection_id,
                "id": event.id,
                "event_id": event.event_id,
                "order_key": event.order_key,
                "owner": "" if event.is_held or event.order_key else owner,
                "is_held": event.is_held,
                "lease": lease.total_seconds(),
                "remember": event.remember_for.total_seconds(),
                "body_hash": event.body_hash,
                "sealed_body": event.sealed_body,
            }
        )
        if recorded is not None and event.order_key:
            await self._promote([_order_key(event)])
        return recorded

    async def extend(self, deliveries: Sequence[Delivery], *, lease: timedelta) -> None:
        """Extends the leases of attempts that still run."""
        _ = await self._database.write(sql.EXTEND, {**_columns(deliveries), "lease": lease})

    async def give_back(
        self, deliveries: Sequence[Delivery], *, pause: timedelta = timedelta(0)
    ) -> None:
        """Ends attempts without counting them."""
        _ = await self._database.write(sql.GIVE_BACK, {**_columns(deliveries), "pause": pause})

    async def complete(self, delivery: Delivery) -> bool:
        """Marks the event as done."""
        completed = await self._completions.submit(delivery)
        if completed is None:
            return False
        if completed.order_key:
            await self._promote([completed])
        return True

    async def release(self, key: ConnectionKey | None = None) -> int:
        """Makes held events due if their connection is enabled."""
        if key is not None:
            return await self._write_and_promote(sql.RELEASE_OF, key_values(key))
        released = await self._write_and_promote(sql.RELEASE_ANY, {"row_limit": MAX_ROWS})
        return released + await self._promote_forgotten()

    async def listen(self, wake: Callable[[], None]) -> None:
        """Calls `wake` when an event was recorded that no process owns. Runs until cancelled."""
        await self._server.listen("igniter_webhooks", wake)

    async def purge(self) -> int:
        """Deletes some expired bodies and events."""
        values = {"row_limit": MAX_ROWS}
        deleted = await self._write_and_promote(sql.DELETE_OLD, values)
        return deleted + await self._database.write(sql.CLEAR_BODIES, values)

    async def promote_after(self, completed: Row) -> None:
        """Promotes the next event after a transaction that ran `COMPLETE_FIRST`, with its row.

        Call it after the commit.
        """
        row = _CompletedRow(*completed[:5])
        if row.order_key:
            await self._promote([row])

    async def _record_one(self, event: Values, until: float) -> Recorded | None:
        statement = sql.RECORD_AND_NOTIFY if _is_for_others(event) else sql.RECORD
        rows = await self._server.run_whole(statement, event, until=until)
        return _recorded(_RecordedRow(*rows[0][:5])) if rows else None

    async def _record_many(
        self, events: Sequence[Values], until: float
    ) -> Sequence[Recorded | StoreUnavailable | None]:
        values: Values = {
            **{name: TextArray([event[name] for event in events]) for name in _TEXTS},
            **{name: [event[name] for event in events] for name in _OTHERS},
        }
        # A notification takes a lock that every commit waits for, so send none without need.
        is_for_others = any(map(_is_for_others, events))
        statement = sql.RECORD_MANY_AND_NOTIFY if is_for_others else sql.RECORD_MANY
        rows = [
            _RecordedRow(*row[:5])
            for row in await self._server.run_whole(statement, values, until=until)
        ]
        added = {(row.scope, row.identity, row.id): _recorded(row) for row in rows}
        # Of several events with one id the first was added.
        return [
            added.pop((event["scope"], event["identity"], event["id"]), None) for event in events
        ]

    async def _complete_one(self, delivery: Delivery, until: float) -> _CompletedRow | None:
        rows = await self._server.run_whole(sql.COMPLETE, complete_values(delivery), until=until)
        return _CompletedRow(*rows[0]) if rows else None

    async def _complete_many(
        self, deliveries: Sequence[Delivery], until: float
    ) -> Sequence[_CompletedRow | StoreUnavailable | None]:
        keep = [delivery.keep_body_for.total_seconds() for delivery in deliveries]
        rows = await self._server.run_whole(
            sql.COMPLETE_MANY, {**_columns(deliveries), "keep": keep}, until=until
        )
        done = {(row[0], row[1], row[4]): _CompletedRow(*row) for row in rows}
        return [done.get((one.key.scope, one.key.identity, one.id)) for one in deliveries]

    @override
    async def _turns(
        self, start: Turn, connectors: Collection[str], due_limit: int
    ) -> list[TurnRow]:
        values = {
            **msgspec.structs.asdict(start),
            "connectors": list(connectors),
            "row_limit": MAX_TURNS,
            "due_limit": due_limit,
        }
        return await self._database.read(sql.TURNS, values, TurnRow)

    @override
    async def _claim(self, turns: Turns, attempt: Values, limit: int) -> list[EventRow]:
        values = {
            **attempt,
            "scope": TextArray([turn.scope for turn in turns.chosen]),
            "identity": TextArray([turn.identity for turn in turns.chosen]),
            "connector": TextArray([turn.connector for turn in turns.chosen]),
            "events_each": turns.events_each,
            "row_limit": limit,
        }
        return await self._database.write_returning(sql.CLAIM, values, EventRow)

    @override
    async def _promote(self, order_keys: Sequence[OrderKeyRow]) -> None:
        """Makes the first event of each order key the head, unless there is one.

        Never fails: the change that this follows has been committed. If the database does not
        answer, or the process ends here, `_promote_forgotten` finds the keys.
        """
        waiting = [asyncio.ensure_future(self._promotions.submit(one)) for one in order_keys]
        for promotion in waiting:
            with suppress(StoreUnavailable):
                _ = await promotion

    async def _promote_one(self, order_key: OrderKeyRow, until: float) -> int:
        return await self._promote_batch((order_key,), until)

    async def _promote_many(
        self, order_keys: Sequence[OrderKeyRow], until: float
    ) -> Sequence[int | StoreUnavailable]:
        promoted = await self._promote_batch(order_keys, until)
        return [promoted] * len(order_keys)

    async def _promote_batch(self, order_keys: Sequence[OrderKeyRow], until: float) -> int:
        """Returns how many events became heads."""
        # Sorted and without duplicates, so that two processes lock rows in the same order.
        batch = sorted({msgspec.structs.astuple(one)[:4] for one in order_keys})
        values = {
            name: TextArray([one[place] for one in batch])
            for place, name in enumerate(columns(OrderKeyRow))
        }
        while True:
            try:
                return len(await self._server.run_whole(sql.PROMOTE, values, until=until))
            except AlreadyExists:
                # Another process made another event of a key the head. Look again.
                continue

    async def _promote_forgotten(self) -> int:
        """Promotes what a crash left: order keys whose events wait although there is no head.

        Looks at some keys, and goes on from there the next time. Returns how many it promoted.
        """
        values = {**msgspec.structs.asdict(self._last_key), "row_limit": MAX_ROWS}
        keys = await self._database.read(sql.ORDER_KEYS, values, _KeyRow)
        self._last_key = _FIRST_KEY if len(keys) < MAX_ROWS else _without_flag(keys[-1])
        forgotten = [one for one in keys if one.is_without_head]
        if not forgotten:
            return 0
        return await self._promote_batch(forgotten, self._server.until())


def complete_values(delivery: Delivery) -> Values:
    """The values of `COMPLETE`."""
    return {**delivery_values(delivery), "keep": delivery.keep_body_for.total_seconds()}


def _is_for_others(event: Values) -> bool:
    # Promoting the head of an order key sends a notification of its own.
    return event["owner"] == "" and event["order_key"] == "" and not event["is_held"]


def _order_key(event: NewEvent) -> OrderKeyRow:
    return OrderKeyRow(event.key.scope, event.key.identity, event.connection_id, event.order_key)


def _without_flag(row: _KeyRow) -> OrderKeyRow:
    return OrderKeyRow(row.scope, row.identity, row.connection_id, row.order_key)


def _recorded(row: _RecordedRow) -> Recorded:
    return Recorded(utc(row.received_at), row.possible_replay)


def _columns(deliveries: Sequence[Delivery]) -> Values:
    """Attempts as one list per parameter."""
    return {
        "scope": TextArray([one.key.scope for one in deliveries]),
        "identity": TextArray([one.key.identity for one in deliveries]),
        "id": TextArray([one.id for one in deliveries]),
        "owner": TextArray([one.owner for one in deliveries]),
        "attempt": [one.attempt for one in deliveries],
    }
