"""Pending authorizations in memory."""

from __future__ import annotations

from datetime import timedelta

from igniter_connectors.adapters.memory.tables import MemoryTables
from igniter_connectors.core.oauth.state import PendingAuthorization


class MemoryAuthorizations(MemoryTables):
    """`AuthorizationStore` in a dictionary."""

    async def add_authorization(
        self, pending: PendingAuthorization, *, lifetime: timedelta
    ) -> None:
        """Stores an authorization for its lifetime, and deletes those that have expired."""
        now = self._clock.now()
        for handle_hash in [h for h, kept in self._pending.items() if kept[0] <= now]:
            del self._pending[handle_hash]
        self._pending[pending.handle_hash] = (now + lifetime, pending)

    async def take_authorization(
        self, handle_hash: bytes, binding_hash: bytes
    ) -> PendingAuthorization | None:
        """Deletes and returns an authorization if both hashes match and it has not expired."""
        kept = self._pending.get(handle_hash)
        if kept is None or kept[1].binding_hash != binding_hash or kept[0] <= self._clock.now():
            return None
        del self._pending[handle_hash]
        return kept[1]
