# ruff: noqa: S608  # no statement is put together from a value
"""The SQL of the SQLite store. A write has its condition inside, and a RETURNING that tells
whether it held.
"""

from __future__ import annotations

from typing import Final

from igniter_connectors.adapters.sqlite.rows import (
    AUTHORIZATION,
    CONNECTION,
    CONNECTION_WIDTH,
    ENDPOINT,
    ENDPOINT_WIDTH,
    GRANT,
    REVOCATION,
    REVOCATION_WIDTH,
)

_KEY: Final = "scope = ? AND identity = ? AND connector = ? AND account = ?"
# What a tombstone is not.
_LIVES: Final = "status <> 'disconnected'"


def _marks(width: int) -> str:
    return ", ".join("?" * width)


def _columns(listed: str) -> list[str]:
    return [column.strip() for column in listed.split(",")]


_GRANT: Final = ", ".join(f"{column} = ?" for column in _columns(GRANT))

FIND: Final = f"SELECT {CONNECTION} FROM connections WHERE {_KEY} AND {_LIVES}"
LAST_GRANT: Final = f"SELECT grant_id FROM connections WHERE {_KEY}"
_ADD: Final = f"INSERT INTO connections ({CONNECTION}) VALUES ({_marks(CONNECTION_WIDTH)})"
INSERT: Final = (
    f"{_ADD} ON CONFLICT (scope, identity, connector, account) DO UPDATE SET lease_until = NULL, "
    + ", ".join(f"{column} = excluded.{column}" for column in _columns(CONNECTION))
    + " WHERE status = 'disconnected' RETURNING 1"
)
INSERT_FIRST: Final = f"{_ADD} ON CONFLICT DO NOTHING RETURNING 1"
REPLACE_CONFIG: Final = (
    "UPDATE connections SET public_config = ?, sealed_config = ?, version = version + 1,"
    f" updated_at = ? WHERE {_KEY} AND id = ? AND version = ? AND {_LIVES} RETURNING 1"
)
SET_ENABLED: Final = (
    "UPDATE connections SET version = version + (enabled <> ?),"
    " updated_at = CASE WHEN enabled <> ? THEN ? ELSE updated_at END, enabled = ?"
    f" WHERE {_KEY} AND {_LIVES} RETURNING 1"
)

# A grant ends in a transaction: QUEUE_REVOCATION copies the tokens and their config to the queue
# of revocations, and another statement changes the row. A running lease ends first.
QUEUE_REVOCATION: Final = (
    f"INSERT INTO revocations ({REVOCATION}, due_at)"
    " SELECT ?, scope, identity, connector, account, id, public_config, sealed_config, 0,"
    f" {GRANT}, max(?, CASE WHEN lease_owner IS NULL THEN 0 ELSE lease_until END)"
    f" FROM connections WHERE {_KEY} AND {_LIVES} AND grant_id IS NOT NULL AND NOT is_shared"
    " AND length(sealed_tokens) > 0"
)
OF_VERSION: Final = " AND id = ? AND version = ?"
OF_GRANT: Final = " AND grant_id = ? AND id = ? AND generation = ?"
_GRANT_ENDED: Final = (
    "generation = generation + 1, sealed_tokens = x'', failures = 0, next_attempt_at = NULL,"
    " lease_owner = NULL, unresolved = 0, refresh_expires_at = NULL, updated_at = ?"
)
DELETE_ENDPOINTS: Final = f"DELETE FROM webhook_endpoints WHERE {_KEY}"
DELETE_WITHOUT_GRANT: Final = f"DELETE FROM connections WHERE {_KEY} AND grant_id IS NULL"
LEAVE_TOMBSTONE: Final = (
    f"UPDATE connections SET status = 'disconnected', {_GRANT_ENDED}, public_config = x'',"
    " grant_id = grant_id || '-ended',"
    f" sealed_config = x'', profile = NULL, subject = NULL WHERE {_KEY} AND {_LIVES}"
)
REPLACE_CONFIG_ENDING_GRANT: Final = (
    f"UPDATE connections SET status = 'config_changed', {_GRANT_ENDED}, public_config = ?,"
    f" sealed_config = ?, version = version + 1, grant_id = ? WHERE {_KEY}{OF_VERSION}"
    f" AND {_LIVES} AND grant_id IS NOT NULL RETURNING 1"
)
SAVE_AUTHORIZED: Final = (
    "UPDATE connections SET id = ?, updated_at = ?,"
    " public_config = CASE WHEN ? THEN public_config ELSE ? END,"
    " sealed_config = CASE WHEN ? THEN sealed_config ELSE ? END,"
    " failures = 0, next_attempt_at = NULL, lease_owner = NULL, unresolved = 0,"
    " version = CASE WHEN status = 'disconnected' THEN 1 ELSE version + 1 END,"
    " enabled = status = 'disconnected' OR enabled,"
    " created_at = CASE WHEN status = 'disconnected' THEN ? ELSE created_at END,"
    f" status = ?, {_GRANT} WHERE {_KEY} AND grant_id = ?"
    " AND (status = 'disconnected' OR (id = ? AND generation = ?)) RETURNING 1"
)
PURGE_TOMBSTONES: Final = (
    "DELETE FROM connections WHERE id IN (SELECT id FROM connections AS t"
    " WHERE status = 'disconnected' AND updated_at < ? AND NOT EXISTS (SELECT 1"
    " FROM authorizations AS a WHERE (a.scope, a.identity, a.connector) ="
    " (t.scope, t.identity, t.connector)) LIMIT 1000) RETURNING 1"
)
TAKE_LEASE: Final = (
    "UPDATE connections SET lease_owner = ?, lease_until = ?, unresolved_before = unresolved,"
    f" unresolved = 1 WHERE {_KEY} AND generation = ? AND status = 'ok'"
    " AND (lease_owner IS NULL OR lease_until <= ?)"
    " AND (next_attempt_at IS NULL OR next_attempt_at <= ?)"
    " RETURNING id, lease_owner, sealed_tokens, generation, failures, unresolved_before"
)
_FENCE: Final = f"{_KEY} AND id = ? AND generation = ? AND lease_owner = ?"
PUT_BACK_LEASE: Final = (
    "UPDATE connections SET lease_owner = NULL, unresolved = unresolved_before, failures = ?,"
    f" next_attempt_at = ? WHERE {_FENCE} RETURNING 1"
)
RELEASE_LEASE: Final = f"UPDATE connections SET lease_owner = NULL WHERE {_FENCE} RETURNING 1"
SAVE_GRANT_STATUS: Final = (
    "UPDATE connections SET status = ?, lease_owner = NULL, unresolved = 0"
    f" WHERE {_FENCE} RETURNING 1"
)
SAVE_RENEWED: Final = (
    "UPDATE connections SET failures = 0, next_attempt_at = NULL,"
    " status = CASE WHEN status = 'config_changed' THEN status ELSE 'ok' END,"
    f" lease_owner = NULL, unresolved = 0, {_GRANT}"
    f" WHERE {_KEY} AND id = ? AND generation = ? AND {_LIVES} RETURNING 1"
)
LIST: Final = (
    f"SELECT {CONNECTION} FROM connections WHERE scope = ? AND identity = ?"
    f" AND (connector, account) > (?, ?) AND {_LIVES} ORDER BY connector, account LIMIT ?"
)
COUNT: Final = f"SELECT count(*) FROM connections WHERE scope = ? AND identity = ? AND {_LIVES}"
COUNT_BY_CONNECTOR: Final = (
    f"SELECT connector, count(*) FROM connections WHERE {_LIVES} GROUP BY connector"
)
LIST_EXPIRING: Final = (
    f"SELECT {CONNECTION} FROM connections"
    " WHERE refresh_expires_at IS NOT NULL AND refresh_expires_at <= ?"
    " AND refresh_expires_at <= ? + (refresh_expires_at - refreshed_at) / 5"
    " AND status = 'ok' AND enabled AND refreshable"
    " AND (lease_owner IS NULL OR lease_until <= ?)"
    " AND (next_attempt_at IS NULL OR next_attempt_at <= ?)"
    " ORDER BY refresh_expires_at LIMIT ?"
)
CLEAR_AUTHORIZATIONS: Final = "DELETE FROM authorizations WHERE expires_at <= ?"
ADD_AUTHORIZATION: Final = (
    f"INSERT INTO authorizations ({AUTHORIZATION}, expires_at) VALUES ({_marks(9)})"
)
TAKE_AUTHORIZATION: Final = (
    "DELETE FROM authorizations WHERE handle_hash = ? AND binding_hash = ? AND expires_at > ?"
    f" RETURNING {AUTHORIZATION}"
)
ADD_ENDPOINT: Final = (
    f"INSERT INTO webhook_endpoints ({ENDPOINT}) VALUES ({_marks(ENDPOINT_WIDTH)})"
)


def _of(table: str, listed: str) -> str:
    return ", ".join(f"{table}.{column}" for column in _columns(listed))


FIND_ENDPOINT: Final = (
    f"SELECT {_of('e', ENDPOINT)}, {_of('c', CONNECTION)}"
    " FROM webhook_endpoints AS e JOIN connections AS c ON c.id = e.connection_id"
    " WHERE c.status <> 'disconnected' AND e.token_hash = ?"
    " AND (e.valid_until IS NULL OR e.valid_until > ?)"
)
LIST_ENDPOINTS: Final = (
    f"SELECT {_of('e', ENDPOINT)}"
    " FROM webhook_endpoints AS e JOIN connections AS c ON c.id = e.connection_id"
    " WHERE c.scope = ? AND c.identity = ? AND c.connector = ? AND c.account = ?"
    " ORDER BY e.created_at, e.id"
)
SAVE_ENDPOINT_SECRET: Final = (
    "UPDATE webhook_endpoints SET previous_until = ?1, sealed_secret = ?2,"
    " sealed_previous = CASE WHEN ?1 IS NOT NULL THEN sealed_secret END WHERE id = ?3"
    " AND scope = ?4 AND identity = ?5 AND connector = ?6 AND account = ?7 RETURNING 1"
)
RETIRE_ENDPOINT: Final = (
    "UPDATE webhook_endpoints SET valid_until = min(coalesce(valid_until, ?1), ?1)"
    " WHERE id = ?2 AND scope = ?3 AND identity = ?4 AND connector = ?5 AND account = ?6"
    " RETURNING 1"
)


ADD_REVOCATION: Final = (
    f"INSERT INTO revocations ({REVOCATION}, due_at) VALUES ({_marks(REVOCATION_WIDTH + 1)})"
)
CLAIM_REVOCATIONS: Final = (
    "UPDATE revocations SET due_at = ? WHERE id IN (SELECT id FROM revocations WHERE due_at <= ?"
    f" ORDER BY due_at LIMIT ?) RETURNING {REVOCATION}"
)
POSTPONE_REVOCATION: Final = "UPDATE revocations SET attempts = ?, due_at = ? WHERE id = ?"
END_REVOCATION: Final = "DELETE FROM revocations WHERE id = ?"
IS_AUTHORIZATION_PENDING: Final = (
    "SELECT EXISTS (SELECT 1 FROM authorizations WHERE scope = ? AND identity = ?"
    " AND connector = ? AND expires_at > ?)"
)
IS_GRANT_SHARED: Final = (
    "SELECT EXISTS (SELECT 1 FROM connections WHERE connector = ? AND client_id = ?"
    f" AND grant_id IS NOT NULL AND {_LIVES} AND length(sealed_tokens) > 0 AND subject IS ?)"
)
