"""The webhook inbox in SQL: what both databases do in the same way."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, LiteralString

from igniter_connectors.adapters.sql.database import SqlPart
from igniter_connectors.adapters.sql.records import Values, key_values, to_event
from igniter_connectors.adapters.sql.tables import DueRow, EventRow, OrderKeyRow
from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.webhook.inbox import EventState, InboxEvent
from igniter_connectors.core.webhook.retry_policy import Delivery

MAX_ROWS: Final = 1000
"""How many rows one statement releases or purges over all tenants."""

# Later than any event.
_END_OF_TIME: Final = datetime(9999, 1, 1, tzinfo=UTC)


class SqlInbox(SqlPart):
    """The methods of `InboxStore` that are one statement in either dialect."""

    async def until_due(self, connectors: Collection[str]) -> timedelta | None:
        """How long until the next event is due."""
        values = {"connectors": list(connectors)}
        rows = await self._database.read(self._sql.inbox.until_due, values, DueRow)
        return rows[0].due_in if rows else None

    async def retry(self, delivery: Delivery, *, code: str, pause: timedelta) -> bool:
        """Records a failed attempt."""
        values = {**delivery_values(delivery), "code": code, "pause": pause}
        return await self._database.write(self._sql.inbox.retry, values) > 0

    async def dead_letter(self, delivery: Delivery, *, code: str) -> bool:
        """Makes the event a dead letter."""
        values = {**delivery_values(delivery), "code": code}
        return await self._write_and_promote(self._sql.inbox.dead_letter, values) > 0

    async def hold(self, delivery: Delivery) -> bool:
        """Holds the event of a disabled connection."""
        return await self._write_and_promote(self._sql.inbox.hold, delivery_values(delivery)) > 0

    async def find(self, key: ConnectionKey, id: str) -> InboxEvent | None:
        """One event of a connection."""
        values = {**key_values(key), "id": id}
        rows = await self._database.read(self._sql.inbox.find, values, EventRow)
        return to_event(rows[0]) if rows else None

    async def list(
        self,
        key: ConnectionKey,
        *,
        state: EventState | None,
        before: tuple[datetime, str] | None,
        limit: int,
    ) -> Sequence[InboxEvent]:
        """One page of a connection's events, latest first."""
        received_at, id = before or (_END_OF_TIME, "")
        values = {
            **key_values(key),
            "state": state,
            "before": received_at,
            "before_id": id,
            "row_limit": limit,
        }
        rows = await self._database.read(self._sql.inbox.list, values, EventRow)
        return [to_event(row) for row in rows]

    async def replay(self, key: ConnectionKey, id: str) -> bool:
        """Makes an event due again."""
        values = {**key_values(key), "id": id}
        return await self._write_and_promote(self._sql.inbox.replay, values) > 0

    async def _write_and_promote(self, statement: LiteralString, values: Values) -> int:
        """Runs a statement that returns `OrderKeyRow`s; returns how many events it changed."""
        rows = await self._database.write_returning(statement, values, OrderKeyRow)
        await self._promote([row for row in rows if row.order_key])
        return len(rows)

    async def _promote(self, order_keys: Sequence[OrderKeyRow]) -> None:
        """Makes the first event of each order key claimable, unless another one is.

        Called when events have joined or left these order keys.
        """


def delivery_values(delivery: Delivery) -> Values:
    """An attempt as the values that fence a write: event, owner and attempt."""
    return {
        "scope": delivery.key.scope,
        "identity": delivery.key.identity,
        "id": delivery.id,
        "owner": delivery.owner,
        "attempt": delivery.attempt,
    }
