"""A store in this process's memory, for tests and trials. Nothing outlives the process."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import final

import msgspec

from igniter_connectors.adapters.memory.authorizations import MemoryAuthorizations
from igniter_connectors.adapters.memory.connections import MemoryConnections
from igniter_connectors.adapters.memory.endpoints import MemoryEndpoints
from igniter_connectors.adapters.memory.inbox import MemoryInbox
from igniter_connectors.adapters.memory.leases import MemoryLeases
from igniter_connectors.adapters.memory.revocations import MemoryRevocations
from igniter_connectors.adapters.memory.routing import MemoryRouting
from igniter_connectors.adapters.system import SystemClock
from igniter_connectors.core.webhook.webhook import WebhookCall
from igniter_connectors.ports import Clock, DeliveryLost


@final
class MemoryTransaction:
    """Records the statements of one block, because memory knows no SQL."""

    def __init__(self) -> None:
        self.statements: list[tuple[str, Sequence[object] | Mapping[str, object]]] = []

    async def execute(
        self, statement: str, parameters: Sequence[object] | Mapping[str, object] = (), /
    ) -> None:
        """Records a statement. There is no result to fetch."""
        self.statements.append((statement, parameters))


@final
class MemoryStore(MemoryConnections, MemoryLeases, MemoryAuthorizations, MemoryEndpoints):
    """Stores rows in dictionaries. No method awaits, so each is atomic for all tasks.

    Attributes:
        executed: The statements and parameters of each `transaction` that ended well, in order,
            for tests of a webhook's handler.
    """

    def __init__(self, *, clock: Clock | None = None) -> None:
        super().__init__(clock or SystemClock())
        self.executed: list[tuple[str, Sequence[object] | Mapping[str, object]]] = []
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

    @asynccontextmanager
    async def transaction(
        self, call: WebhookCall[msgspec.Struct, object, object]
    ) -> AsyncGenerator[MemoryTransaction, None]:
        """Completes the webhook's event at the end of the block, and records its statements.

        Raises:
            DeliveryLost: another process has the event, or it was completed.
        """
        if not self._inbox.is_latest(call.delivery):
            raise DeliveryLost
        transaction = MemoryTransaction()
        yield transaction
        if not await self._inbox.complete(call.delivery):
            raise DeliveryLost
        self.executed.extend(transaction.statements)

    async def open(self) -> None:
        """Does nothing."""

    async def close(self) -> None:
        """Does nothing: the rows stay until the object is deleted."""
