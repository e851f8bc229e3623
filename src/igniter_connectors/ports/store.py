"""The database, whole."""

from __future__ import annotations

from typing import Protocol

from igniter_connectors.ports.authorizations import AuthorizationStore
from igniter_connectors.ports.connections import ConnectionStore
from igniter_connectors.ports.endpoints import EndpointStore
from igniter_connectors.ports.inbox import InboxStore
from igniter_connectors.ports.revocations import RevocationStore
from igniter_connectors.ports.routing import RoutingStore


class Store(ConnectionStore, AuthorizationStore, EndpointStore, Protocol):
    """The database, whole. `testing.store_contract` holds any implementation to all this."""

    @property
    def revocations(self) -> RevocationStore:
        """Tokens to be revoked."""
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
        """Opens what it holds and makes sure that its schema is the one this version reads."""
        ...

    async def close(self) -> None:
        """Closes it. A closed store may be opened again."""
        ...
