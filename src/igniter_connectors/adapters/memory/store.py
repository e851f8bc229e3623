"""A store in this process's memory, for tests and trials. Nothing outlives the process."""

from __future__ import annotations

from typing import final

from igniter_connectors.adapters.memory.authorizations import MemoryAuthorizations
from igniter_connectors.adapters.memory.connections import MemoryConnections
from igniter_connectors.adapters.memory.endpoints import MemoryEndpoints
from igniter_connectors.adapters.memory.inbox import MemoryInbox
from igniter_connectors.adapters.memory.leases import MemoryLeases
from igniter_connectors.adapters.memory.revocations import MemoryRevocations
from igniter_connectors.adapters.memory.routing import MemoryRouting
from igniter_connectors.adapters.system import SystemClock
from igniter_connectors.ports import Clock


@final
class MemoryStore(MemoryConnections, MemoryLeases, MemoryAuthorizations, MemoryEndpoints):
    """Stores rows in dictionaries. No method awaits, so each is atomic for all tasks."""

    def __init__(self, *, clock: Clock | None = None) -> None:
        super().__init__(clock or SystemClock())
        self._inbox = MemoryInbox(self._clock, self._rows.get)
        self._routing = MemoryRouting(self._rows)

    @property
    def revocations(self) -> MemoryRevocations:
        """The queue of tokens to be revoked."""
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
        """Does nothing."""

    async def close(self) -> None:
        """Does nothing: the rows stay until the object is deleted."""
