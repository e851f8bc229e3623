"""The webhook inbox in SQL: what both databases do in the same way."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, LiteralString

from igniter_connectors.adapters.sql.database import SqlDatabase, SqlPart
from igniter_connectors.adapters.sql.records import Values, key_values, to_event
from igniter_connectors.adapters.sql.statements import Statements
from igniter_connectors.adapters.sql.tables import EventRow, OrderKeyRow, TurnRow
from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.webhook.inbox import EventState, InboxEvent
from igniter_connectors.core.webhook.retry_policy import Delivery
from igniter_connectors.core.webhook.turns import Share, Turn, Turns, choose_turns

MAX_ROWS: Final = 1000
"""How many rows one statement releases or purges over all tenants."""

MAX_TURNS: Final = 256
"""How many tenants and connectors one claim looks at."""

_FIRST_TURN: Final = Turn("", "", "")

# How often one claim goes on while it finds nothing that is due.
_MAX_READS: Final = 16

_ZERO: Final = timedelta(0)

_ONE_SECOND: Final = timedelta(seconds=1)

# Later than any event.
_END_OF_TIME: Final = datetime(9999, 1, 1, tzinfo=UTC)


class SqlInbox(SqlPart):
    """The methods of `InboxStore` that are the same in either dialect."""

    def __init__(self, database: SqlDatabase, statements: Statements) -> None:
        super().__init__(database, statements)
        # Where this process's turns have come to.
        self._last_turn = _FIRST_TURN

    @abstractmethod
    async def _turns(
        self, start: Turn, connectors: Collection[str], due_limit: int
    ) -> list[TurnRow]:
        """What has pending events behind `start`, at most `MAX_TURNS`.

        It may end after `due_limit` with a due event of these connectors.
        """

    @abstractmethod
    async def _claim(self, turns: Turns, attempt: Values, limit: int) -> list[EventRow]:
        """Claims due events of these turns for the owner and the lease in `attempt`."""

    async def claim(
        self,
        connectors: Collection[str],
        *,
        owner: str,
        lease: timedelta,
        limit: int,
        share: Share | None = None,
    ) -> Sequence[InboxEvent]:
        """Claims due events, of each tenant in turn.

        The next claim goes on behind the last turn of this one, and then from the start.
        """
        turns = choose_turns(await self._next_due(connectors, limit), share=share, limit=limit)
        if not turns.chosen:
            return []
        if len(turns.chosen) == limit:
            self._last_turn = turns.chosen[-1]
        rows = await self._claim(turns, {"owner": owner, "lease": lease}, limit)
        return [to_event(row) for row in rows]

    async def _next_due(self, connectors: Collection[str], limit: int) -> list[Turn]:
        """Tenants and connectors with due events, from where the last claim stopped."""
        start, is_second_half = self._last_turn, self._last_turn == _FIRST_TURN
        due: dict[Turn, None] = {}
        for _ in range(_MAX_READS):
            wanted = limit - len(due)
            rows = await self._turns(start, connectors, wanted)
            found = [
                Turn(row.scope, row.identity, row.connector)
                for row in rows
                if row.due_in <= _ZERO and row.connector in connectors
            ]
            due.update(dict.fromkeys(found))
            if len(rows) < MAX_TURNS and len(found) < wanted:  # the end of the index
                start = self._last_turn = _FIRST_TURN
                if is_second_half:
                    break
                is_second_half = True
                continue
            last = rows[-1]
            start = self._last_turn = Turn(last.scope, last.identity, last.connector)
            if due:
                break
        return list(due)

    async def until_due(self, connectors: Collection[str]) -> timedelta | None:
        """How long until the next event is due; no longer than a second if many tenants wait."""
        rows = await self._turns(_FIRST_TURN, connectors, 1)
        due_in = [row.due_in for row in rows if row.connector in connectors]
        if len(rows) >= MAX_TURNS:
            due_in.append(_ONE_SECOND)
        return min(due_in, default=None)

    async def retry(
        self, delivery: Delivery, *, code: str, pause: timedelta, reason: str = ""
    ) -> bool:
        """Records a failed attempt."""
        values = {**delivery_values(delivery), "code": code, "reason": reason, "pause": pause}
        return await self._database.write(self._sql.inbox.retry, values) > 0

    async def dead_letter(self, delivery: Delivery, *, code: str, reason: str = "") -> bool:
        """Makes the event a dead letter."""
        values = {**delivery_values(delivery), "code": code, "reason": reason}
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

    @abstractmethod
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
