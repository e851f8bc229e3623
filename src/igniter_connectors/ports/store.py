"""The whole database."""

from __future__ import annotations

from typing import Protocol

from igniter_connectors.core.webhook.webhook import Transactions
from igniter_connectors.ports.authorizations import AuthorizationStore
from igniter_connectors.ports.connections import ConnectionStore
from igniter_connectors.ports.endpoints import EndpointStore
from igniter_connectors.ports.inbox import InboxStore
from igniter_connectors.ports.leases import LeaseStore
from igniter_connectors.ports.revocations import RevocationStore
from igniter_connectors.ports.routing import RoutingStore


class Store(ConnectionStore, LeaseStore, AuthorizationStore, EndpointStore, Transactions, Protocol):
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

    async def open(self) -> None:
        """Connects, and makes sure that the schema is this version's.

        Raises:
            StoreUnavailable: the database does not answer, or has another version's schema.
        """
        ...

    async def close(self) -> None:
        """Closes all connections to the database. A closed store may be opened again."""
        ...
