"""One tenant, as an application addresses it."""

from __future__ import annotations

from typing import Generic, final, overload

import msgspec
from returns.result import Result
from typing_extensions import TypeVar

from igniter_connectors.core.connection.record import DEFAULT_ACCOUNT, ConnectionKey
from igniter_connectors.core.connection.view import ConnectionSummary
from igniter_connectors.core.connector.definition import (
    ConfigConnector,
    Definition,
    OAuthConnector,
)
from igniter_connectors.core.pagination import PAGE_SIZE, Page
from igniter_connectors.core.problem import (
    AccountInvalid,
    BuildInvalid,
    ConnectorError,
    DatabaseFailed,
    WrongWiring,
)
from igniter_connectors.core.scope import Scope
from igniter_connectors.core.storable_text import is_storable
from igniter_connectors.flows.connections import read_connection
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.event_bus import Subscriber, Subscription
from igniter_connectors.manager.at import AtConfig
from igniter_connectors.manager.at_oauth import AtOAuth

Ctx = TypeVar("Ctx")
T = TypeVar("T", bound=msgspec.Struct)
K_contra = TypeVar("K_contra", bound=msgspec.Struct, contravariant=True)


def require_registered(engine: Engine, connector: object) -> None:
    """Checks that a value is one of the manager's connectors, not only equal to one.

    Raises:
        WrongWiring: it is not.
    """
    if not isinstance(connector, Definition):
        kind = type(connector).__name__
        raise WrongWiring(BuildInvalid(f"a {kind} is no connector; find(key) finds one by its key"))
    if engine.connectors.get(connector.key) is not connector:
        raise WrongWiring(BuildInvalid(f"{connector.key!r} is not a connector of this manager"))


@final
class Scoped(Generic[K_contra]):
    """One tenant.

    To a type checker, a Scoped of more connectors is also a Scoped of fewer.
    """

    __slots__ = ("_engine", "_tenant")

    def __init__(
        self,
        engine: Engine,
        tenant: Scope,
    ) -> None:
        self._engine = engine
        self._tenant = tenant

    @overload
    def at(
        self, connector: ConfigConnector[T, Ctx, K_contra], *, account: str = ...
    ) -> AtConfig[T, Ctx]: ...
    @overload
    def at(
        self, connector: OAuthConnector[T, Ctx, K_contra], *, account: str = ...
    ) -> AtOAuth[T, Ctx]: ...
    # For a connector of either kind. It also gives the better message for a connector that is
    # not registered: without it, pyright names `OAuthConnector` as the type that does not fit.
    @overload
    def at(
        self,
        connector: ConfigConnector[T, Ctx, K_contra] | OAuthConnector[T, Ctx, K_contra],
        *,
        account: str = ...,
    ) -> AtConfig[T, Ctx] | AtOAuth[T, Ctx]: ...
    def at(
        self,
        connector: ConfigConnector[T, Ctx, K_contra] | OAuthConnector[T, Ctx, K_contra],
        *,
        account: str = DEFAULT_ACCOUNT,
    ) -> AtConfig[T, Ctx] | AtOAuth[T, Ctx]:
        """This tenant at a connector, whether or not it is connected.

        Args:
            connector: A connector of this manager.
            account: The tenant's account at the connector: 1 to 255 printable characters.

        Raises:
            WrongWiring: the connector is not registered. Type checkers refuse that too.
            ConnectorError: the account cannot be stored (`AccountInvalid`).
        """
        require_registered(self._engine, connector)
        if not account or not is_storable(account):
            raise ConnectorError(AccountInvalid(connector.key))
        key = ConnectionKey(self._tenant.kind, self._tenant.identity, connector.key, account)
        if isinstance(connector, OAuthConnector):
            return AtOAuth(self._engine, connector, self._tenant, key)
        return AtConfig(self._engine, connector, self._tenant, key)

    async def list(
        self, *, limit: int = PAGE_SIZE, after: str | None = None
    ) -> Result[Page[ConnectionSummary], DatabaseFailed]:
        """This tenant's connections, ordered by connector and account, with masked secrets.

        Args:
            limit: 1 to 1,000.
            after: The `next` of the previous page; None for the first page.
        """
        return await read_connection.list_connections(
            self._engine, self._tenant, limit=limit, after=after
        )

    async def count(self) -> Result[int, DatabaseFailed]:
        """The number of this tenant's connections."""
        return await read_connection.count_connections(self._engine, self._tenant)

    def subscribe(self, handler: Subscriber) -> Subscription:
        """Calls the handler for each event of this tenant until the subscription is cancelled."""
        tenant = (self._tenant.kind, self._tenant.identity)
        return self._engine.event_bus.subscribe(handler, tenant=tenant)
