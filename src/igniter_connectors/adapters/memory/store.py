"""A store in this process's memory: for tests and trials. Everything goes with the process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import final

from msgspec.structs import replace

from igniter_connectors.adapters.memory.inbox import MemoryInbox
from igniter_connectors.adapters.memory.revocations import MemoryRevocations
from igniter_connectors.adapters.memory.routing import MemoryRouting
from igniter_connectors.adapters.system import SystemClock
from igniter_connectors.core.connection.record import (
    ConnectionKey,
    ConnectionRecord,
    Grant,
    Status,
)
from igniter_connectors.core.oauth.refresh_lease import Lease
from igniter_connectors.core.oauth.revocation import RevocationRequest, revocation_of
from igniter_connectors.core.oauth.state import PendingAuthorization
from igniter_connectors.core.webhook.endpoint import EndpointRecord
from igniter_connectors.ports import Clock


@final
class MemoryStore:
    """Keeps rows in dictionaries. No method awaits, so each is one step to all tasks."""

    def __init__(self, *, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._rows: dict[ConnectionKey, ConnectionRecord] = {}
        self._pending: dict[bytes, tuple[datetime, PendingAuthorization]] = {}
        self._endpoints: dict[bytes, EndpointRecord] = {}
        self._leases: dict[str, datetime] = {}
        self._tombstones: dict[ConnectionKey, tuple[datetime, str]] = {}
        self._revocations = MemoryRevocations(self._clock, self._rows, self._pending)
        self._inbox = MemoryInbox(self._clock, self._rows.get)
        self._routing = MemoryRouting(self._rows)

    @property
    def revocations(self) -> MemoryRevocations:
        """Tokens to be revoked."""
        return self._revocations

    @property
    def routing(self) -> MemoryRouting:
        """The accounts at providers."""
        return self._routing

    @property
    def inbox(self) -> MemoryInbox:
        """The webhook inbox."""
        return self._inbox

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close; what was stored stays until the object goes."""

    async def find(self, key: ConnectionKey) -> ConnectionRecord | None:
        """The row, or None."""
        return self._rows.get(key)

    async def last_grant(self, key: ConnectionKey) -> str | None:
        """The id of the grant that the row or its tombstone names."""
        record = self._rows.get(key)
        if record is not None:
            return record.grant.grant_id if record.grant is not None else None
        return self._tombstones.get(key, (None, None))[1]

    async def insert(self, record: ConnectionRecord) -> bool:
        """Adds a row, also in a tombstone's place; False where one stands under its key."""
        if self._rows.setdefault(record.key, record) is not record:
            return False
        _ = self._tombstones.pop(record.key, None)
        return True

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
        record = self._rows.get(key)
        if record is None or (record.id, record.version) != (row, version):
            return False
        self._rows[key] = replace(
            record,
            public_config=public_config,
            sealed_config=sealed_config,
            version=version + 1,
            updated_at=now,
        )
        return True

    async def set_enabled(self, key: ConnectionKey, *, enabled: bool, now: datetime) -> bool:
        """Switches a connection; False where there is none."""
        record = self._rows.get(key)
        if record is None:
            return False
        if record.enabled != enabled:
            self._rows[key] = replace(
                record, enabled=enabled, version=record.version + 1, updated_at=now
            )
        return True

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
        record = self._rows.get(key)
        if record is None or record.grant is None or (record.id, record.version) != (row, version):
            return False
        self._queue_revocation(record, revocation)
        ended = replace(
            record.grant,
            sealed_tokens=b"",
            generation=record.grant.generation + 1,
            grant_id=grant_id,
            refresh_expires_at=None,
        )
        self._rows[key] = replace(
            record,
            public_config=public_config,
            sealed_config=sealed_config,
            version=version + 1,
            updated_at=now,
            status="config_changed",
            grant=ended,
            failures=0,
            next_attempt_at=None,
            lease_owner=None,
            unresolved=False,
        )
        return True

    async def disconnect(
        self, key: ConnectionKey, *, revocation: RevocationRequest | None, now: datetime
    ) -> ConnectionRecord | None:
        """Takes a row away, its endpoints with it; of a grant a tombstone stays."""
        for token_hash in [h for h, one in self._endpoints.items() if one.key == key]:
            del self._endpoints[token_hash]
        record = self._rows.pop(key, None)
        if record is not None and record.grant is not None:
            self._queue_revocation(record, revocation)
            self._tombstones[key] = (now, f"{record.grant.grant_id}-ended")
        return record

    async def purge_tombstones(self, *, older_than: timedelta) -> int:
        """Deletes tombstones that no pending authorization may still meet."""
        before = self._clock.now() - older_than
        ended = [key for key, (at, _) in self._tombstones.items() if at < before]
        for key in ended:
            if not await self._revocations.is_authorization_pending(key):
                del self._tombstones[key]
        return sum(key not in self._tombstones for key in ended)

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
            return record.key not in self._tombstones and await self.insert(record)
        _, ended = self._tombstones.get(record.key, (None, None))
        if ended == expected_grant:
            return await self.insert(record)
        below = record.grant.generation - 1 if record.grant is not None else 0
        known = self._of_generation(record.key, record.id, below)
        if known is None or known.grant is None or known.grant.grant_id != expected_grant:
            return False
        self._queue_revocation(known, revocation)
        self._rows[record.key] = replace(
            record,
            version=known.version + 1,
            created_at=known.created_at,
            enabled=known.enabled,
            public_config=known.public_config if keep_config else record.public_config,
            sealed_config=known.sealed_config if keep_config else record.sealed_config,
        )
        return True

    async def take_lease(
        self, key: ConnectionKey, *, generation: int, owner: str, duration: timedelta
    ) -> Lease | None:
        """Takes the right to refresh, where it is free."""
        record, now = self._rows.get(key), self._clock.now()
        if record is None or record.grant is None or record.status != "ok":
            return None
        if record.grant.generation != generation or not self._is_free(record, now):
            return None
        self._leases[record.id] = now + duration
        self._rows[key] = replace(record, lease_owner=owner, unresolved=True)
        return Lease(
            record.id,
            owner,
            record.grant.sealed_tokens,
            generation,
            record.failures,
            record.unresolved,
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
        """Writes a renewed grant where id and generation match."""
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

    async def list(
        self, scope: str, identity: str, *, after: tuple[str, str] | None, limit: int
    ) -> Sequence[ConnectionRecord]:
        """One tenant's rows in order."""
        rows = sorted(
            (
                record
                for key, record in self._rows.items()
                if (key.scope, key.identity) == (scope, identity)
                and (after is None or (key.connector, key.account) > after)
            ),
            key=lambda record: (record.key.connector, record.key.account),
        )
        return rows[:limit]

    async def list_expiring(self, *, within: timedelta, limit: int) -> Sequence[ConnectionRecord]:
        """Rows of all tenants whose refresh token lapses soon."""
        now = self._clock.now()
        lapsing = [
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
        return [record for _, _, record in sorted(lapsing, key=lambda one: one[:2])[:limit]]

    async def count(self, scope: str, identity: str) -> int:
        """How many connections one tenant has."""
        return sum((key.scope, key.identity) == (scope, identity) for key in self._rows)

    async def count_by_connector(self) -> Mapping[str, int]:
        """How many connections each connector has."""
        return Counter(key.connector for key in self._rows)

    async def add_authorization(
        self, pending: PendingAuthorization, *, lifetime: timedelta
    ) -> None:
        """Keeps an authorization for a while, and drops those whose time is over."""
        now = self._clock.now()
        for handle_hash in [h for h, kept in self._pending.items() if kept[0] <= now]:
            del self._pending[handle_hash]
        self._pending[pending.handle_hash] = (now + lifetime, pending)

    async def take_authorization(
        self, handle_hash: bytes, binding_hash: bytes
    ) -> PendingAuthorization | None:
        """Deletes and returns an authorization where both hashes match and it lives."""
        kept = self._pending.get(handle_hash)
        if kept is None or kept[1].binding_hash != binding_hash or kept[0] <= self._clock.now():
            return None
        del self._pending[handle_hash]
        return kept[1]

    async def add_endpoint(self, endpoint: EndpointRecord) -> None:
        """Adds a webhook endpoint."""
        self._endpoints[endpoint.token_hash] = endpoint

    async def find_endpoint(
        self, token_hash: bytes
    ) -> tuple[EndpointRecord, ConnectionRecord] | None:
        """A live endpoint with its connection."""
        endpoint = self._endpoints.get(token_hash)
        if endpoint is None:
            return None
        if endpoint.valid_until is not None and endpoint.valid_until <= self._clock.now():
            return None
        record = self._rows.get(endpoint.key)
        if record is None or record.id != endpoint.connection_id:
            return None
        if endpoint.previous_until is not None and endpoint.previous_until <= self._clock.now():
            endpoint = replace(endpoint, sealed_previous=None, previous_until=None)
        return endpoint, record

    async def list_endpoints(self, key: ConnectionKey) -> Sequence[EndpointRecord]:
        """A connection's endpoints, oldest first."""
        return [one for one in self._endpoints.values() if one.key == key]

    async def save_endpoint_secret(
        self,
        key: ConnectionKey,
        *,
        endpoint: str,
        sealed_secret: bytes,
        overlap: timedelta = timedelta(0),
    ) -> bool:
        """Replaces an endpoint's signing secret."""
        token_hash = self._endpoint_of(key, endpoint)
        if token_hash is None:
            return False
        known = self._endpoints[token_hash]
        self._endpoints[token_hash] = replace(
            known,
            sealed_secret=sealed_secret,
            sealed_previous=known.sealed_secret if overlap else None,
            previous_until=self._clock.now() + overlap if overlap else None,
        )
        return True

    async def retire_endpoint(
        self, key: ConnectionKey, *, endpoint: str, overlap: timedelta
    ) -> bool:
        """Ends an endpoint after the overlap."""
        token_hash = self._endpoint_of(key, endpoint)
        if token_hash is None:
            return False
        known, end = self._endpoints[token_hash], self._clock.now() + overlap
        if known.valid_until is None or known.valid_until > end:
            self._endpoints[token_hash] = replace(known, valid_until=end)
        return True

    def _endpoint_of(self, key: ConnectionKey, endpoint: str) -> bytes | None:
        known = self._endpoints.values()
        return next((e.token_hash for e in known if e.key == key and e.id == endpoint), None)

    def _is_free(self, record: ConnectionRecord, now: datetime) -> bool:
        is_held = record.lease_owner is not None and self._leases[record.id] > now
        is_early = record.next_attempt_at is not None and record.next_attempt_at > now
        return not is_held and not is_early

    def _queue_revocation(
        self, record: ConnectionRecord, revocation: RevocationRequest | None
    ) -> None:
        grant = record.grant
        if revocation is None or grant is None or grant.is_shared or not grant.sealed_tokens:
            return
        due_at = self._clock.now() + revocation.due_in
        if record.lease_owner is not None:
            due_at = max(due_at, self._leases[record.id])
        self._revocations.keep(revocation_of(record, grant, id=revocation.id), due_at)

    def _leased(self, key: ConnectionKey, lease: Lease) -> ConnectionRecord | None:
        record = self._of_generation(key, lease.row, lease.generation)
        return record if record is not None and record.lease_owner == lease.owner else None

    def _of_generation(
        self, key: ConnectionKey, row: str, generation: int
    ) -> ConnectionRecord | None:
        record = self._rows.get(key)
        if record is None or record.id != row or record.grant is None:
            return None
        return record if record.grant.generation == generation else None
