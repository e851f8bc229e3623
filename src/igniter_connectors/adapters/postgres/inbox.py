"""The webhook inbox in PostgreSQL: what differs from SQLite."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Final, final

import msgspec

from igniter_connectors.adapters.postgres import inbox_statements as sql
from igniter_connectors.adapters.postgres.batching import Batches
from igniter_connectors.adapters.postgres.database import Database
from igniter_connectors.adapters.postgres.dialect import STATEMENTS
from igniter_connectors.adapters.postgres.text_array import TextArray
from igniter_connectors.adapters.sql.inbox import MAX_ROWS, SqlInbox, delivery_values
from igniter_connectors.adapters.sql.records import Values, key_values, to_event, utc
from igniter_connectors.adapters.sql.tables import EventRow
from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.webhook.inbox import InboxEvent, NewEvent, Recorded
from igniter_connectors.core.webhook.retry_policy import Delivery
from igniter_connectors.ports import StoreUnavailable

# Texts that are sent as `TextArray` in a batch.
_TEXTS: Final = (
    *("scope", "identity", "connector", "account", "connection_id"),
    *("id", "event_id", "order_key", "owner"),
)
_OTHERS: Final = ("is_held", "lease", "remember", "body_hash", "sealed_body")


class _PlaceRow(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The primary key of an event."""

    scope: str
    identity: str
    id: str


class _RecordedRow(msgspec.Struct, array_like=True, gc=False):
    scope: str
    identity: str
    id: str
    received_at: datetime
    possible_replay: bool


@final
class PostgresInbox(SqlInbox):
    """`InboxStore` in PostgreSQL, by the database's clock.

    Events that are recorded or completed at the same time share a statement.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database, STATEMENTS)
        self._server = database
        self._records = Batches(database.until, self._record_one, self._record_many)
        self._completions = Batches(database.until, self._complete_one, self._complete_many)

    async def close(self) -> None:
        """Waits for running statements."""
        await self._records.close()
        await self._completions.close()

    async def record(self, event: NewEvent, *, owner: str, lease: timedelta) -> Recorded | None:
        """Adds an event; None if its id is there already."""
        return await self._records.submit(
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

    async def claim(
        self, connectors: Collection[str], *, owner: str, lease: timedelta, limit: int
    ) -> Sequence[InboxEvent]:
        """Claims due events."""
        values = {
            "connectors": list(connectors),
            "row_limit": limit,
            "owner": owner,
            "lease": lease,
        }
        rows = await self._database.write_returning(sql.CLAIM, values, EventRow)
        events = [to_event(row) for row in rows]
        ordered = [
            Delivery(event.key, event.id, owner, event.attempts, timedelta(0))
            for event in events
            if event.order_key
        ]
        if not ordered:
            return events
        given_back = set(
            await self._database.write_returning(
                sql.GIVE_BACK_OVERLAPPING, _columns(ordered), _PlaceRow
            )
        )
        return [
            event
            for event in events
            if _PlaceRow(event.key.scope, event.key.identity, event.id) not in given_back
        ]

    async def extend(self, deliveries: Sequence[Delivery], *, lease: timedelta) -> None:
        """Extends the leases of attempts that still run."""
        _ = await self._database.write(sql.EXTEND, {**_columns(deliveries), "lease": lease})

    async def give_back(self, deliveries: Sequence[Delivery]) -> None:
        """Ends attempts without counting them."""
        _ = await self._database.write(sql.GIVE_BACK, _columns(deliveries))

    async def complete(self, delivery: Delivery) -> bool:
        """Marks the event as done."""
        return await self._completions.submit(delivery)

    async def release(self, key: ConnectionKey | None = None) -> int:
        """Makes held events due if their connection is enabled."""
        if key is None:
            return await self._database.write(sql.RELEASE_ANY, {"row_limit": MAX_ROWS})
        return await self._database.write(sql.RELEASE_OF, key_values(key))

    async def listen(self, wake: Callable[[], None]) -> None:
        """Calls `wake` when an event was recorded that no process owns. Runs until cancelled."""
        await self._server.listen("igniter_webhooks", wake)

    async def purge(self) -> int:
        """Deletes some expired bodies and events."""
        values = {"row_limit": MAX_ROWS}
        deleted = await self._database.write(sql.DELETE_OLD, values)
        return deleted + await self._database.write(sql.CLEAR_BODIES, values)

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

    async def _complete_one(self, delivery: Delivery, until: float) -> bool:
        values = complete_values(delivery)
        return bool(await self._server.run_whole(sql.COMPLETE, values, until=until))

    async def _complete_many(
        self, deliveries: Sequence[Delivery], until: float
    ) -> Sequence[bool | StoreUnavailable]:
        keep = [delivery.keep_body_for.total_seconds() for delivery in deliveries]
        rows = await self._server.run_whole(
            sql.COMPLETE_MANY, {**_columns(deliveries), "keep": keep}, until=until
        )
        done = set(rows)
        return [(one.key.scope, one.key.identity, one.id) in done for one in deliveries]


def complete_values(delivery: Delivery) -> Values:
    """The values of `COMPLETE`."""
    return {**delivery_values(delivery), "keep": delivery.keep_body_for.total_seconds()}


def _is_for_others(event: Values) -> bool:
    return event["owner"] == "" and not event["is_held"]


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
