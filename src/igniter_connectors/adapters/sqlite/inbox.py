# ruff: noqa: S608  # no statement is built from a value, as the types show
"""The webhook inbox in SQLite: what differs from PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from typing import Final, LiteralString, final

import msgspec
from typing_extensions import override

from igniter_connectors.adapters.sql.dialect import columns, listed
from igniter_connectors.adapters.sql.inbox import MAX_ROWS, MAX_TURNS, SqlInbox, delivery_values
from igniter_connectors.adapters.sql.inbox_statements import IS_CLAIMABLE, LAST_CODE
from igniter_connectors.adapters.sql.records import Values, key_values
from igniter_connectors.adapters.sql.tables import EventRow, OrderKeyRow, RecordedRow, TurnRow
from igniter_connectors.adapters.sqlite.dialect import SQLITE
from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.webhook.inbox import NewEvent, Recorded
from igniter_connectors.core.webhook.retry_policy import Delivery
from igniter_connectors.core.webhook.turns import Turn, Turns

_RECORD: Final = SQLITE.statement("""
    INSERT INTO webhook_inbox (scope, identity, connector, account, connection_id, id, event_id,
        state, attempts, received_at, order_key, due_at, owner, last_code, possible_replay,
        body_hash, sealed_body, keep_until, purge_at)
    VALUES (:scope, :identity, :connector, :account, :connection_id, :id, :event_id,
        CASE WHEN :is_held THEN 'held' ELSE 'pending' END, :owner <> '', :now, :order_key,
        CASE WHEN :owner <> '' THEN :lease ELSE :now END, :owner, '',
        :body_hash IS NOT NULL AND EXISTS (SELECT 1 FROM webhook_inbox
            WHERE connection_id = :connection_id AND body_hash = :body_hash),
        :body_hash, :sealed_body, :remember_for, CASE WHEN :is_held THEN :remember_for END)
    ON CONFLICT DO NOTHING RETURNING received_at, possible_replay
""")
# The tenants and connectors with pending events, from a given one on. An index scan jumps from one
# to the next, whatever is behind each.
_TURNS: Final = SQLITE.statement(f"""
    WITH RECURSIVE turn (seq, place) AS (
        SELECT (SELECT seq FROM webhook_inbox
            WHERE (scope, identity, connector) > (:scope, :identity, :connector)
                AND {IS_CLAIMABLE}
            ORDER BY scope, identity, connector, due_at LIMIT 1), 1
        UNION ALL
        SELECT (SELECT seq FROM webhook_inbox
            WHERE (scope, identity, connector) > (p.scope, p.identity, p.connector)
                AND state = 'pending' AND (order_key = '' OR is_head)
            ORDER BY scope, identity, connector, due_at LIMIT 1), turn.place + 1
        FROM turn JOIN webhook_inbox AS p ON p.seq = turn.seq WHERE turn.place < :row_limit)
    SELECT i.scope, i.identity, i.connector, i.due_at - :now
    FROM turn JOIN webhook_inbox AS i ON i.seq = turn.seq ORDER BY turn.place
""")
_CLAIM: Final = SQLITE.statement(f"""
    UPDATE webhook_inbox SET owner = :owner, due_at = :lease, attempts = attempts + 1,
        last_code = {LAST_CODE} WHERE seq IN
        (SELECT i.seq FROM json_each(:turns) AS k JOIN webhook_inbox AS i ON i.seq IN
            (SELECT seq FROM webhook_inbox WHERE {IS_CLAIMABLE} AND due_at <= :now
                AND scope = k.value ->> 'scope' AND identity = k.value ->> 'identity'
                AND connector = k.value ->> 'connector'
            ORDER BY due_at LIMIT :events_each)
        LIMIT :row_limit)
    RETURNING {listed(columns(EventRow))}
""")
_IN_DELIVERIES: Final = """
    state = 'pending' AND (scope, identity, id, owner, attempts) IN
    (SELECT value ->> 'scope', value ->> 'identity', value ->> 'id', value ->> 'owner',
        value ->> 'attempt' FROM json_each(:deliveries)) RETURNING 1
"""
_EXTEND: Final = SQLITE.statement(
    f"UPDATE webhook_inbox SET due_at = :lease WHERE {_IN_DELIVERIES}"
)
_GIVE_BACK: Final = SQLITE.statement(f"""
    UPDATE webhook_inbox SET owner = '', due_at = :pause, attempts = attempts - 1
    WHERE {_IN_DELIVERIES}
""")
COMPLETE: Final = SQLITE.statement("""
    UPDATE webhook_inbox SET state = 'done', owner = '', finished_at = :now,
        sealed_body = CASE WHEN :keep_body_for > :now THEN sealed_body END,
        purge_at = CASE WHEN :keep_body_for > :now
            THEN min(:keep_body_for, keep_until) ELSE keep_until END
    WHERE scope = :scope AND identity = :identity AND id = :id AND state = 'pending'
        AND owner = :owner AND attempts = :attempt RETURNING 1
""")


def _release(condition: LiteralString) -> LiteralString:
    return f"""
        UPDATE webhook_inbox SET state = 'pending', due_at = :now, is_head = 0, purge_at = NULL
        WHERE seq IN
            (SELECT i.seq FROM webhook_inbox AS i JOIN connections AS c ON c.id = i.connection_id
            WHERE i.state = 'held' AND c.enabled {condition}) RETURNING 1
    """


_RELEASE_ANY: Final = SQLITE.statement(_release("LIMIT :row_limit"))
# Without a limit: a connection's events are released together, and so stay in order.
_RELEASE_OF: Final = SQLITE.statement(
    _release(
        "AND i.scope = :scope AND i.identity = :identity AND i.connector = :connector"
        " AND i.account = :account"
    )
)
_DELETE_OLD: Final = SQLITE.statement("""
    DELETE FROM webhook_inbox WHERE seq IN (SELECT seq FROM webhook_inbox
        WHERE purge_at <= :now AND keep_until <= :now LIMIT :row_limit) RETURNING 1
""")
_CLEAR_BODIES: Final = SQLITE.statement("""
    UPDATE webhook_inbox SET sealed_body = NULL, purge_at = keep_until WHERE seq IN
        (SELECT seq FROM webhook_inbox
        WHERE purge_at <= :now AND keep_until > :now LIMIT :row_limit) RETURNING 1
""")


@final
class SQLiteInbox(SqlInbox):
    """`InboxStore` in one file, by the host's clock. Triggers promote the heads of order keys."""

    async def record(self, event: NewEvent, *, owner: str, lease: timedelta) -> Recorded | None:
        """Adds an event; None if its id is there already."""
        values = {
            **key_values(event.key),
            "connection_id": event.connection_id,
            "id": event.id,
            "event_id": event.event_id,
            "order_key": event.order_key,
            "owner": "" if event.is_held or event.order_key else owner,
            "is_held": event.is_held,
            "lease": lease,
            "remember_for": event.remember_for,
            "body_hash": event.body_hash,
            "sealed_body": event.sealed_body,
        }
        rows = await self._database.write_returning(_RECORD, values, RecordedRow)
        return Recorded(rows[0].received_at, rows[0].possible_replay) if rows else None

    async def extend(self, deliveries: Sequence[Delivery], *, lease: timedelta) -> None:
        """Extends the leases of attempts that still run."""
        values = {"deliveries": list(map(delivery_values, deliveries)), "lease": lease}
        _ = await self._database.write(_EXTEND, values)

    async def give_back(
        self, deliveries: Sequence[Delivery], *, pause: timedelta = timedelta(0)
    ) -> None:
        """Ends attempts without counting them."""
        values = {"deliveries": list(map(delivery_values, deliveries)), "pause": pause}
        _ = await self._database.write(_GIVE_BACK, values)

    async def complete(self, delivery: Delivery) -> bool:
        """Marks the event as done."""
        return await self._database.write(COMPLETE, complete_values(delivery)) > 0

    async def release(self, key: ConnectionKey | None = None) -> int:
        """Makes held events due if their connection is enabled."""
        if key is None:
            return await self._database.write(_RELEASE_ANY, {"row_limit": MAX_ROWS})
        return await self._database.write(_RELEASE_OF, key_values(key))

    async def listen(self, wake: Callable[[], None]) -> None:  # noqa: ARG002  # the port's
        """Waits for ever: a file sends no notifications."""
        _ = await asyncio.get_running_loop().create_future()

    async def purge(self) -> int:
        """Deletes some expired bodies and events."""
        values = {"row_limit": MAX_ROWS}
        deleted = await self._database.write(_DELETE_OLD, values)
        return deleted + await self._database.write(_CLEAR_BODIES, values)

    @override
    async def _turns(
        self, start: Turn, connectors: Collection[str], due_limit: int
    ) -> list[TurnRow]:
        values = {**msgspec.structs.asdict(start), "row_limit": MAX_TURNS}
        return await self._database.read(_TURNS, values, TurnRow)

    @override
    async def _claim(self, turns: Turns, attempt: Values, limit: int) -> list[EventRow]:
        values = {
            **attempt,
            "turns": [msgspec.structs.asdict(turn) for turn in turns.chosen],
            "events_each": turns.events_each,
            "row_limit": limit,
        }
        return await self._database.write_returning(_CLAIM, values, EventRow)

    @override
    async def _promote(self, order_keys: Sequence[OrderKeyRow]) -> None:
        """The triggers have done it."""


def complete_values(delivery: Delivery) -> Values:
    """The values of `COMPLETE`."""
    return {**delivery_values(delivery), "keep_body_for": delivery.keep_body_for}
