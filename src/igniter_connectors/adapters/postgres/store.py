"""The PostgreSQL store: each method of the port as one of the statements."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import LiteralString, final

import msgspec
from psycopg import AsyncConnection

from igniter_connectors.adapters.postgres import statements as sql
from igniter_connectors.adapters.postgres.batched_endpoints import CoalescedEndpoints
from igniter_connectors.adapters.postgres.batched_reads import CoalescedReads
from igniter_connectors.adapters.postgres.connection import Address, Pooling, Row
from igniter_connectors.adapters.postgres.database import Database
from igniter_connectors.adapters.postgres.inbox import PostgresInbox, complete_values
from igniter_connectors.adapters.postgres.inbox_statements import COMPLETE
from igniter_connectors.adapters.postgres.migrate import migrate, plan
from igniter_connectors.adapters.postgres.revocations import PostgresRevocations
from igniter_connectors.adapters.postgres.routing import PostgresRouting
from igniter_connectors.adapters.postgres.rows import (
    authorization_values,
    body_values,
    endpoint_values,
    grant_values,
    key_values,
    to_authorization,
    to_connection,
    to_endpoint,
)
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
from igniter_connectors.ports import DeliveryLost


@final
class PostgresStore:
    """Connections in PostgreSQL, shared by any number of processes and hosts.

    One object for one event loop; its methods may run at once in any number of tasks. What
    decides between processes is the database's clock.

    Args:
        url: `postgresql://user:password@host/database`, or anything else that libpq reads.
        min_size: Links that are kept open.
        max_size: The most links at once. All processes together must stay below the
            server's `max_connections`.
        deadline: How long a call may take, the wait for a free link included, before it
            raises `StoreUnavailable`. Whether a write that ran out of time was done is then
            unknown.
        pooling: "transaction" where a pooler in transaction mode stands between, such as
            pgbouncer: no prepared statements, and no `statement_timeout` of ours; set one
            for the database's user instead.
    """

    def __init__(
        self,
        url: str,
        *,
        min_size: int = 2,
        max_size: int = 10,
        deadline: timedelta = timedelta(milliseconds=800),
        pooling: Pooling = "session",
    ) -> None:
        self._address = Address(url, pooling, deadline)
        self._database = Database(self._address, min_size=min_size, max_size=max_size)
        self._reads = CoalescedReads(self._database)
        self._revocations = PostgresRevocations(self._database)
        self._endpoints = CoalescedEndpoints(self._database)
        self._inbox = PostgresInbox(self._database)
        self._routing = PostgresRouting(self._database)

    @property
    def routing(self) -> PostgresRouting:
        """The accounts at providers."""
        return self._routing

    @property
    def inbox(self) -> PostgresInbox:
        """The webhook inbox."""
        return self._inbox

    async def open(self) -> None:
        """Connects, and makes sure that the schema is this version's. Changes nothing.

        Raises:
            StoreUnavailable: the database does not answer, or `migrate` has to be run.
        """
        await self._database.open()

    async def close(self) -> None:
        """Waits for writes under way, and closes every link."""
        await self._endpoints.close()
        await self._inbox.close()
        await self._database.close()

    async def migrate(self, *, within: timedelta = timedelta(minutes=5)) -> Sequence[str]:
        """Brings the schema up to date; the store need not be open.

        Safe from several processes at once: one does it, the others wait.

        Args:
            within: How long it may take before `StoreUnavailable` is raised and nothing is
                changed.

        Returns:
            The names of the migrations applied, in order; none where nothing was to do.

        Raises:
            StoreUnavailable: the database does not answer, or a newer version made its schema.
        """
        return [one.name for one in await migrate(self._address, within=within)]

    async def plan(self) -> Sequence[str]:
        """The names of the migrations that `migrate` would apply now. Changes nothing."""
        return [one.name for one in await plan(self._address)]

    @property
    def revocations(self) -> PostgresRevocations:
        """Tokens to be revoked."""
        return self._revocations

    async def find(self, key: ConnectionKey) -> ConnectionRecord | None:
        """The row, or None. Callers that wait at the same time share one query."""
        return await self._reads.find(key)

    async def last_grant(self, key: ConnectionKey) -> str | None:
        """The id of the grant that the row or its tombstone names."""
        rows = await self._read(sql.LAST_GRANT, *key_values(key))
        return rows[0][0] if rows else None

    async def insert(self, record: ConnectionRecord) -> bool:
        """Adds a row; False where one stands under its key."""
        values = (*key_values(record.key), *body_values(record))
        return bool(await self._database.write(sql.INSERT, values))

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
        values = (public_config, sealed_config, now, *key_values(key), row, version)
        return bool(await self._database.write(sql.REPLACE_CONFIG, values))

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
        values = (
            *key_values(key),
            row,
            version,
            *_handed(revocation),
            now,
            public_config,
            sealed_config,
            grant_id,
        )
        return bool(await self._database.write(sql.REPLACE_CONFIG_ENDING_GRANT, values))

    async def set_enabled(self, key: ConnectionKey, *, enabled: bool, now: datetime) -> bool:
        """Switches a connection; False where there is none."""
        values = (enabled, enabled, now, enabled, *key_values(key))
        return bool(await self._database.write(sql.SET_ENABLED, values))

    async def disconnect(
        self, key: ConnectionKey, *, revocation: RevocationRequest | None, now: datetime
    ) -> ConnectionRecord | None:
        """Takes a row away, its endpoints with it; of a grant a tombstone stays."""
        values = (*key_values(key), *key_values(key), *_handed(revocation), now)
        rows = await self._database.write(sql.DISCONNECT, values)
        return to_connection(key, rows[0]) if rows else None

    async def purge_tombstones(self, *, older_than: timedelta) -> int:
        """Deletes tombstones that no pending authorization may still meet."""
        return len(await self._database.write(sql.PURGE_TOMBSTONES, (older_than,)))

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
            values = (*key_values(record.key), *body_values(record))
            return bool(await self._database.write(sql.INSERT_FIRST, values))
        below = record.grant.generation - 1 if record.grant is not None else 0
        values = (
            *key_values(record.key),
            expected_grant,
            record.id,
            below,
            *_handed(revocation),
            record.id,
            record.updated_at,
            keep_config,
            record.public_config,
            keep_config,
            record.sealed_config,
            record.status,
            record.created_at,
            *grant_values(record.grant),
        )
        return bool(await self._database.write(sql.SAVE_AUTHORIZED, values))

    async def save_renewed(
        self, key: ConnectionKey, *, row: str, generation: int, grant: Grant
    ) -> bool:
        """Writes a renewed grant where id and generation match."""
        values = (*grant_values(grant), *key_values(key), row, generation)
        return bool(await self._database.write(sql.SAVE_RENEWED, values))

    async def take_lease(
        self, key: ConnectionKey, *, generation: int, owner: str, duration: timedelta
    ) -> Lease | None:
        """Takes the right to refresh, where it is free, by the database's clock."""
        values = (owner, duration, *key_values(key), generation)
        rows = await self._database.write(sql.TAKE_LEASE, values)
        return Lease(*rows[0]) if rows else None

    async def put_back_lease(
        self, key: ConnectionKey, lease: Lease, *, failures: int, retry_in: timedelta
    ) -> bool:
        """Ends a lease after a definite failure."""
        values = (failures, retry_in, *key_values(key), *_fence(lease))
        return bool(await self._database.write(sql.PUT_BACK_LEASE, values))

    async def release_lease(self, key: ConnectionKey, lease: Lease) -> bool:
        """Ends a lease and keeps its mark."""
        values = (*key_values(key), *_fence(lease))
        return bool(await self._database.write(sql.RELEASE_LEASE, values))

    async def save_grant_status(self, key: ConnectionKey, lease: Lease, status: Status) -> bool:
        """Writes that the grant is dead."""
        values = (status, *key_values(key), *_fence(lease))
        return bool(await self._database.write(sql.SAVE_GRANT_STATUS, values))

    async def list(
        self, scope: str, identity: str, *, after: tuple[str, str] | None, limit: int
    ) -> Sequence[ConnectionRecord]:
        """One tenant's rows in order."""
        values = (scope, identity, *(after or ("", "")), limit)
        rows = await self._read(sql.LIST, *values)
        return [
            to_connection(ConnectionKey(scope, identity, row[0], row[1]), row[2:]) for row in rows
        ]

    async def list_expiring(self, *, within: timedelta, limit: int) -> Sequence[ConnectionRecord]:
        """Rows of all tenants whose refresh token lapses soon."""
        rows = await self._read(sql.LIST_EXPIRING, within, limit)
        return [to_connection(ConnectionKey(*row[:4]), row[4:]) for row in rows]

    async def count(self, scope: str, identity: str) -> int:
        """How many connections one tenant has."""
        rows = await self._read(sql.COUNT, scope, identity)
        return int(rows[0][0])

    async def count_by_connector(self) -> Mapping[str, int]:
        """How many connections each connector has. Over all tenants: 0.1 s a million."""
        return {row[0]: row[1] for row in await self._read(sql.COUNT_BY_CONNECTOR)}

    async def add_authorization(
        self, pending: PendingAuthorization, *, lifetime: timedelta
    ) -> None:
        """Keeps an authorization for a while, and drops some whose time is over."""
        _ = await self._database.write(sql.CLEAR_AUTHORIZATIONS)
        values = (*authorization_values(pending), lifetime)
        _ = await self._database.write(sql.ADD_AUTHORIZATION, values)

    async def take_authorization(
        self, handle_hash: bytes, binding_hash: bytes
    ) -> PendingAuthorization | None:
        """Deletes and returns an authorization where both hashes match and it lives."""
        rows = await self._database.write(sql.TAKE_AUTHORIZATION, (handle_hash, binding_hash))
        return to_authorization(rows[0]) if rows else None

    async def add_endpoint(self, endpoint: EndpointRecord) -> None:
        """Adds a webhook endpoint."""
        _ = await self._database.write(sql.ADD_ENDPOINT, endpoint_values(endpoint))

    async def find_endpoint(
        self, token_hash: bytes
    ) -> tuple[EndpointRecord, ConnectionRecord] | None:
        """A live endpoint with its connection. Callers that wait together share one query."""
        return await self._endpoints.find(token_hash)

    async def list_endpoints(self, key: ConnectionKey) -> Sequence[EndpointRecord]:
        """A connection's endpoints, oldest first."""
        rows = await self._read(sql.LIST_ENDPOINTS, *key_values(key))
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
        values = (overlap, overlap, overlap, sealed_secret, *key_values(key), endpoint)
        return bool(await self._database.write(sql.SAVE_ENDPOINT_SECRET, values))

    async def retire_endpoint(
        self, key: ConnectionKey, *, endpoint: str, overlap: timedelta
    ) -> bool:
        """Ends an endpoint after the overlap."""
        values = (overlap, *key_values(key), endpoint)
        return bool(await self._database.write(sql.RETIRE_ENDPOINT, values))

    @asynccontextmanager
    async def transaction(
        self, call: WebhookCall[msgspec.Struct, object, object]
    ) -> AsyncGenerator[AsyncConnection[Row], None]:
        """A transaction that completes the webhook's event with whatever is written in it.

        For a webhook's handler, once an attempt: what it writes on this connection and the
        event's completion commit together when the block ends, or neither where it raises;
        so the event takes effect once, whatever dies meanwhile. Of all links at most half
        are in transactions at once; a statement may take as long as the deadline, unless
        it begins with `SET LOCAL statement_timeout`.

        Raises:
            DeliveryLost: another process has the event, or it was completed.
            StoreUnavailable: the database does not answer.
        """
        async with self._database.transaction() as link:
            values = complete_values(call.delivery)
            cursor = await link.execute(COMPLETE, values, binary=True)
            if await cursor.fetchone() is None:
                raise DeliveryLost
            yield link

    async def _read(self, statement: LiteralString, *values: object) -> Sequence[Row]:
        return await self._database.run(statement, values, until=self._database.until())


def _handed(revocation: RevocationRequest | None) -> tuple[str, timedelta, bool]:
    if revocation is None:
        return ("", timedelta(), False)
    return (revocation.id, revocation.due_in, True)


def _fence(lease: Lease) -> tuple[str, int, str]:
    return (lease.row, lease.generation, lease.owner)
