"""Rows of connections in memory, and how a grant ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from igniter_connectors.adapters.memory.tables import MemoryTables
from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.oauth.revocation import RevocationRequest, revocation_of
from igniter_connectors.ports import ConfigChange


class MemoryConnections(MemoryTables):
    """`ConnectionStore` in dictionaries."""

    async def find(self, key: ConnectionKey) -> ConnectionRecord | None:
        """The row, or None."""
        return self._rows.get(key)

    async def last_grant(self, key: ConnectionKey) -> str | None:
        """The id of the grant in the row or its tombstone."""
        record = self._rows.get(key)
        if record is not None:
            return record.grant.grant_id if record.grant is not None else None
        return self._tombstones.get(key, (None, None))[1]

    async def insert(self, record: ConnectionRecord) -> bool:
        """Adds a row, also in a tombstone's place; False if the key has a row."""
        if self._rows.setdefault(record.key, record) is not record:
            return False
        _ = self._tombstones.pop(record.key, None)
        return True

    async def replace_config(self, key: ConnectionKey, change: ConfigChange) -> bool:
        """Writes the config if row and version match."""
        record = self._rows.get(key)
        if record is None or (record.id, record.version) != (change.row, change.version):
            return False
        self._rows[key] = _with_config(record, change)
        return True

    async def set_enabled(self, key: ConnectionKey, *, enabled: bool, now: datetime) -> bool:
        """Switches a connection; False if there is none."""
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
        change: ConfigChange,
        *,
        grant_id: str,
        revocation: RevocationRequest | None,
    ) -> bool:
        """Writes the config and ends the grant if row and version match."""
        record = self._rows.get(key)
        if record is None or record.grant is None:
            return False
        if (record.id, record.version) != (change.row, change.version):
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
            _with_config(record, change),
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
        """Removes a row and its endpoints; a grant leaves a tombstone."""
        for token_hash in [h for h, one in self._endpoints.items() if one.key == key]:
            del self._endpoints[token_hash]
        record = self._rows.pop(key, None)
        if record is not None and record.grant is not None:
            self._queue_revocation(record, revocation)
            self._tombstones[key] = (now, f"{record.grant.grant_id}-ended")
        return record

    async def purge_tombstones(self, *, older_than: timedelta) -> int:
        """Deletes tombstones that no pending authorization can meet any more."""
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
        version: int | None = None,
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
        if version not in (None, known.version):
            return False
        self._queue_revocation(known, revocation)
        self._rows[record.key] = replace(
            record,
            version=known.version + 1,
            created_at=known.created_at,
            enabled=known.enabled,
            public_config=known.public_config if keep_config else record.public_config,
            sealed_config=known.sealed_config if keep_config else record.sealed_config,
            upstream=known.upstream if keep_config else record.upstream,
        )
        return True

    async def list(
        self, scope: str, identity: str, *, after: tuple[str, str] | None, limit: int
    ) -> Sequence[ConnectionRecord]:
        """One page of a tenant's rows, in order."""
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

    async def count(self, scope: str, identity: str) -> int:
        """How many connections one tenant has."""
        return sum((key.scope, key.identity) == (scope, identity) for key in self._rows)

    async def count_by_connector(self) -> Mapping[str, int]:
        """How many connections each connector has."""
        return Counter(key.connector for key in self._rows)

    def _queue_revocation(
        self, record: ConnectionRecord, revocation: RevocationRequest | None
    ) -> None:
        grant = record.grant
        if revocation is None or grant is None or grant.is_shared or not grant.sealed_tokens:
            return
        due_at = self._clock.now() + revocation.due_in
        if record.lease_owner is not None:
            left = self._lease_ends[record.id] - self._clock.monotonic()
            due_at = max(due_at, self._clock.now() + timedelta(seconds=left))
        self._revocations.keep(revocation_of(record, grant, id=revocation.id), due_at)


def _with_config(record: ConnectionRecord, change: ConfigChange) -> ConnectionRecord:
    return replace(
        record,
        public_config=change.public_config,
        sealed_config=change.sealed_config,
        upstream=change.upstream,
        version=change.version + 1,
        updated_at=change.now,
    )
