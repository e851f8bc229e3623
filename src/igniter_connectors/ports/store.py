"""The whole database."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from igniter_connectors.core.webhook.webhook import TransactionConnection, WebhookCall
from igniter_connectors.ports.authorizations import AuthorizationStore
from igniter_connectors.ports.connections import ConnectionStore
from igniter_connectors.ports.endpoints import EndpointStore
from igniter_connectors.ports.inbox import InboxStore
from igniter_connectors.ports.leases import LeaseStore
from igniter_connectors.ports.revocations import RevocationStore
from igniter_connectors.ports.routing import RoutingStore


class Store(ConnectionStore, LeaseStore, AuthorizationStore, EndpointStore, Protocol):
    """The whole database. `testing.STORE_CONTRACT` checks an implementation."""

    @property
    def revocations(self) -> RevocationStore:
        """The queue of tokens to be revoked."""
        ...

    @property
    def inbox(self) -> InboxStore:
        """The webhook inbox."""
        ...

    @property
    def routing(self) -> RoutingStore:
        """The accounts at providers."""
        ...

    def transaction(
        self, call: WebhookCall[msgspec.Struct, object, object]
    ) -> AbstractAsyncContextManager[TransactionConnection]:
        """A transaction that completes a webhook's event together with the handler's writes.

        Raises:
            DeliveryLost: another process has the event, or it was completed.
            StoreUnavailable: the database does not answer.
        """
        ...

    async def open(self) -> None:
        """Connects, and makes sure that the schema is this version's.

        Raises:
            StoreUnavailable: the database does not answer, or has another version's schema.
        """
        ...

    async def close(self) -> None:
        """Closes all connections to the database. A closed store may be opened again."""
        ...
