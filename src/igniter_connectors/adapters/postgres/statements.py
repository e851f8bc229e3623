# ruff: noqa: S608  # the types show that no statement is put together from a value
"""The SQL of the PostgreSQL store. Each statement that names a key is one index scan.

A write is one statement, with its condition inside and a RETURNING that tells whether it
held. What decides between processes is the database's clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, LiteralString

from igniter_connectors.adapters.postgres.rows import (
    AUTHORIZATION,
    BODY,
    ENDPOINT,
    GRANT,
    KEY,
    REVOCATION,
)


def _list(columns: Sequence[LiteralString], table: LiteralString = "") -> LiteralString:
    return ", ".join(f"{table}.{column}" if table else column for column in columns)


def _marks(columns: Sequence[LiteralString]) -> LiteralString:
    return ", ".join("%s" for _ in columns)


def _set(columns: Sequence[LiteralString]) -> LiteralString:
    return ", ".join(f"{column} = %s" for column in columns)


_IS_KEY: Final[LiteralString] = " AND ".join(f"{column} = %s" for column in KEY)
_ON_KEY: Final[LiteralString] = " AND ".join(f"c.{column} = k.{column}" for column in KEY)

# What a tombstone is not. Looking for the row takes the same index either way.
_LIVES: Final[LiteralString] = "status <> 'disconnected'"

FIND: Final[LiteralString] = (
    f"SELECT {_list(BODY)} FROM igniter_connections WHERE {_IS_KEY} AND {_LIVES}"
)

LAST_GRANT: Final[LiteralString] = f"SELECT grant_id FROM igniter_connections WHERE {_IS_KEY}"

# LATERAL with a LIMIT is one index scan a key, whatever the planner believes of the table's
# size; as a plain join it was a quarter slower, and with `= ANY` over four columns there is
# no way to ask for pairs.
FIND_MANY: Final[LiteralString] = f"""
    SELECT k.place, {_list(BODY, "c")}
    FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[])
        WITH ORDINALITY AS k ({_list(KEY)}, place)
    CROSS JOIN LATERAL
        (SELECT {_list(BODY)} FROM igniter_connections AS c WHERE {_ON_KEY} AND {_LIVES} LIMIT 1)
        AS c
"""

_ADD: Final[LiteralString] = (
    f"INSERT INTO igniter_connections AS c ({_list(KEY)}, {_list(BODY)})"
    f" VALUES ({_marks(KEY)}, {_marks(BODY)})"
)

INSERT: Final[LiteralString] = (
    f"{_ADD} ON CONFLICT ({_list(KEY)}) DO UPDATE SET"
    f" ({_list(BODY)}, lease_until) = ({_list(BODY, 'excluded')}, NULL)"
    " WHERE c.status = 'disconnected' RETURNING 1"
)

INSERT_FIRST: Final[LiteralString] = f"{_ADD} ON CONFLICT DO NOTHING RETURNING 1"

REPLACE_CONFIG: Final[LiteralString] = (
    "UPDATE igniter_connections SET public_config = %s, sealed_config = %s,"
    f" version = version + 1, updated_at = %s"
    f" WHERE {_IS_KEY} AND id = %s AND version = %s AND {_LIVES} RETURNING 1"
)

SET_ENABLED: Final[LiteralString] = (
    "UPDATE igniter_connections SET version = version + (enabled <> %s)::integer,"
    " updated_at = CASE WHEN enabled <> %s THEN %s ELSE updated_at END, enabled = %s"
    f" WHERE {_IS_KEY} AND {_LIVES} RETURNING 1"
)

# A grant ends in three ways, each one statement of the same shape: `was` locks the row as it is,
# `handed` copies its tokens and config to where they wait to be revoked, and the rest changes it.
# The id of the revocation is NULL where nothing is handed over. A lease that runs ends first.
_HANDED: Final[LiteralString] = (
    f"handed AS (INSERT INTO igniter_revocations ({_list(REVOCATION)}, due_at)"
    f" SELECT %s, {_list(KEY)}, id, public_config, sealed_config, 0, {_list(GRANT)},"
    " greatest(now() + %s, CASE WHEN lease_owner IS NULL THEN now() ELSE lease_until END)"
    " FROM was WHERE %s AND grant_id IS NOT NULL AND status <> 'disconnected' AND NOT is_shared"
    " AND length(sealed_tokens) > 0)"
)
_WAS_ON_KEY: Final[LiteralString] = " AND ".join(f"c.{column} = was.{column}" for column in KEY)
_GRANT_ENDED: Final[LiteralString] = (
    "generation = c.generation + 1, sealed_tokens = '', failures = 0, next_attempt_at = NULL,"
    " lease_owner = NULL, unresolved = false, updated_at = %s"
)

# No foreign key, since a partitioned table has no unique index to refer to. An endpoint that
# is added meanwhile stays behind, and nobody finds it: it is looked up with its connection.
DISCONNECT: Final[LiteralString] = (
    f"WITH was AS (SELECT * FROM igniter_connections WHERE {_IS_KEY} AND {_LIVES} FOR UPDATE),"
    f" ended AS (DELETE FROM igniter_webhook_endpoints WHERE {_IS_KEY}), {_HANDED},"
    " gone AS (DELETE FROM igniter_connections AS c USING was"
    f" WHERE {_WAS_ON_KEY} AND was.grant_id IS NULL),"
    f" tomb AS (UPDATE igniter_connections AS c SET status = 'disconnected', {_GRANT_ENDED},"
    " grant_id = c.grant_id || '-ended',"
    " public_config = '', sealed_config = '', profile = NULL, subject = NULL,"
    f" refresh_expires_at = NULL FROM was WHERE {_WAS_ON_KEY} AND was.grant_id IS NOT NULL)"
    f" SELECT {_list(BODY)} FROM was"
)

REPLACE_CONFIG_ENDING_GRANT: Final[LiteralString] = (
    f"WITH was AS (SELECT * FROM igniter_connections WHERE {_IS_KEY} AND id = %s AND version = %s"
    f" AND {_LIVES} AND grant_id IS NOT NULL FOR UPDATE), {_HANDED}"
    f" UPDATE igniter_connections AS c SET status = 'config_changed', {_GRANT_ENDED},"
    " public_config = %s, sealed_config = %s, version = c.version + 1, grant_id = %s,"
    f" refresh_expires_at = NULL FROM was WHERE {_WAS_ON_KEY} RETURNING 1"
)

SAVE_AUTHORIZED: Final[LiteralString] = (
    f"WITH was AS (SELECT * FROM igniter_connections WHERE {_IS_KEY} AND grant_id = %s"
    " AND (status = 'disconnected' OR (id = %s AND generation = %s)) FOR UPDATE),"
    f" {_HANDED} UPDATE igniter_connections AS c SET id = %s, updated_at = %s,"
    " public_config = CASE WHEN %s THEN c.public_config ELSE %s END,"
    " sealed_config = CASE WHEN %s THEN c.sealed_config ELSE %s END,"
    " status = %s, failures = 0, next_attempt_at = NULL, lease_owner = NULL, unresolved = false,"
    " version = CASE WHEN was.status = 'disconnected' THEN 1 ELSE c.version + 1 END,"
    " enabled = was.status = 'disconnected' OR c.enabled,"
    " created_at = CASE WHEN was.status = 'disconnected' THEN %s ELSE c.created_at END,"
    f" {_set(GRANT)} FROM was WHERE {_WAS_ON_KEY} RETURNING 1"
)

PURGE_TOMBSTONES: Final[LiteralString] = (
    "DELETE FROM igniter_connections AS c USING (SELECT * FROM igniter_connections AS t"
    " WHERE t.status = 'disconnected' AND t.updated_at < now() - %s::interval"
    " AND NOT EXISTS (SELECT 1"
    " FROM igniter_authorizations AS a WHERE (a.scope, a.identity, a.connector) ="
    " (t.scope, t.identity, t.connector)) ORDER BY t.updated_at LIMIT 1000 FOR UPDATE SKIP LOCKED)"
    f" AS was WHERE {_WAS_ON_KEY} RETURNING 1"
)

SAVE_RENEWED: Final[LiteralString] = (
    "UPDATE igniter_connections SET failures = 0, next_attempt_at = NULL, lease_owner = NULL,"
    " status = CASE WHEN status = 'config_changed' THEN status ELSE 'ok' END,"
    f" unresolved = false, {_set(GRANT)}"
    f" WHERE {_IS_KEY} AND id = %s AND generation = %s AND {_LIVES} RETURNING 1"
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

RELEASE_LEASE: Final[LiteralString] = (
    f"UPDATE igniter_connections SET lease_owner = NULL WHERE {_FENCE} RETURNING 1"
)

SAVE_GRANT_STATUS: Final[LiteralString] = (
    "UPDATE igniter_connections SET status = %s, lease_owner = NULL, unresolved = false"
    f" WHERE {_FENCE} RETURNING 1"
)

LIST: Final[LiteralString] = (
    f"SELECT connector, account, {_list(BODY)} FROM igniter_connections"
    f" WHERE scope = %s AND identity = %s AND (connector, account) > (%s, %s) AND {_LIVES}"
    " ORDER BY connector, account LIMIT %s"
)

COUNT: Final[LiteralString] = (
    f"SELECT count(*) FROM igniter_connections WHERE scope = %s AND identity = %s AND {_LIVES}"
)

COUNT_BY_CONNECTOR: Final[LiteralString] = (
    f"SELECT connector, count(*) FROM igniter_connections WHERE {_LIVES} GROUP BY connector"
)

LIST_EXPIRING: Final[LiteralString] = (
    f"SELECT {_list(KEY)}, {_list(BODY)} FROM igniter_connections"
    " WHERE refresh_expires_at IS NOT NULL AND refresh_expires_at <= now() + %s"
    " AND refresh_expires_at <= now() + (refresh_expires_at - refreshed_at) / 5"
    " AND status = 'ok' AND enabled AND refreshable"
    " AND (lease_owner IS NULL OR lease_until <= now())"
    " AND (next_attempt_at IS NULL OR next_attempt_at <= now())"
    " ORDER BY refresh_expires_at LIMIT %s"
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

_LIVE_ENDPOINT: Final[LiteralString] = _list(ENDPOINT, "k").replace(
    "k.sealed_previous", "CASE WHEN k.previous_until > now() THEN k.sealed_previous END"
)

FIND_ENDPOINT: Final[LiteralString] = (
    f"SELECT {_LIVE_ENDPOINT}, {_list(BODY, 'c')} FROM {_WITH_CONNECTION}"
    " WHERE k.token_hash = %s AND (k.valid_until IS NULL OR k.valid_until > now())"
    " AND c.status <> 'disconnected'"
)

# As FIND_MANY.
FIND_ENDPOINTS: Final[LiteralString] = f"""
    SELECT f.* FROM unnest(%s::bytea[]) AS h (token_hash) CROSS JOIN LATERAL
        (SELECT {_LIVE_ENDPOINT}, {", ".join(f"c.{column} AS c_{column}" for column in BODY)}
        FROM {_WITH_CONNECTION}
        WHERE k.token_hash = h.token_hash AND (k.valid_until IS NULL OR k.valid_until > now())
        AND c.status <> 'disconnected' LIMIT 1) AS f
"""

LIST_ENDPOINTS: Final[LiteralString] = (
    f"SELECT {_list(ENDPOINT, 'k')} FROM {_WITH_CONNECTION}"
    f" WHERE {' AND '.join(f'k.{column} = %s' for column in KEY)}"
    " ORDER BY k.created_at, k.id"
)

SAVE_ENDPOINT_SECRET: Final[LiteralString] = (
    "UPDATE igniter_webhook_endpoints"
    " SET sealed_previous = CASE WHEN %s::interval > interval '0' THEN sealed_secret END,"
    " previous_until = CASE WHEN %s::interval > interval '0' THEN now() + %s::interval END,"
    f" sealed_secret = %s WHERE {_IS_KEY} AND id = %s RETURNING 1"
)

RETIRE_ENDPOINT: Final[LiteralString] = (
    "UPDATE igniter_webhook_endpoints SET valid_until = least(valid_until, now() + %s)"
    f" WHERE {_IS_KEY} AND id = %s RETURNING 1"
)

ADD_REVOCATION: Final[LiteralString] = (
    f"INSERT INTO igniter_revocations ({_list(REVOCATION)}, due_at)"
    f" VALUES ({_marks(REVOCATION)}, now() + %s) RETURNING 1"
)

CLAIM_REVOCATIONS: Final[LiteralString] = (
    "UPDATE igniter_revocations SET due_at = now() + %s WHERE id IN (SELECT id"
    " FROM igniter_revocations WHERE due_at <= now() ORDER BY due_at LIMIT %s"
    f" FOR UPDATE SKIP LOCKED) RETURNING {_list(REVOCATION)}"
)

POSTPONE_REVOCATION: Final[LiteralString] = (
    "UPDATE igniter_revocations SET attempts = %s, due_at = now() + %s WHERE id = %s RETURNING 1"
)

END_REVOCATION: Final[LiteralString] = "DELETE FROM igniter_revocations WHERE id = %s RETURNING 1"

IS_AUTHORIZATION_PENDING: Final[LiteralString] = (
    "SELECT EXISTS (SELECT 1 FROM igniter_authorizations WHERE scope = %s AND identity = %s"
    " AND connector = %s AND expires_at > now())"
)

_SHARES: Final[LiteralString] = (
    "SELECT EXISTS (SELECT 1 FROM igniter_connections WHERE connector = %s AND client_id = %s"
    f" AND grant_id IS NOT NULL AND {_LIVES} AND length(sealed_tokens) > 0 AND subject"
)
IS_GRANT_SHARED: Final[LiteralString] = f"{_SHARES} = %s)"
IS_UNKNOWN_GRANT_SHARED: Final[LiteralString] = f"{_SHARES} IS NULL)"
