"""Refresh leases in memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from igniter_connectors.adapters.memory.tables import MemoryTables
from igniter_connectors.core.connection.record import (
    ConnectionKey,
    ConnectionRecord,
    Grant,
    Status,
)
from igniter_connectors.core.oauth.refresh_lease import Lease


class MemoryLeases(MemoryTables):
    """`LeaseStore` in dictionaries."""

    async def take_lease(
        self, key: ConnectionKey, *, generation: int, owner: str, duration: timedelta
    ) -> Lease | None:
        """Takes the right to refresh if it is free."""
        record, now = self._rows.get(key), self._clock.now()
        if record is None or record.grant is None or record.status != "ok":
            return None
        is_mine = record.lease_owner == owner
        if record.grant.generation != generation or not self._is_free(record, now, owner):
            return None
        if not is_mine:
            self._lease_marks[record.id] = record.unresolved
        self._lease_ends[record.id] = self._clock.monotonic() + duration.total_seconds()
        self._rows[key] = replace(record, lease_owner=owner, unresolved=True)
        return Lease(
            record.id,
            owner,
            record.grant.sealed_tokens,
            generation,
            record.failures,
            self._lease_marks.get(record.id, True),
        )

    async def put_back_lease(
        self, key: ConnectionKey, lease: Lease, *, failures: int, retry_in: timedelta
    ) -> bool:
        """Ends a lease after a definite failure."""
        record = self._leased(key, lease)
        if record is None:
            return False
        self._rows[key] = replace(
            record,
            lease_owner=None,
            unresolved=lease.unresolved_before,
            failures=failures,
            next_attempt_at=self._clock.now() + retry_in,
        )
        return True

    async def release_lease(self, key: ConnectionKey, lease: Lease) -> bool:
        """Ends a lease and keeps its mark."""
        record = self._leased(key, lease)
        if record is None:
            return False
        self._rows[key] = replace(record, lease_owner=None)
        return True

    async def save_grant_status(self, key: ConnectionKey, lease: Lease, status: Status) -> bool:
        """Writes that the grant is dead."""
        record = self._leased(key, lease)
        if record is None:
            return False
        self._rows[key] = replace(record, status=status, lease_owner=None, unresolved=False)
        return True

    async def save_renewed(
        self, key: ConnectionKey, *, row: str, generation: int, grant: Grant
    ) -> bool:
        """Writes a renewed grant if row and generation match."""
        record = self._of_generation(key, row, generation)
        if record is None:
            return False
        self._rows[key] = replace(
            record,
            grant=grant,
            status=record.status if record.status == "config_changed" else "ok",
            failures=0,
            next_attempt_at=None,
            lease_owner=None,
            unresolved=False,
        )
        return True

    async def list_expiring(self, *, within: timedelta, limit: int) -> Sequence[ConnectionRecord]:
        """Rows of all tenants whose refresh token expires soon."""
        now = self._clock.now()
        expiring = [
            (record.grant.refresh_expires_at, record.id, record)
            for record in self._rows.values()
            if record.grant is not None
            and record.grant.refresh_expires_at is not None
            and record.grant.refresh_expires_at
            <= now + min(within, (record.grant.refresh_expires_at - record.grant.refreshed_at) / 5)
            and record.grant.refreshable
            and record.enabled
            and record.status == "ok"
            and self._is_free(record, now)
        ]
        return [record for _, _, record in sorted(expiring, key=lambda one: one[:2])[:limit]]

    def _is_free(self, record: ConnectionRecord, now: datetime, owner: str = "") -> bool:
        is_others = record.lease_owner not in (None, owner)
        is_held = is_others and self._lease_ends[record.id] > self._clock.monotonic()
        is_early = record.next_attempt_at is not None and record.next_attempt_at > now
        return not is_held and not is_early

    def _leased(self, key: ConnectionKey, lease: Lease) -> ConnectionRecord | None:
        record = self._of_generation(key, lease.row, lease.generation)
        return record if record is not None and record.lease_owner == lease.owner else None
