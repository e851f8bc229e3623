"""What the parts of the store in memory share."""

from __future__ import annotations

from datetime import datetime

from igniter_connectors.adapters.memory.revocations import MemoryRevocations
from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.oauth.state import PendingAuthorization
from igniter_connectors.core.webhook.endpoint import EndpointRecord
from igniter_connectors.ports import Clock


class MemoryTables:
    """The store's dictionaries. No method awaits, so each is atomic for all tasks.

    `_lease_ends`, in monotonic seconds, and `_lease_marks`, the mark before the lease, are by a
    row's id; a tombstone is when its row was disconnected, and the id that it has for the grant;
    a pending authorization comes with its expiry.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rows: dict[ConnectionKey, ConnectionRecord] = {}
        self._tombstones: dict[ConnectionKey, tuple[datetime, str]] = {}
        self._lease_ends: dict[str, float] = {}
        self._lease_marks: dict[str, bool] = {}
        self._pending: dict[bytes, tuple[datetime, PendingAuthorization]] = {}
        self._endpoints: dict[bytes, EndpointRecord] = {}
        self._revocations = MemoryRevocations(clock, self._rows, self._pending)

    def _of_generation(
        self, key: ConnectionKey, row: str, generation: int
    ) -> ConnectionRecord | None:
        """The row with this id, if its grant has this generation."""
        record = self._rows.get(key)
        if record is None or record.id != row or record.grant is None:
            return None
        return record if record.grant.generation == generation else None
