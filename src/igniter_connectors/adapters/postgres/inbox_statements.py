# ruff: noqa: S608  # no statement is built from a value, as the types show
"""The statements of the webhook inbox that only PostgreSQL has.

A statement that crosses tenants says so. It uses a partial index of the few rows that are not
finished.
"""

from __future__ import annotations

from typing import Final, LiteralString

from igniter_connectors.adapters.postgres.dialect import POSTGRES
from igniter_connectors.adapters.sql.dialect import KEY, columns, equal, listed
from igniter_connectors.adapters.sql.inbox_statements import IS_CLAIMABLE, LAST_CODE
from igniter_connectors.adapters.sql.tables import EventRow, OrderKeyRow
from igniter_connectors.core.webhook.turns import Turn

# What a caller gives of an event, with the types of the parameters. Two are durations in seconds.
_NEW: Final[dict[LiteralString, LiteralString]] = {
    **dict.fromkeys(KEY, "text"),
    "connection_id": "text",
    "id": "text",
    "event_id": "text",
    "order_key": "text",
    "owner": "text",
    "is_held": "boolean",
    "lease": "float8",
    "remember": "float8",
    "body_hash": "bytea",
    "sealed_body": "bytea",
}
_ATTEMPT: Final[dict[LiteralString, LiteralString]] = {
    "scope": "text",
    "identity": "text",
    "id": "text",
    "owner": "text",
    "attempt": "bigint",
}
_COMPLETION: Final[dict[LiteralString, LiteralString]] = {**_ATTEMPT, "keep": "float8"}


def _one(types: dict[LiteralString, LiteralString], *more: LiteralString) -> LiteralString:
    """The parameters' values as one row, and more values."""
    values: list[LiteralString] = [*(f":{name}::{type}" for name, type in types.items()), *more]
    return f"(VALUES ({', '.join(values)}))"


def _many(types: dict[LiteralString, LiteralString]) -> LiteralString:
    """The parameters' lists as rows."""
    return f"unnest({', '.join(f':{name}::{type}[]' for name, type in types.items())})"


def _record(source: LiteralString) -> LiteralString:
    # Arrivals are a microsecond apart, so that the events of one statement keep their order.
    return f"""
        INSERT INTO igniter_webhook_inbox (scope, identity, connector, account, connection_id, id,
            event_id, order_key, owner, state, attempts, received_at, due_at, last_code,
            possible_replay, body_hash, sealed_body, keep_until, purge_at)
        SELECT e.scope, e.identity, e.connector, e.account, e.connection_id, e.id,
            e.event_id, e.order_key, e.owner,
            CASE WHEN e.is_held THEN 'held' ELSE 'pending' END,
            (e.owner <> '')::integer,
            now() + e.place * interval '1 microsecond',
            now() + CASE WHEN e.owner <> '' THEN e.lease ELSE 0 END * interval '1 second',
            '',
            e.body_hash IS NOT NULL AND EXISTS (
                SELECT 1 FROM igniter_webhook_inbox AS o
                WHERE o.scope = e.scope AND o.identity = e.identity
                    AND o.connection_id = e.connection_id AND o.body_hash = e.body_hash),
            e.body_hash, e.sealed_body,
            now() + e.remember * interval '1 second',
            CASE WHEN e.is_held THEN now() + e.remember * interval '1 second' END
        FROM {source} AS e ({listed(list(_NEW))}, place)
        ON CONFLICT DO NOTHING
        RETURNING scope, identity, id, received_at, possible_replay
    """


_RECORD: Final = _record(_one(_NEW, "0"))
_RECORD_MANY: Final = _record(f"{_many(_NEW)} WITH ORDINALITY")

# Sent at the commit, once for any number of rows, if other processes may handle the events.
_NOTIFY: Final[LiteralString] = ", pg_notify('igniter_webhooks', '')::text"

RECORD: Final = POSTGRES.statement(_RECORD)
RECORD_MANY: Final = POSTGRES.statement(_RECORD_MANY)
RECORD_AND_NOTIFY: Final = POSTGRES.statement(_RECORD + _NOTIFY)
RECORD_MANY_AND_NOTIFY: Final = POSTGRES.statement(_RECORD_MANY + _NOTIFY)

# Crosses tenants. The tenants and connectors with pending events, from a given one on. An index
# scan jumps from one to the next, whatever is behind each. It ends after `due_limit` with an event
# that is due.
TURNS: Final = POSTGRES.statement(f"""
    WITH RECURSIVE turn (scope, identity, connector, due_at, place, due) AS (
        SELECT :scope::text COLLATE "C", :identity::text COLLATE "C",
            :connector::text COLLATE "C", now(), 0::bigint, 0::bigint
        UNION ALL
        SELECT n.scope, n.identity, n.connector, n.due_at, turn.place + 1,
            turn.due + (n.due_at <= now()
                AND {POSTGRES.any_of("n.connector", ":connectors")})::integer
        FROM turn CROSS JOIN LATERAL (
            SELECT i.scope, i.identity, i.connector, i.due_at FROM igniter_webhook_inbox AS i
            WHERE (i.scope, i.identity, i.connector)
                    > (turn.scope, turn.identity, turn.connector)
                AND {IS_CLAIMABLE}
            ORDER BY i.scope, i.identity, i.connector, i.due_at LIMIT 1) AS n
        WHERE turn.place < :row_limit AND turn.due < :due_limit)
    SELECT scope, identity, connector, due_at - now() FROM turn WHERE place > 0 ORDER BY place
""")

_TURN: Final[dict[LiteralString, LiteralString]] = dict.fromkeys(columns(Turn), "text")

# Crosses tenants: claims a few due events of each of these. MATERIALIZED evaluates the subquery
# once, so that it locks `row_limit` rows.
CLAIM: Final = POSTGRES.statement(f"""
    WITH due AS MATERIALIZED (
        SELECT d.scope, d.identity, d.id
        FROM {_many(_TURN)} AS k ({listed(columns(Turn))}) CROSS JOIN LATERAL (
            SELECT i.scope, i.identity, i.id FROM igniter_webhook_inbox AS i
            WHERE {equal(columns(Turn), "i", "k")} AND {IS_CLAIMABLE} AND i.due_at <= now()
            ORDER BY i.due_at LIMIT :events_each FOR UPDATE SKIP LOCKED) AS d
        LIMIT :row_limit)
    UPDATE igniter_webhook_inbox AS i
    SET owner = :owner, due_at = {POSTGRES.after(":lease")}, attempts = i.attempts + 1,
        last_code = {LAST_CODE}
    FROM due WHERE i.scope = due.scope AND i.identity = due.identity AND i.id = due.id
    RETURNING {listed(columns(EventRow), of="i")}
""")

# True for every row, but the planner estimates that it is true for few. So it looks each row of
# a batch up by the primary key. Otherwise a plan that was cached while the table was small would
# read the whole table for each batch.
_FEW: Final[LiteralString] = "d.owner = coalesce(d.owner, '')"


def _of_attempts(change: LiteralString, condition: LiteralString = "") -> LiteralString:
    # Rows that a handler's transaction has locked are skipped: no other process can claim them.
    return POSTGRES.statement(f"""
        WITH mine AS MATERIALIZED (
            SELECT i.scope, i.identity, i.id FROM igniter_webhook_inbox AS i
            JOIN {_many(_ATTEMPT)} AS d (scope, identity, id, owner, attempts)
                ON i.scope = d.scope AND i.identity = d.identity AND i.id = d.id
            WHERE i.owner = d.owner AND i.attempts = d.attempts AND {_FEW} {condition}
            FOR UPDATE OF i SKIP LOCKED)
        UPDATE igniter_webhook_inbox AS i SET {change}
        FROM mine WHERE i.scope = mine.scope AND i.identity = mine.identity AND i.id = mine.id
        RETURNING i.scope, i.identity, i.id
    """)


EXTEND: Final = _of_attempts(f"due_at = {POSTGRES.after(':lease')}")
GIVE_BACK: Final = _of_attempts(
    f"owner = '', due_at = {POSTGRES.after(':pause')}, attempts = i.attempts - 1"
)

_ORDER_KEY: Final[dict[LiteralString, LiteralString]] = dict.fromkeys(columns(OrderKeyRow), "text")

# NULL if the key has no head. With NOT EXISTS the planner may read all heads for an anti-join.
_HEAD: Final[LiteralString] = f"""(
    SELECT 1 FROM igniter_webhook_inbox AS h WHERE {equal(columns(OrderKeyRow), "h", "k")}
        AND h.order_key <> '' AND h.state = 'pending' AND h.is_head LIMIT 1)"""

# The first event of each of these order keys becomes the head, unless there is a head, or the
# first event is held. Run it in a statement of its own, after the change that it follows has been
# committed. Of a record and a completion that run at the same time, the later one to commit then
# sees both changes. In one statement with a change, it would see a snapshot from before the other
# change, and the event could wait for ever. Two processes that promote different events of one
# key, because the earlier of them was committed later, meet at the unique index.
PROMOTE: Final = POSTGRES.statement(f"""
    WITH first AS MATERIALIZED (
        SELECT e.scope, e.identity, e.id
        FROM {_many(_ORDER_KEY)} AS k ({listed(columns(OrderKeyRow))})
        CROSS JOIN LATERAL (
            SELECT i.scope, i.identity, i.id, i.state FROM igniter_webhook_inbox AS i
            WHERE {equal(columns(OrderKeyRow), "i", "k")}
                AND i.order_key <> '' AND i.state IN ('pending', 'held')
            ORDER BY i.received_at, i.id LIMIT 1) AS e
        WHERE e.state = 'pending' AND {_HEAD} IS NULL),
    mine AS MATERIALIZED (
        SELECT i.scope, i.identity, i.id FROM igniter_webhook_inbox AS i JOIN first
            ON i.scope = first.scope AND i.identity = first.identity AND i.id = first.id
        WHERE i.state = 'pending' AND NOT i.is_head FOR UPDATE OF i SKIP LOCKED)
    UPDATE igniter_webhook_inbox AS i SET is_head = true
    FROM mine WHERE i.scope = mine.scope AND i.identity = mine.identity AND i.id = mine.id
    RETURNING 1{_NOTIFY}
""")

# Crosses tenants. The order keys of events that are not finished, from a given one on, and whether
# the key has no head. An index scan jumps from key to key, whatever waits behind each.
ORDER_KEYS: Final = POSTGRES.statement(f"""
    WITH RECURSIVE k (scope, identity, connection_id, order_key, place) AS (
        SELECT :scope::text COLLATE "C", :identity::text COLLATE "C",
            :connection_id::text COLLATE "C", :order_key::text COLLATE "C", 0::bigint
        UNION ALL
        SELECT n.scope, n.identity, n.connection_id, n.order_key, k.place + 1
        FROM k CROSS JOIN LATERAL (
            SELECT i.scope, i.identity, i.connection_id, i.order_key
            FROM igniter_webhook_inbox AS i
            WHERE (i.scope, i.identity, i.connection_id, i.order_key)
                    > (k.scope, k.identity, k.connection_id, k.order_key)
                AND i.order_key <> '' AND i.state IN ('pending', 'held')
            ORDER BY i.scope, i.identity, i.connection_id, i.order_key LIMIT 1) AS n
        WHERE k.place < :row_limit)
    SELECT {listed(columns(OrderKeyRow), of="k")}, {_HEAD} IS NULL
    FROM k WHERE k.place > 0 ORDER BY k.place
""")


def _complete(source: LiteralString, also: LiteralString = "") -> LiteralString:
    return POSTGRES.statement(f"""
        UPDATE igniter_webhook_inbox AS i SET state = 'done', owner = '', finished_at = now(),
            sealed_body = CASE WHEN d.keep > 0 THEN i.sealed_body END,
            purge_at = CASE WHEN d.keep > 0
                THEN least(now() + d.keep * interval '1 second', i.keep_until)
                ELSE i.keep_until END
        FROM {source} AS d (scope, identity, id, owner, attempts, keep)
        WHERE i.scope = d.scope AND i.identity = d.identity AND i.id = d.id
            AND i.owner = d.owner AND i.attempts = d.attempts AND {_FEW}
        RETURNING i.scope, i.identity, i.connection_id, i.order_key, i.id{also}
    """)


COMPLETE: Final = _complete(_one(_COMPLETION))
# What follows in the handler's transaction may wait for locks until the statement's time-out.
COMPLETE_FIRST: Final = _complete(_one(_COMPLETION), ", set_config('lock_timeout', '0', true)")
COMPLETE_MANY: Final = _complete(_many(_COMPLETION))


def _release(condition: LiteralString) -> LiteralString:
    return POSTGRES.statement(f"""
        UPDATE igniter_webhook_inbox AS i SET state = 'pending', due_at = now(), is_head = false,
            purge_at = NULL
        FROM (SELECT h.scope, h.identity, h.id FROM igniter_webhook_inbox AS h
            JOIN igniter_connections AS c ON c.scope = h.scope AND c.identity = h.identity
                AND c.connector = h.connector AND c.account = h.account AND c.id = h.connection_id
            WHERE h.state = 'held' AND c.enabled {condition}) AS due
        WHERE i.scope = due.scope AND i.identity = due.identity AND i.id = due.id
            AND i.state = 'held'
        RETURNING {listed(columns(OrderKeyRow), of="i")}
    """)


RELEASE_OF: Final = _release(" ".join(f"AND h.{name} = :{name}" for name in KEY))
# Crosses tenants.
RELEASE_ANY: Final = _release("LIMIT :row_limit")

# These two cross tenants. A held event that is deleted no longer blocks its order key.
DELETE_OLD: Final = POSTGRES.statement("""
    WITH old AS MATERIALIZED (
        SELECT scope, identity, id FROM igniter_webhook_inbox
        WHERE purge_at <= now() AND keep_until <= now()
        ORDER BY purge_at LIMIT :row_limit FOR UPDATE SKIP LOCKED)
    DELETE FROM igniter_webhook_inbox AS i USING old
    WHERE i.scope = old.scope AND i.identity = old.identity AND i.id = old.id
    RETURNING i.scope, i.identity, i.connection_id,
        CASE WHEN i.state = 'held' THEN i.order_key ELSE '' END
""")
CLEAR_BODIES: Final = POSTGRES.statement("""
    WITH old AS MATERIALIZED (
        SELECT scope, identity, id FROM igniter_webhook_inbox
        WHERE purge_at <= now() AND keep_until > now()
        ORDER BY purge_at LIMIT :row_limit FOR UPDATE SKIP LOCKED)
    UPDATE igniter_webhook_inbox AS i SET sealed_body = NULL, purge_at = i.keep_until
    FROM old WHERE i.scope = old.scope AND i.identity = old.identity AND i.id = old.id
    RETURNING 1
""")
