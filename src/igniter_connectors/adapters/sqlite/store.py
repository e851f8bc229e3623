"""The SQLite store: each method of the port as one of the statements, or a few together."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from os import PathLike, fspath
from typing import final

import aiosqlite
import msgspec
from msgspec.structs import replace

from igniter_connectors.adapters.sqlite import statements as sql
from igniter_connectors.adapters.sqlite.database import Database
from igniter_connectors.adapters.sqlite.inbox import COMPLETE, SQLiteInbox, complete_values
from igniter_connectors.adapters.sqlite.revocations import SQLiteRevocations
from igniter_connectors.adapters.sqlite.routing import SQLiteRouting
from igniter_connectors.adapters.sqlite.rows import (
    ENDPOINT_WIDTH,
    Value,
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
from igniter_connectors.core.connection.record import (
    ConnectionKey,
    ConnectionRecord,
    Grant,
    Status,
)
from igniter_connectors.core.oauth.refresh_lease import Lease
from igniter_connectors.core.oauth.revocation import RevocationRequest
from igniter_connectors.core.oauth.state import PendingAuthorization
from igniter_connectors.core.webhook.endpoint import EndpointRecord
from igniter_connectors.core.webhook.webhook import WebhookCall
from igniter_connectors.ports import Clock, DeliveryLost


@final
class SQLiteStore:
    """Connections in one SQLite file, made when it is not there.

    For one host. Several processes may share the file; instants that decide anything
    shared are the host's. `":memory:"` keeps nothing and is one process's alone.
    """

    def __init__(self, path: str | PathLike[str], *, clock: Clock | None = None) -> None:
        self._database = Database(fspath(path))
        self._clock = clock or SystemClock()
        self._revocations = SQLiteRevocations(self._database, self._clock)
        self._inbox = SQLiteInbox(self._database, self._clock)
        self._routing = SQLiteRouting(self._database)

    @property
    def revocations(self) -> SQLiteRevocations:
        """Tokens to be revoked."""
        return self._revocations

    @property
    def routing(self) -> SQLiteRouting:
        """The accounts at providers."""
        return self._routing

    @property
    def inbox(self) -> SQLiteInbox:
        """The webhook inbox."""
        return self._inbox

    async def open(self) -> None:
        """Opens the file, and makes or updates its schema."""
        await self._database.open()

    async def close(self) -> None:
        """Closes the file."""
        await self._database.close()

    async def find(self, key: ConnectionKey) -> ConnectionRecord | None:
        """The row, or None."""
        rows = await self._database.read(sql.FIND, _key(key))
        return to_connection(rows[0]) if rows else None

    async def last_grant(self, key: ConnectionKey) -> str | None:
        """The id of the grant that the row or its tombstone names."""
        rows = await self._database.read(sql.LAST_GRANT, _key(key))
        return None if not rows or rows[0][0] is None else str(rows[0][0])

    async def insert(self, record: ConnectionRecord) -> bool:
        """Adds a row, also in a tombstone's place; False where one stands under its key."""
        return bool(await self._database.write(sql.INSERT, connection_values(record)))

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
        return bool(await self._database.write(sql.REPLACE_CONFIG, values))

    async def set_enabled(self, key: ConnectionKey, *, enabled: bool, now: datetime) -> bool:
        """Switches a connection; False where there is none."""
        wanted = int(enabled)
        values = (wanted, wanted, to_micros(now), wanted, *_key(key))
        return bool(await self._database.write(sql.SET_ENABLED, values))

    async def replace_config_ending_grant(
        self,
        key: ConnectionKey,
        *,
        row: str,
        version: int,
        public_config: bytes,
        sealed_config: bytes,
        now: datetime,
        grant_id: str,
        revocation: RevocationRequest | None,
    ) -> bool:
        """Writes the config and ends the grant, where id and version match."""
        found = (*_key(key), row, version)
        values = (to_micros(now), public_config, sealed_config, grant_id, *found)
        *_, rows = await self._database.write_together(
            *self._queue_revocation(revocation, sql.OF_VERSION, found),
            (sql.REPLACE_CONFIG_ENDING_GRANT, values),
        )
        return bool(rows)

    async def disconnect(
        self, key: ConnectionKey, *, revocation: RevocationRequest | None, now: datetime
    ) -> ConnectionRecord | None:
        """Takes a row away, its endpoints with it; of a grant a tombstone stays."""
        found, *_ = await self._database.write_together(
            (sql.FIND, _key(key)),
            *self._queue_revocation(revocation, "", _key(key)),
            (sql.DELETE_ENDPOINTS, _key(key)),
            (sql.DELETE_WITHOUT_GRANT, _key(key)),
            (sql.LEAVE_TOMBSTONE, (to_micros(now), *_key(key))),
        )
        return to_connection(found[0]) if found else None

    async def purge_tombstones(self, *, older_than: timedelta) -> int:
        """Deletes tombstones that no pending authorization may still meet."""
        before = to_micros(self._clock.now() - older_than)
        return len(await self._database.write(sql.PURGE_TOMBSTONES, (before,)))

    async def save_authorized(
        self,
        record: ConnectionRecord,
        *,
        expected_grant: str | None,
        revocation: RevocationRequest | None = None,
        keep_config: bool = False,
    ) -> bool:
        """Adds or overwrites a row at the end of an authorization."""
        if expected_grant is None:
            values = connection_values(record)
            return bool(await self._database.write(sql.INSERT_FIRST, values))
        below = record.grant.generation - 1 if record.grant is not None else 0
        found = (*_key(record.key), expected_grant, record.id, below)
        values = (
            record.id,
            to_micros(record.updated_at),
            int(keep_config),
            record.public_config,
            int(keep_config),
            record.sealed_config,
            to_micros(record.created_at),
            record.status,
            *grant_values(record.grant),
            *found,
        )
        *_, rows = await self._database.write_together(
            *self._queue_revocation(revocation, sql.OF_GRANT, found),
            (sql.SAVE_AUTHORIZED, values),
        )
        return bool(rows)

    async def take_lease(
        self, key: ConnectionKey, *, generation: int, owner: str, duration: timedelta
    ) -> Lease | None:
        """Takes the right to refresh, where it is free, by the host's clock."""
        now = self._clock.now()
        at = to_micros(now)
        values = (owner, to_micros(now + duration), *_key(key), generation, at, at)
        rows = await self._database.write(sql.TAKE_LEASE, values)
        return to_lease(rows[0]) if rows else None

    async def put_back_lease(
        self, key: ConnectionKey, lease: Lease, *, failures: int, retry_in: timedelta
    ) -> bool:
        """Ends a lease after a definite failure."""
        at = to_micros(self._clock.now() + retry_in)
        values = (failures, at, *_key(key), *_fence(lease))
        return bool(await self._database.write(sql.PUT_BACK_LEASE, values))

    async def release_lease(self, key: ConnectionKey, lease: Lease) -> bool:
        """Ends a lease and keeps its mark."""
        values = (*_key(key), *_fence(lease))
        return bool(await self._database.write(sql.RELEASE_LEASE, values))

    async def save_grant_status(self, key: ConnectionKey, lease: Lease, status: Status) -> bool:
        """Writes that the grant is dead."""
        values = (status, *_key(key), *_fence(lease))
        return bool(await self._database.write(sql.SAVE_GRANT_STATUS, values))

    async def save_renewed(
        self, key: ConnectionKey, *, row: str, generation: int, grant: Grant
    ) -> bool:
        """Writes a renewed grant where id and generation match."""
        values = (*grant_values(grant), *_key(key), row, generation)
        return bool(await self._database.write(sql.SAVE_RENEWED, values))

    async def list(
        self, scope: str, identity: str, *, after: tuple[str, str] | None, limit: int
    ) -> Sequence[ConnectionRecord]:
        """One tenant's rows in order."""
        connector, account = after or ("", "")
        rows = await self._database.read(sql.LIST, (scope, identity, connector, account, limit))
        return [to_connection(row) for row in rows]

    async def list_expiring(self, *, within: timedelta, limit: int) -> Sequence[ConnectionRecord]:
        """Rows of all tenants whose refresh token lapses soon."""
        now = self._clock.now()
        at = to_micros(now)
        values = (to_micros(now + within), at, at, at, limit)
        return [to_connection(row) for row in await self._database.read(sql.LIST_EXPIRING, values)]

    async def count(self, scope: str, identity: str) -> int:
        """How many connections one tenant has."""
        rows = await self._database.read(sql.COUNT, (scope, identity))
        return int(rows[0][0] or 0)

    async def count_by_connector(self) -> Mapping[str, int]:
        """How many connections each connector has."""
        rows = await self._database.read(sql.COUNT_BY_CONNECTOR)
        return {str(row[0]): int(row[1] or 0) for row in rows}

    async def add_authorization(
        self, pending: PendingAuthorization, *, lifetime: timedelta
    ) -> None:
        """Keeps an authorization for a while, and drops those whose time is over."""
        now = self._clock.now()
        _ = await self._database.write(sql.CLEAR_AUTHORIZATIONS, (to_micros(now),))
        values = (
            pending.handle_hash,
            pending.binding_hash,
            pending.id,
            *_key(pending.key),
            pending.sealed_payload,
            to_micros(now + lifetime),
        )
        _ = await self._database.write(sql.ADD_AUTHORIZATION, values)

    async def take_authorization(
        self, handle_hash: bytes, binding_hash: bytes
    ) -> PendingAuthorization | None:
        """Deletes and returns an authorization where both hashes match and it lives."""
        values = (handle_hash, binding_hash, to_micros(self._clock.now()))
        rows = await self._database.write(sql.TAKE_AUTHORIZATION, values)
        return to_authorization(rows[0]) if rows else None

    async def add_endpoint(self, endpoint: EndpointRecord) -> None:
        """Adds a webhook endpoint."""
        _ = await self._database.write(sql.ADD_ENDPOINT, endpoint_values(endpoint))

    async def find_endpoint(
        self, token_hash: bytes
    ) -> tuple[EndpointRecord, ConnectionRecord] | None:
        """A live endpoint with its connection."""
        now = self._clock.now()
        rows = await self._database.read(sql.FIND_ENDPOINT, (token_hash, to_micros(now)))
        if not rows:
            return None
        endpoint = to_endpoint(rows[0][:ENDPOINT_WIDTH])
        if endpoint.previous_until is not None and endpoint.previous_until <= now:
            endpoint = replace(endpoint, sealed_previous=None, previous_until=None)
        return endpoint, to_connection(rows[0][ENDPOINT_WIDTH:])

    async def list_endpoints(self, key: ConnectionKey) -> Sequence[EndpointRecord]:
        """A connection's endpoints, oldest first."""
        rows = await self._database.read(sql.LIST_ENDPOINTS, _key(key))
        return [to_endpoint(row) for row in rows]

    async def save_endpoint_secret(
        self,
        key: ConnectionKey,
        *,
        endpoint: str,
        sealed_secret: bytes,
        overlap: timedelta = timedelta(0),
    ) -> bool:
        """Replaces an endpoint's signing secret."""
        until = to_micros(self._clock.now() + overlap) if overlap else None
        values = (until, sealed_secret, endpoint, *_key(key))
        return bool(await self._database.write(sql.SAVE_ENDPOINT_SECRET, values))

    async def retire_endpoint(
        self, key: ConnectionKey, *, endpoint: str, overlap: timedelta
    ) -> bool:
        """Ends an endpoint after the overlap."""
        values = (to_micros(self._clock.now() + overlap), endpoint, *_key(key))
        return bool(await self._database.write(sql.RETIRE_ENDPOINT, values))

    @asynccontextmanager
    async def transaction(
        self, call: WebhookCall[msgspec.Struct, object, object]
    ) -> AsyncGenerator[aiosqlite.Connection, None]:
        """A transaction that completes the webhook's event with whatever is written in it.

        For a webhook's handler, once an attempt: what it writes on this connection and the
        event's completion commit together when the block ends, or neither where it raises;
        so the event takes effect once. Everybody else's writes wait meanwhile: call nobody
        inside, this library included.

        Raises:
            DeliveryLost: another process has the event, or it was completed.
            StoreUnavailable: the file cannot be written, or is ":memory:", which has one
                connection alone.
        """
        async with self._database.transaction() as connection:
            values = complete_values(call.delivery, self._clock.now())
            if not list(await connection.execute_fetchall(COMPLETE, values)):
                raise DeliveryLost
            yield connection

    def _queue_revocation(
        self, revocation: RevocationRequest | None, condition: str, found: tuple[Value, ...]
    ) -> tuple[tuple[str, tuple[Value, ...]], ...]:
        if revocation is None:
            return ()
        due_at = to_micros(self._clock.now() + revocation.due_in)
        return ((sql.QUEUE_REVOCATION + condition, (revocation.id, due_at, *found)),)


def _key(key: ConnectionKey) -> tuple[str, str, str, str]:
    return (key.scope, key.identity, key.connector, key.account)


def _fence(lease: Lease) -> tuple[str, int, str]:
    return (lease.row, lease.generation, lease.owner)
