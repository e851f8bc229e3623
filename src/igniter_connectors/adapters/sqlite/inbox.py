"""The webhook inbox in SQLite: its statements, and its rows as records of core."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Final, final

import msgspec

from igniter_connectors.adapters.sqlite.database import Database
from igniter_connectors.adapters.sqlite.rows import Value, instant, maybe_instant, read, to_micros
from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.webhook.inbox import EventState, InboxEvent, NewEvent, Recorded
from igniter_connectors.core.webhook.retry_policy import Delivery
from igniter_connectors.ports import Clock

_SOME: Final = 1000
_MICROSECOND: Final = timedelta(microseconds=1)

_EVENT: Final = (
    "scope, identity, connector, account, connection_id, id, event_id, state, attempts,"
    " received_at, order_key, due_at, finished_at, last_code, possible_replay, sealed_body"
)
_KEY: Final = "scope = ? AND identity = ? AND connector = ? AND account = ?"
_LATEST: Final = (
    "scope = ? AND identity = ? AND id = ? AND state = 'pending' AND owner = ? AND attempts = ?"
)

_RECORD: Final = (
    "INSERT INTO webhook_inbox (scope, identity, connector, account, connection_id, id, event_id,"
    " state, attempts, received_at, order_key, due_at, owner, last_code, possible_replay,"
    " body_hash, sealed_body, keep_until, purge_at)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, '',"
    " ?14 IS NOT NULL AND EXISTS"
    " (SELECT 1 FROM webhook_inbox WHERE connection_id = ?5 AND body_hash = ?14),"
    " ?14, ?15, ?16, ?17)"
    " ON CONFLICT DO NOTHING RETURNING possible_replay"
)
_CLAIM: Final = (
    "UPDATE webhook_inbox SET owner = ?1, due_at = ?2, attempts = attempts + 1 WHERE seq IN"
    " (SELECT seq FROM webhook_inbox AS i WHERE state = 'pending' AND due_at <= ?3"
    " AND connector IN (SELECT value FROM json_each(?4))"
    " AND (order_key = '' OR NOT EXISTS"
    " (SELECT 1 FROM webhook_inbox AS o WHERE o.connection_id = i.connection_id"
    " AND o.order_key = i.order_key AND o.order_key <> '' AND o.state IN ('pending', 'held')"
    " AND o.seq <> i.seq AND ((o.received_at, o.seq) < (i.received_at, i.seq)"
    " OR (o.owner <> '' AND o.due_at > ?3))))"
    f" ORDER BY due_at, seq LIMIT ?5) RETURNING {_EVENT}"
)
_UNTIL_DUE: Final = (
    "SELECT min(due_at) FROM webhook_inbox WHERE state = 'pending'"
    " AND connector IN (SELECT value FROM json_each(?))"
)
_OF_DELIVERIES: Final = (
    "state = 'pending' AND (scope, identity, id, owner, attempts) IN"
    " (SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4"
    " FROM json_each(?)) RETURNING 1"
)
_EXTEND: Final = f"UPDATE webhook_inbox SET due_at = ? WHERE {_OF_DELIVERIES}"
_GIVE_BACK: Final = (
    f"UPDATE webhook_inbox SET owner = '', due_at = ?, attempts = attempts - 1"
    f" WHERE {_OF_DELIVERIES}"
)
COMPLETE: Final = (
    "UPDATE webhook_inbox SET state = 'done', owner = '', finished_at = ?1,"
    " sealed_body = CASE WHEN ?2 > ?1 THEN sealed_body END,"
    " purge_at = CASE WHEN ?2 > ?1 THEN min(?2, keep_until) ELSE keep_until END"
    " WHERE scope = ?3 AND identity = ?4 AND id = ?5 AND state = 'pending' AND owner = ?6"
    " AND attempts = ?7 RETURNING 1"
)
_RETRY: Final = (
    f"UPDATE webhook_inbox SET owner = '', last_code = ?, due_at = ? WHERE {_LATEST} RETURNING 1"
)
_DEAD_LETTER: Final = (
    "UPDATE webhook_inbox SET state = 'dead', owner = '', last_code = ?, finished_at = ?,"
    f" purge_at = keep_until WHERE {_LATEST} RETURNING 1"
)
_HOLD: Final = (
    "UPDATE webhook_inbox SET state = 'held', owner = '', attempts = attempts - 1,"
    f" purge_at = keep_until WHERE {_LATEST} RETURNING 1"
)
_RELEASE: Final = (
    "UPDATE webhook_inbox SET state = 'pending', due_at = ?, purge_at = NULL WHERE seq IN"
    " (SELECT i.seq FROM webhook_inbox AS i JOIN connections AS c ON c.id = i.connection_id"
    " WHERE i.state = 'held' AND c.enabled = 1{} LIMIT ?) RETURNING 1"
)
_RELEASE_SOME: Final = _RELEASE.format("")
_RELEASE_OF: Final = _RELEASE.format(
    " AND i.scope = ? AND i.identity = ? AND i.connector = ? AND i.account = ?"
)
_DELETE_OLD: Final = (
    "DELETE FROM webhook_inbox WHERE seq IN (SELECT seq FROM webhook_inbox"
    " WHERE purge_at <= ?1 AND keep_until <= ?1 LIMIT ?2) RETURNING 1"
)
_CLEAR_BODIES: Final = (
    "UPDATE webhook_inbox SET sealed_body = NULL, purge_at = keep_until WHERE seq IN"
    " (SELECT seq FROM webhook_inbox WHERE purge_at <= ?1 AND keep_until > ?1 LIMIT ?2)"
    " RETURNING 1"
)
_FIND: Final = f"SELECT {_EVENT} FROM webhook_inbox WHERE {_KEY} AND id = ?"
_LIST: Final = (
    f"SELECT {_EVENT} FROM webhook_inbox WHERE {_KEY} AND (?5 IS NULL OR state = ?5)"
    " AND (?6 IS NULL OR (received_at, id) < (?6, ?7))"
    " ORDER BY received_at DESC, id DESC LIMIT ?8"
)
_REPLAY: Final = (
    "UPDATE webhook_inbox SET state = 'pending', owner = '', attempts = 0, due_at = ?1,"
    " finished_at = NULL, purge_at = NULL WHERE scope = ?2 AND identity = ?3 AND connector = ?4"
    " AND account = ?5 AND id = ?6 AND sealed_body IS NOT NULL"
    " AND (owner = '' OR due_at <= ?1) RETURNING 1"
)


class _EventRow(msgspec.Struct, array_like=True):
    scope: str
    identity: str
    connector: str
    account: str
    connection_id: str
    id: str
    event_id: str
    state: EventState
    attempts: int
    received_at: int
    order_key: str
    due_at: int
    finished_at: int | None
    last_code: str
    possible_replay: int
    sealed_body: bytes | None


@final
class SQLiteInbox:
    """The inbox in the file of a `SQLiteStore`; the host's clock decides."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def record(self, event: NewEvent, *, owner: str, lease: timedelta) -> Recorded | None:
        """Adds an event; None where its id is there already."""
        now = self._clock.now()
        starts = owner != "" and not event.is_held and event.order_key == ""
        keep_until = to_micros(now + event.remember_for)
        values = (
            *_key(event.key),
            event.connection_id,
            event.id,
            event.event_id,
            "held" if event.is_held else "pending",
            int(starts),
            to_micros(now),
            event.order_key,
            to_micros(now + lease if starts else now),
            owner if starts else "",
            event.body_hash,
            event.sealed_body,
            keep_until,
            keep_until if event.is_held else None,
        )
        rows = await self._database.write(_RECORD, values)
        return Recorded(now, bool(rows[0][0])) if rows else None

    async def claim(
        self, connectors: Collection[str], *, owner: str, lease: timedelta, limit: int
    ) -> Sequence[InboxEvent]:
        """Takes due events."""
        now = self._clock.now()
        values = (owner, to_micros(now + lease), to_micros(now), _json(list(connectors)), limit)
        return [_to_event(row) for row in await self._database.write(_CLAIM, values)]

    async def until_due(self, connectors: Collection[str]) -> timedelta | None:
        """How long until some event is due."""
        rows = await self._database.read(_UNTIL_DUE, (_json(list(connectors)),))
        due_at = rows[0][0]
        if not isinstance(due_at, int):
            return None
        return (due_at - to_micros(self._clock.now())) * _MICROSECOND

    async def extend(self, deliveries: Sequence[Delivery], *, lease: timedelta) -> None:
        """Holds on to attempts that still run."""
        due_at = to_micros(self._clock.now() + lease)
        _ = await self._database.write(_EXTEND, (due_at, _places(deliveries)))

    async def give_back(self, deliveries: Sequence[Delivery]) -> None:
        """Ends attempts as if they had not begun."""
        values = (to_micros(self._clock.now()), _places(deliveries))
        _ = await self._database.write(_GIVE_BACK, values)

    async def complete(self, delivery: Delivery) -> bool:
        """The event is done."""
        values = complete_values(delivery, self._clock.now())
        return bool(await self._database.write(COMPLETE, values))

    async def retry(self, delivery: Delivery, *, code: str, pause: timedelta) -> bool:
        """The attempt failed."""
        due_at = to_micros(self._clock.now() + pause)
        return bool(await self._database.write(_RETRY, (code, due_at, *_latest(delivery))))

    async def dead_letter(self, delivery: Delivery, *, code: str) -> bool:
        """The event is dead."""
        now = to_micros(self._clock.now())
        return bool(await self._database.write(_DEAD_LETTER, (code, now, *_latest(delivery))))

    async def hold(self, delivery: Delivery) -> bool:
        """The event's connection is disabled."""
        return bool(await self._database.write(_HOLD, _latest(delivery)))

    async def release(self, key: ConnectionKey | None = None) -> int:
        """Makes held events due whose connection is enabled."""
        now = to_micros(self._clock.now())
        if key is None:
            return len(await self._database.write(_RELEASE_SOME, (now, _SOME)))
        # -1 is no limit: a connection's own are released together, and so stay in order.
        return len(await self._database.write(_RELEASE_OF, (now, *_key(key), -1)))

    async def listen(self, wake: Callable[[], None]) -> None:  # noqa: ARG002  # the port's
        """Waits for ever: a file tells nobody."""
        _ = await asyncio.get_running_loop().create_future()

    async def purge(self) -> int:
        """Clears away some bodies and events whose time is over."""
        values = (to_micros(self._clock.now()), _SOME)
        deleted = await self._database.write(_DELETE_OLD, values)
        return len(deleted) + len(await self._database.write(_CLEAR_BODIES, values))

    async def find(self, key: ConnectionKey, id: str) -> InboxEvent | None:
        """One event of a connection."""
        rows = await self._database.read(_FIND, (*_key(key), id))
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
        place = (None, None) if before is None else (to_micros(before[0]), before[1])
        rows = await self._database.read(_LIST, (*_key(key), state, *place, limit))
        return [_to_event(row) for row in rows]

    async def replay(self, key: ConnectionKey, id: str) -> bool:
        """Makes an event due again."""
        values = (to_micros(self._clock.now()), *_key(key), id)
        return bool(await self._database.write(_REPLAY, values))


def complete_values(delivery: Delivery, now: datetime) -> tuple[Value, ...]:
    """The values of `COMPLETE`."""
    key = delivery.key
    return (
        to_micros(now),
        to_micros(now + delivery.keep_body_for),
        key.scope,
        key.identity,
        delivery.id,
        delivery.owner,
        delivery.attempt,
    )


def _key(key: ConnectionKey) -> tuple[str, str, str, str]:
    return (key.scope, key.identity, key.connector, key.account)


def _latest(delivery: Delivery) -> tuple[Value, ...]:
    key = delivery.key
    return (key.scope, key.identity, delivery.id, delivery.owner, delivery.attempt)


def _places(deliveries: Sequence[Delivery]) -> str:
    return _json([_latest(delivery) for delivery in deliveries])


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _to_event(row: Sequence[Value]) -> InboxEvent:
    r = read(row, _EventRow)
    return InboxEvent(
        ConnectionKey(r.scope, r.identity, r.connector, r.account),
        r.connection_id,
        r.id,
        r.event_id,
        r.state,
        r.attempts,
        instant(r.received_at),
        r.order_key,
        instant(r.due_at) if r.state == "pending" else None,
        maybe_instant(r.finished_at),
        r.last_code,
        bool(r.possible_replay),
        r.sealed_body,
    )
