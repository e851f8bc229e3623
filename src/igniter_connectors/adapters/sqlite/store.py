"""The statements of the SQLite store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from os import PathLike, fspath
from typing import Final, final

from igniter_connectors.adapters.sqlite.database import Database
from igniter_connectors.adapters.sqlite.rows import (
    AUTHORIZATION,
    CONNECTION,
    CONNECTION_WIDTH,
    ENDPOINT,
    ENDPOINT_WIDTH,
    connection_values,
    endpoint_values,
    grant_values,
    to_authorization,
    to_connection,
    to_endpoint,
    to_lease,
    to_micros,
)
from igniter_connectors.adapters.system import SystemClock
from igniter_connectors.core.connection import (
    ConnectionKey,
    ConnectionRecord,
    Grant,
    Status,
)
from igniter_connectors.core.oauth.lease import Lease
from igniter_connectors.core.oauth.state import PendingAuthorization
from igniter_connectors.core.webhook.endpoint import EndpointRecord
from igniter_connectors.ports import Clock

_KEY: Final = "scope = ? AND identity = ? AND connector = ? AND account = ?"
_GRANT: Final = (
    "grant_id = ?, generation = ?, sealed_tokens = ?, oauth_scopes = ?, refreshable = ?,"
    " refreshed_at = ?, expires_at = ?, subject = ?, profile = ?"
)


def _marks(width: int) -> str:
    return ", ".join("?" * width)


_FIND: Final = f"SELECT {CONNECTION} FROM connections WHERE {_KEY}"
_INSERT: Final = (
    f"INSERT INTO connections ({CONNECTION}) VALUES ({_marks(CONNECTION_WIDTH)})"
    " ON CONFLICT DO NOTHING RETURNING 1"
)
_REPLACE_CONFIG: Final = (
    "UPDATE connections SET public_config = ?, sealed_config = ?, version = version + 1,"
    f" updated_at = ? WHERE {_KEY} AND id = ? AND version = ? RETURNING 1"
)
_SET_ENABLED: Final = (
    "UPDATE connections SET version = version + (enabled <> ?),"
    " updated_at = CASE WHEN enabled <> ? THEN ? ELSE updated_at END, enabled = ?"
    f" WHERE {_KEY} RETURNING 1"
)
_DELETE: Final = f"DELETE FROM connections WHERE {_KEY} RETURNING {CONNECTION}"
_SAVE_AUTHORIZED: Final = (
    "UPDATE connections SET public_config = ?, sealed_config = ?, version = version + 1,"
    " updated_at = ?, status = ?, failures = 0, next_attempt_at = NULL, lease_owner = NULL,"
    f" unresolved = 0, {_GRANT}"
    f" WHERE {_KEY} AND id = ? AND grant_id = ? AND generation = ? RETURNING 1"
)
_TAKE_LEASE: Final = (
    "UPDATE connections SET lease_owner = ?, lease_until = ?, unresolved_before = unresolved,"
    f" unresolved = 1 WHERE {_KEY} AND generation = ? AND status = 'ok'"
    " AND (lease_owner IS NULL OR lease_until <= ?)"
    " AND (next_attempt_at IS NULL OR next_attempt_at <= ?)"
    " RETURNING id, lease_owner, sealed_tokens, generation, failures, unresolved_before"
)
_FENCE: Final = f"{_KEY} AND id = ? AND generation = ? AND lease_owner = ?"
_PUT_BACK_LEASE: Final = (
    "UPDATE connections SET lease_owner = NULL, unresolved = unresolved_before, failures = ?,"
    f" next_attempt_at = ? WHERE {_FENCE} RETURNING 1"
)
_SAVE_VERDICT: Final = (
    "UPDATE connections SET status = ?, lease_owner = NULL, unresolved = 0"
    f" WHERE {_FENCE} RETURNING 1"
)
_SAVE_RENEWED: Final = (
    "UPDATE connections SET status = 'ok', failures = 0, next_attempt_at = NULL,"
    f" lease_owner = NULL, unresolved = 0, {_GRANT}"
    f" WHERE {_KEY} AND id = ? AND generation = ? RETURNING 1"
)
_LIST: Final = (
    f"SELECT {CONNECTION} FROM connections WHERE scope = ? AND identity = ?"
    " AND (connector, account) > (?, ?) ORDER BY connector, account LIMIT ?"
)
_COUNT: Final = "SELECT count(*) FROM connections WHERE scope = ? AND identity = ?"
_COUNT_BY_CONNECTOR: Final = "SELECT connector, count(*) FROM connections GROUP BY connector"
_CLEAR_AUTHORIZATIONS: Final = "DELETE FROM authorizations WHERE expires_at <= ?"
_ADD_AUTHORIZATION: Final = (
    f"INSERT INTO authorizations ({AUTHORIZATION}, expires_at) VALUES ({_marks(9)})"
)
_TAKE_AUTHORIZATION: Final = (
    "DELETE FROM authorizations WHERE handle_hash = ? AND binding_hash = ? AND expires_at > ?"
    f" RETURNING {AUTHORIZATION}"
)
_ADD_ENDPOINT: Final = (
    f"INSERT INTO webhook_endpoints ({ENDPOINT}) VALUES ({_marks(ENDPOINT_WIDTH)})"
)


def _of(table: str, columns: str) -> str:
    return ", ".join(f"{table}.{column.strip()}" for column in columns.split(","))


_FIND_ENDPOINT: Final = (
    f"SELECT {_of('e', ENDPOINT)}, {_of('c', CONNECTION)}"
    " FROM webhook_endpoints AS e JOIN connections AS c ON c.id = e.connection_id"
    " WHERE e.token_hash = ? AND (e.valid_until IS NULL OR e.valid_until > ?)"
)
_LIST_ENDPOINTS: Final = (
    f"SELECT {_of('e', ENDPOINT)}"
    " FROM webhook_endpoints AS e JOIN connections AS c ON c.id = e.connection_id"
    " WHERE c.scope = ? AND c.identity = ? AND c.connector = ? AND c.account = ?"
    " ORDER BY e.created_at, e.id"
)
_SAVE_ENDPOINT_SECRET: Final = (
    f"UPDATE webhook_endpoints SET sealed_secret = ? WHERE id = ? AND {_KEY} RETURNING 1"
)


@final
class SQLiteStore:
    """Connections in one SQLite file, made when it is not there.

    For one host. Several processes may share the file; instants that decide anything
    shared are the host's. `":memory:"` keeps nothing and is one process's alone.
    """

    def __init__(self, path: str | PathLike[str], *, clock: Clock | None = None) -> None:
        self._database = Database(fspath(path))
        self._clock = clock or SystemClock()

    async def open(self) -> None:
        """Opens the file, and makes or updates its schema."""
        await self._database.open()

    async def close(self) -> None:
        """Closes the file."""
        await self._database.close()

    async def find(self, key: ConnectionKey) -> ConnectionRecord | None:
        """The row, or None."""
        rows = await self._database.read(_FIND, _key(key))
        return to_connection(rows[0]) if rows else None

    async def insert(self, record: ConnectionRecord) -> bool:
        """Adds a row; False where one stands under its key."""
        return bool(await self._database.write(_INSERT, connection_values(record)))

    async def replace_config(
        self,
        key: ConnectionKey,
        *,
        row: str,
        version: int,
        public_config: bytes,
        sealed_config: bytes,
        now: datetime,
    ) -> bool:
        """Writes the config where id and version match."""
        values = (public_config, sealed_config, to_micros(now), *_key(key), row, version)
        return bool(await self._database.write(_REPLACE_CONFIG, values))

    async def set_enabled(self, key: ConnectionKey, *, enabled: bool, now: datetime) -> bool:
        """Switches a connection; False where there is none."""
        wanted = int(enabled)
        values = (wanted, wanted, to_micros(now), wanted, *_key(key))
        return bool(await self._database.write(_SET_ENABLED, values))

    async def delete(self, key: ConnectionKey) -> ConnectionRecord | None:
        """Takes a row away; its endpoints go by their foreign key."""
        rows = await self._database.write(_DELETE, _key(key))
        return to_connection(rows[0]) if rows else None

    async def save_authorized(
        self, record: ConnectionRecord, *, expected_grant: str | None
    ) -> bool:
        """Adds or overwrites a row at the end of an authorization."""
        if expected_grant is None:
            return await self.insert(record)
        below = record.grant.generation - 1 if record.grant is not None else 0
        values = (
            record.public_config,
            record.sealed_config,
            to_micros(record.updated_at),
            record.status,
            *grant_values(record.grant),
            *_key(record.key),
            record.id,
            expected_grant,
            below,
        )
        return bool(await self._database.write(_SAVE_AUTHORIZED, values))

    async def take_lease(
        self, key: ConnectionKey, *, generation: int, owner: str, duration: timedelta
    ) -> Lease | None:
        """Takes the right to refresh, where it is free, by the host's clock."""
        now = self._clock.now()
        at = to_micros(now)
        values = (owner, to_micros(now + duration), *_key(key), generation, at, at)
        rows = await self._database.write(_TAKE_LEASE, values)
        return to_lease(rows[0]) if rows else None

    async def put_back_lease(
        self, key: ConnectionKey, lease: Lease, *, failures: int, retry_in: timedelta
    ) -> bool:
        """Ends a lease after a definite failure."""
        at = to_micros(self._clock.now() + retry_in)
        values = (failures, at, *_key(key), *_fence(lease))
        return bool(await self._database.write(_PUT_BACK_LEASE, values))

    async def save_verdict(self, key: ConnectionKey, lease: Lease, status: Status) -> bool:
        """Writes that the grant is dead."""
        values = (status, *_key(key), *_fence(lease))
        return bool(await self._database.write(_SAVE_VERDICT, values))

    async def save_renewed(
        self, key: ConnectionKey, *, row: str, generation: int, grant: Grant
    ) -> bool:
        """Writes a renewed grant where id and generation match."""
        values = (*grant_values(grant), *_key(key), row, generation)
        return bool(await self._database.write(_SAVE_RENEWED, values))

    async def list(
        self, scope: str, identity: str, *, after: tuple[str, str] | None, limit: int
    ) -> Sequence[ConnectionRecord]:
        """One tenant's rows in order."""
        connector, account = after or ("", "")
        rows = await self._database.read(_LIST, (scope, identity, connector, account, limit))
        return [to_connection(row) for row in rows]

    async def count(self, scope: str, identity: str) -> int:
        """How many connections one tenant has."""
        rows = await self._database.read(_COUNT, (scope, identity))
        return int(rows[0][0] or 0)

    async def count_by_connector(self) -> Mapping[str, int]:
        """How many connections each connector has."""
        rows = await self._database.read(_COUNT_BY_CONNECTOR)
        return {str(row[0]): int(row[1] or 0) for row in rows}

    async def add_authorization(
        self, pending: PendingAuthorization, *, lifetime: timedelta
    ) -> None:
        """Keeps an authorization for a while, and drops those whose time is over."""
        now = self._clock.now()
        _ = await self._database.write(_CLEAR_AUTHORIZATIONS, (to_micros(now),))
        values = (
            pending.handle_hash,
            pending.binding_hash,
            pending.id,
            *_key(pending.key),
            pending.sealed_payload,
            to_micros(now + lifetime),
        )
        _ = await self._database.write(_ADD_AUTHORIZATION, values)

    async def take_authorization(
        self, handle_hash: bytes, binding_hash: bytes
    ) -> PendingAuthorization | None:
        """Deletes and returns an authorization where both hashes match and it lives."""
        values = (handle_hash, binding_hash, to_micros(self._clock.now()))
        rows = await self._database.write(_TAKE_AUTHORIZATION, values)
        return to_authorization(rows[0]) if rows else None

    async def add_endpoint(self, endpoint: EndpointRecord) -> None:
        """Adds a webhook endpoint."""
        _ = await self._database.write(_ADD_ENDPOINT, endpoint_values(endpoint))

    async def find_endpoint(
        self, token_hash: bytes
    ) -> tuple[EndpointRecord, ConnectionRecord] | None:
        """A live endpoint with its connection."""
        values = (token_hash, to_micros(self._clock.now()))
        rows = await self._database.read(_FIND_ENDPOINT, values)
        if not rows:
            return None
        return to_endpoint(rows[0][:ENDPOINT_WIDTH]), to_connection(rows[0][ENDPOINT_WIDTH:])

    async def list_endpoints(self, key: ConnectionKey) -> Sequence[EndpointRecord]:
        """A connection's endpoints, oldest first."""
        rows = await self._database.read(_LIST_ENDPOINTS, _key(key))
        return [to_endpoint(row) for row in rows]

    async def save_endpoint_secret(
        self, key: ConnectionKey, *, endpoint: str, sealed_secret: bytes
    ) -> bool:
        """Replaces an endpoint's signing secret."""
        values = (sealed_secret, endpoint, *_key(key))
        return bool(await self._database.write(_SAVE_ENDPOINT_SECRET, values))


def _key(key: ConnectionKey) -> tuple[str, str, str, str]:
    return (key.scope, key.identity, key.connector, key.account)


def _fence(lease: Lease) -> tuple[str, int, str]:
    return (lease.row, lease.generation, lease.owner)
