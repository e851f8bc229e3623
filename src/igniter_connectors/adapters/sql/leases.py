"""Refresh leases in SQL: who may refresh a grant, and what a refresh writes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from igniter_connectors.adapters.sql.database import SqlPart
from igniter_connectors.adapters.sql.records import (
    grant_values,
    key_values,
    lease_values,
    to_connections,
    to_lease,
)
from igniter_connectors.adapters.sql.tables import ConnectionRow, LeaseRow
from igniter_connectors.core.connection.record import (
    ConnectionKey,
    ConnectionRecord,
    Grant,
    Status,
)
from igniter_connectors.core.oauth.refresh_lease import Lease


class SqlLeases(SqlPart):
    """`LeaseStore`: one statement each."""

    async def take_lease(
        self, key: ConnectionKey, *, generation: int, owner: str, duration: timedelta
    ) -> Lease | None:
        """Takes the right to refresh if it is free."""
        values = {
            **key_values(key),
            "generation": generation,
            "lease_owner": owner,
            "duration": duration,
        }
        rows = await self._database.write_returning(self._sql.leases.take, values, LeaseRow)
        return to_lease(rows[0]) if rows else None

    async def put_back_lease(
        self, key: ConnectionKey, lease: Lease, *, failures: int, retry_in: timedelta
    ) -> bool:
        """Ends a lease after a definite failure."""
        values = {**lease_values(key, lease), "failures": failures, "retry_in": retry_in}
        return await self._database.write(self._sql.leases.put_back, values) > 0

    async def release_lease(self, key: ConnectionKey, lease: Lease) -> bool:
        """Ends a lease and keeps its mark."""
        values = lease_values(key, lease)
        return await self._database.write(self._sql.leases.release, values) > 0

    async def save_grant_status(self, key: ConnectionKey, lease: Lease, status: Status) -> bool:
        """Writes that the grant is dead."""
        values = {**lease_values(key, lease), "status": status}
        return await self._database.write(self._sql.leases.save_status, values) > 0

    async def save_renewed(
        self, key: ConnectionKey, *, row: str, generation: int, grant: Grant
    ) -> bool:
        """Writes a renewed grant if row and generation match."""
        values = {
            **key_values(key),
            **grant_values(grant),
            "id": row,
            "expected_generation": generation,
        }
        return await self._database.write(self._sql.leases.save_renewed, values) > 0

    async def list_expiring(self, *, within: timedelta, limit: int) -> Sequence[ConnectionRecord]:
        """Rows of all tenants whose refresh token expires soon."""
        values = {"within": within, "row_limit": limit}
        rows = await self._database.read(self._sql.leases.list_expiring, values, ConnectionRow)
        return to_connections(rows)
