# ruff: noqa: S608  # the types show that no statement is put together from a value
"""The SQL of the webhook inbox. What crosses tenants says so, and goes through a partial index
over the few rows that are still to come to something."""

from __future__ import annotations

from typing import Final, LiteralString

from igniter_connectors.adapters.postgres.rows import KEY, Columns

EVENT: Final[Columns] = (
    *KEY,
    "connection_id",
    "id",
    "event_id",
    "state",
    "attempts",
    "received_at",
    "order_key",
    "due_at",
    "finished_at",
    "last_code",
    "possible_replay",
    "sealed_body",
)

NEW: Final[Columns] = (
    *KEY,
    "connection_id",
    "id",
    "event_id",
    "order_key",
    "owner",
    "is_held",
    "lease",
    "remember",
    "body_hash",
    "sealed_body",
)
"""What a caller gives of an event; two times in seconds."""

_EVENT: Final[LiteralString] = ", ".join(EVENT)
_I_EVENT: Final[LiteralString] = ", ".join(f"i.{column}" for column in EVENT)
_IS_KEY: Final[LiteralString] = " AND ".join(f"{column} = %s" for column in KEY)
# An event has an owner while an attempt runs, and only then. So its state need not be asked for,
# which would let the planner walk through all that is pending instead of the primary key.
_LATEST: Final[LiteralString] = (
    "scope = %s AND identity = %s AND id = %s AND owner = %s AND attempts = %s"
)

# A microsecond apart, so that what came in one statement keeps its order.
_RECORD: Final[LiteralString] = """
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
    FROM {} AS e (scope, identity, connector, account, connection_id, id, event_id, order_key,
        owner, is_held, lease, remember, body_hash, sealed_body, place)
    ON CONFLICT DO NOTHING
    RETURNING scope, identity, id, received_at, possible_replay
"""

RECORD: Final[LiteralString] = _RECORD.replace(
    "{}",
    "(VALUES (%s::text, %s::text, %s::text, %s::text, %s::text, %s::text, %s::text, %s::text,"
    " %s::text, %s::boolean, %s::float8, %s::float8, %s::bytea, %s::bytea, 0))",
)

RECORD_MANY: Final[LiteralString] = _RECORD.replace(
    "{}",
    "unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],"
    " %s::text[], %s::text[], %s::boolean[], %s::float8[], %s::float8[], %s::bytea[], %s::bytea[])"
    " WITH ORDINALITY",
)

# Told at the commit, and once however many rows there are: what is for others to handle.
_AND_TELL: Final[LiteralString] = ", pg_notify('igniter_webhooks', '')::text"
RECORD_AND_TELL: Final[LiteralString] = RECORD + _AND_TELL
RECORD_MANY_AND_TELL: Final[LiteralString] = RECORD_MANY + _AND_TELL

# Crosses tenants. MATERIALIZED: the rows that were locked, once, and no more than the limit.
CLAIM: Final[LiteralString] = f"""
    WITH due AS MATERIALIZED (
        SELECT scope, identity, id FROM igniter_webhook_inbox AS i
        WHERE state = 'pending' AND due_at <= now() AND connector = ANY (%s::text[])
            AND (order_key = '' OR NOT EXISTS (
                SELECT 1 FROM igniter_webhook_inbox AS o
                WHERE o.scope = i.scope AND o.identity = i.identity
                    AND o.connection_id = i.connection_id AND o.order_key = i.order_key
                    AND o.order_key <> '' AND o.state IN ('pending', 'held') AND o.id <> i.id
                    AND ((o.received_at, o.id) < (i.received_at, i.id)
                        OR (o.owner <> '' AND o.due_at > now()))))
        ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED)
    UPDATE igniter_webhook_inbox AS i
    SET owner = %s, due_at = now() + %s, attempts = i.attempts + 1
    FROM due WHERE i.scope = due.scope AND i.identity = due.identity AND i.id = due.id
    RETURNING {_I_EVENT}
"""

# Crosses tenants.
UNTIL_DUE: Final[LiteralString] = (
    "SELECT due_at - now() FROM igniter_webhook_inbox"
    " WHERE state = 'pending' AND connector = ANY (%s::text[]) ORDER BY due_at LIMIT 1"
)

# True of every row; the planner takes it to be true of hardly any. So it looks each row of a batch
# up by the primary key, where a plan that was made when the table was small, and kept, would read
# the whole table for each batch.
_FEW: Final[LiteralString] = "d.owner = coalesce(d.owner, '')"

# What a handler's transaction has locked is passed over: nobody else can take that either.
_MINE: Final[LiteralString] = f"""
    WITH mine AS MATERIALIZED (
        SELECT i.scope, i.identity, i.id FROM igniter_webhook_inbox AS i
        JOIN unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[])
            AS d (scope, identity, id, owner, attempts)
            ON i.scope = d.scope AND i.identity = d.identity AND i.id = d.id
        WHERE i.owner = d.owner AND i.attempts = d.attempts AND {_FEW}
        FOR UPDATE OF i SKIP LOCKED)
    UPDATE igniter_webhook_inbox AS i SET {{}}
    FROM mine WHERE i.scope = mine.scope AND i.identity = mine.identity AND i.id = mine.id
    RETURNING i.scope, i.identity, i.id
"""
EXTEND: Final[LiteralString] = _MINE.replace("{}", "due_at = now() + %s")
GIVE_BACK: Final[LiteralString] = _MINE.replace(
    "{}", "owner = '', due_at = now(), attempts = i.attempts - 1"
)

# What two processes took at once, neither seeing the other's: the later one to look sees both.
GIVE_BACK_OVERLAPPING: Final[LiteralString] = GIVE_BACK.replace(
    "FOR UPDATE OF i",
    """AND EXISTS (
            SELECT 1 FROM igniter_webhook_inbox AS o
            WHERE o.scope = i.scope AND o.identity = i.identity
                AND o.connection_id = i.connection_id AND o.order_key = i.order_key
                AND o.order_key <> '' AND o.state IN ('pending', 'held') AND o.id <> i.id
                AND o.owner <> '' AND o.due_at > now())
        FOR UPDATE OF i""",
)

_COMPLETE: Final[LiteralString] = f"""
    UPDATE igniter_webhook_inbox AS i SET state = 'done', owner = '', finished_at = now(),
        sealed_body = CASE WHEN d.keep > 0 THEN i.sealed_body END,
        purge_at = CASE WHEN d.keep > 0
            THEN least(now() + d.keep * interval '1 second', i.keep_until)
            ELSE i.keep_until END
    FROM {{}} AS d (scope, identity, id, owner, attempts, keep)
    WHERE i.scope = d.scope AND i.identity = d.identity AND i.id = d.id
        AND i.owner = d.owner AND i.attempts = d.attempts AND {_FEW}
    RETURNING i.scope, i.identity, i.id, i.owner
"""
COMPLETE: Final[LiteralString] = _COMPLETE.replace(
    "{}", "(VALUES (%s::text, %s::text, %s::text, %s::text, %s::bigint, %s::float8))"
)
COMPLETE_MANY: Final[LiteralString] = _COMPLETE.replace(
    "{}",
    "unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::float8[])",
)

RETRY: Final[LiteralString] = (
    "UPDATE igniter_webhook_inbox SET owner = '', last_code = %s, due_at = now() + %s"
    f" WHERE {_LATEST} RETURNING 1"
)
DEAD_LETTER: Final[LiteralString] = (
    "UPDATE igniter_webhook_inbox SET state = 'dead', owner = '', last_code = %s,"
    f" finished_at = now(), purge_at = keep_until WHERE {_LATEST} RETURNING 1"
)
HOLD: Final[LiteralString] = (
    "UPDATE igniter_webhook_inbox SET state = 'held', owner = '', attempts = attempts - 1,"
    f" purge_at = keep_until WHERE {_LATEST} RETURNING 1"
)

_RELEASE: Final[LiteralString] = """
    UPDATE igniter_webhook_inbox AS i SET state = 'pending', due_at = now(), purge_at = NULL
    FROM (SELECT h.scope, h.identity, h.id FROM igniter_webhook_inbox AS h
        JOIN igniter_connections AS c ON c.scope = h.scope AND c.identity = h.identity
            AND c.connector = h.connector AND c.account = h.account AND c.id = h.connection_id
        WHERE h.state = 'held' AND c.enabled {}) AS due
    WHERE i.scope = due.scope AND i.identity = due.identity AND i.id = due.id
        AND i.state = 'held'
    RETURNING 1
"""
RELEASE_OF: Final[LiteralString] = _RELEASE.replace(
    "{}", " ".join(f"AND h.{column} = %s" for column in KEY)
)
# Crosses tenants.
RELEASE_SOME: Final[LiteralString] = _RELEASE.replace("{}", "LIMIT %s")

# Cross tenants.
DELETE_OLD: Final[LiteralString] = """
    WITH old AS MATERIALIZED (
        SELECT scope, identity, id FROM igniter_webhook_inbox
        WHERE purge_at <= now() AND keep_until <= now()
        ORDER BY purge_at LIMIT %s FOR UPDATE SKIP LOCKED)
    DELETE FROM igniter_webhook_inbox AS i USING old
    WHERE i.scope = old.scope AND i.identity = old.identity AND i.id = old.id RETURNING 1
"""
CLEAR_BODIES: Final[LiteralString] = """
    WITH old AS MATERIALIZED (
        SELECT scope, identity, id FROM igniter_webhook_inbox
        WHERE purge_at <= now() AND keep_until > now()
        ORDER BY purge_at LIMIT %s FOR UPDATE SKIP LOCKED)
    UPDATE igniter_webhook_inbox AS i SET sealed_body = NULL, purge_at = i.keep_until
    FROM old WHERE i.scope = old.scope AND i.identity = old.identity AND i.id = old.id
    RETURNING 1
"""

FIND_EVENT: Final[LiteralString] = (
    f"SELECT {_EVENT} FROM igniter_webhook_inbox WHERE {_IS_KEY} AND id = %s"
)
LIST_EVENTS: Final[LiteralString] = (
    f"SELECT {_EVENT} FROM igniter_webhook_inbox WHERE {_IS_KEY}"
    " AND (%s::text IS NULL OR state = %s::text)"
    " AND (received_at, id) < (coalesce(%s::timestamptz, 'infinity'), %s::text)"
    " ORDER BY received_at DESC, id DESC LIMIT %s"
)
REPLAY: Final[LiteralString] = (
    "UPDATE igniter_webhook_inbox SET state = 'pending', owner = '', attempts = 0,"
    f" due_at = now(), finished_at = NULL, purge_at = NULL WHERE {_IS_KEY} AND id = %s"
    " AND sealed_body IS NOT NULL AND (owner = '' OR due_at <= now()) RETURNING 1"
)
