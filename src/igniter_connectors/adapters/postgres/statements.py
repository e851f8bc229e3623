# ruff: noqa: S608  # the types show that no statement is put together from a value
"""The SQL of the PostgreSQL store. Each statement that names a key is one index scan.

A write is one statement, with its condition inside and a RETURNING that tells whether it
held. What decides between processes is the database's clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, LiteralString

from igniter_connectors.adapters.postgres.rows import AUTHORIZATION, BODY, ENDPOINT, GRANT, KEY


def _list(columns: Sequence[LiteralString], table: LiteralString = "") -> LiteralString:
    return ", ".join(f"{table}.{column}" if table else column for column in columns)


def _marks(columns: Sequence[LiteralString]) -> LiteralString:
    return ", ".join("%s" for _ in columns)


def _set(columns: Sequence[LiteralString]) -> LiteralString:
    return ", ".join(f"{column} = %s" for column in columns)


_IS_KEY: Final[LiteralString] = " AND ".join(f"{column} = %s" for column in KEY)
_ON_KEY: Final[LiteralString] = " AND ".join(f"c.{column} = k.{column}" for column in KEY)

FIND: Final[LiteralString] = f"SELECT {_list(BODY)} FROM igniter_connections WHERE {_IS_KEY}"

# LATERAL with a LIMIT is one index scan a key, whatever the planner believes of the table's
# size; as a plain join it was a quarter slower, and with `= ANY` over four columns there is
# no way to ask for pairs.
FIND_MANY: Final[LiteralString] = f"""
    SELECT k.place, {_list(BODY, "c")}
    FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[])
        WITH ORDINALITY AS k ({_list(KEY)}, place)
    CROSS JOIN LATERAL
        (SELECT {_list(BODY)} FROM igniter_connections AS c WHERE {_ON_KEY} LIMIT 1) AS c
"""

INSERT: Final[LiteralString] = (
    f"INSERT INTO igniter_connections ({_list(KEY)}, {_list(BODY)})"
    f" VALUES ({_marks(KEY)}, {_marks(BODY)}) ON CONFLICT DO NOTHING RETURNING 1"
)

REPLACE_CONFIG: Final[LiteralString] = (
    "UPDATE igniter_connections SET public_config = %s, sealed_config = %s,"
    f" version = version + 1, updated_at = %s WHERE {_IS_KEY} AND id = %s AND version = %s"
    " RETURNING 1"
)

SET_ENABLED: Final[LiteralString] = (
    "UPDATE igniter_connections SET version = version + (enabled <> %s)::integer,"
    " updated_at = CASE WHEN enabled <> %s THEN %s ELSE updated_at END, enabled = %s"
    f" WHERE {_IS_KEY} RETURNING 1"
)

# No foreign key, since a partitioned table has no unique index to refer to. An endpoint that
# is added meanwhile stays behind, and nobody finds it: it is looked up with its connection.
DELETE: Final[LiteralString] = (
    f"WITH ended AS (DELETE FROM igniter_webhook_endpoints WHERE {_IS_KEY})"
    f" DELETE FROM igniter_connections WHERE {_IS_KEY} RETURNING {_list(BODY)}"
)

SAVE_AUTHORIZED: Final[LiteralString] = (
    "UPDATE igniter_connections SET public_config = %s, sealed_config = %s,"
    " version = version + 1, updated_at = %s, status = %s, failures = 0,"
    f" next_attempt_at = NULL, lease_owner = NULL, unresolved = false, {_set(GRANT)}"
    f" WHERE {_IS_KEY} AND id = %s AND grant_id = %s AND generation = %s RETURNING 1"
)

SAVE_RENEWED: Final[LiteralString] = (
    "UPDATE igniter_connections SET status = 'ok', failures = 0, next_attempt_at = NULL,"
    f" lease_owner = NULL, unresolved = false, {_set(GRANT)}"
    f" WHERE {_IS_KEY} AND id = %s AND generation = %s RETURNING 1"
)

TAKE_LEASE: Final[LiteralString] = (
    "UPDATE igniter_connections SET lease_owner = %s, lease_until = now() + %s,"
    " unresolved_before = unresolved, unresolved = true"
    f" WHERE {_IS_KEY} AND generation = %s AND status = 'ok'"
    " AND (lease_owner IS NULL OR lease_until <= now())"
    " AND (next_attempt_at IS NULL OR next_attempt_at <= now())"
    " RETURNING id, lease_owner, sealed_tokens, generation, failures, unresolved_before"
)

_FENCE: Final[LiteralString] = f"{_IS_KEY} AND id = %s AND generation = %s AND lease_owner = %s"

PUT_BACK_LEASE: Final[LiteralString] = (
    "UPDATE igniter_connections SET lease_owner = NULL, unresolved = unresolved_before,"
    f" failures = %s, next_attempt_at = now() + %s WHERE {_FENCE} RETURNING 1"
)

SAVE_VERDICT: Final[LiteralString] = (
    "UPDATE igniter_connections SET status = %s, lease_owner = NULL, unresolved = false"
    f" WHERE {_FENCE} RETURNING 1"
)

LIST: Final[LiteralString] = (
    f"SELECT connector, account, {_list(BODY)} FROM igniter_connections"
    " WHERE scope = %s AND identity = %s AND (connector, account) > (%s, %s)"
    " ORDER BY connector, account LIMIT %s"
)

COUNT: Final[LiteralString] = (
    "SELECT count(*) FROM igniter_connections WHERE scope = %s AND identity = %s"
)

COUNT_BY_CONNECTOR: Final[LiteralString] = (
    "SELECT connector, count(*) FROM igniter_connections GROUP BY connector"
)

# A bounded piece of work for whoever adds one, and none waits for another's.
CLEAR_AUTHORIZATIONS: Final[LiteralString] = (
    "DELETE FROM igniter_authorizations WHERE handle_hash IN (SELECT handle_hash"
    " FROM igniter_authorizations WHERE expires_at <= now() ORDER BY expires_at LIMIT 100"
    " FOR UPDATE SKIP LOCKED) RETURNING 1"
)

ADD_AUTHORIZATION: Final[LiteralString] = (
    f"INSERT INTO igniter_authorizations ({_list(AUTHORIZATION)}, expires_at)"
    f" VALUES ({_marks(AUTHORIZATION)}, now() + %s) RETURNING 1"
)

TAKE_AUTHORIZATION: Final[LiteralString] = (
    "DELETE FROM igniter_authorizations"
    " WHERE handle_hash = %s AND binding_hash = %s AND expires_at > now()"
    f" RETURNING {_list(AUTHORIZATION)}"
)

ADD_ENDPOINT: Final[LiteralString] = (
    f"INSERT INTO igniter_webhook_endpoints ({_list(ENDPOINT)}) VALUES ({_marks(ENDPOINT)})"
    " RETURNING 1"
)

_WITH_CONNECTION: Final[LiteralString] = (
    "igniter_webhook_endpoints AS k JOIN igniter_connections AS c"
    f" ON {_ON_KEY} AND c.id = k.connection_id"
)

FIND_ENDPOINT: Final[LiteralString] = (
    f"SELECT {_list(ENDPOINT, 'k')}, {_list(BODY, 'c')} FROM {_WITH_CONNECTION}"
    " WHERE k.token_hash = %s AND (k.valid_until IS NULL OR k.valid_until > now())"
)

LIST_ENDPOINTS: Final[LiteralString] = (
    f"SELECT {_list(ENDPOINT, 'k')} FROM {_WITH_CONNECTION}"
    f" WHERE {' AND '.join(f'k.{column} = %s' for column in KEY)}"
    " ORDER BY k.created_at, k.id"
)

SAVE_ENDPOINT_SECRET: Final[LiteralString] = (
    "UPDATE igniter_webhook_endpoints SET sealed_secret = %s"
    f" WHERE {_IS_KEY} AND id = %s RETURNING 1"
)
