"""Access control: who is calling, for which tenant, and what the application permits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal, Never, TypeAlias, final

import msgspec
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from igniter_connectors.core.http.same_origin import judge_same_origin
from igniter_connectors.core.principal import Principal
from igniter_connectors.core.problem import (
    PrincipalRequired,
    RequestRefused,
    ScopeIdentifierRequired,
    ScopeInvalid,
)
from igniter_connectors.manager.connectors import Connectors
from igniter_connectors.manager.scoped import Scoped
from igniter_connectors.web.responses import WebRequest, as_request, value_of

Operation = Literal[
    "read", "connect", "update", "disconnect", "enable", "disable", "action", "authorize"
]
Connection = ASGIConnection[Any, object, object, State]
PrincipalOf = Callable[[Connection], Awaitable[Principal | None]]
Permit = Callable[[Principal, Operation, str], Awaitable[bool]]

CallerProblem = PrincipalRequired | RequestRefused | ScopeInvalid | ScopeIdentifierRequired

_OPERATION: Final = "igniter_connectors_operation"


class Caller(msgspec.Struct, frozen=True):
    """The signed-in person, and the tenant that they act for."""

    principal: Principal
    tenant: Scoped[Never]


@final
class AccessControl:
    """Asks the application who is calling, and refuses other sites and forbidden operations."""

    def __init__(
        self,
        connectors: Connectors[Any, Any],
        principal: PrincipalOf | None,
        permit: Permit | None,
    ) -> None:
        self._connectors = connectors
        self._principal = principal
        self._permit = permit

    async def principal(self, request: WebRequest) -> Principal | None:
        """Who is signed in. None if nobody is, or if the application gave no hook."""
        return None if self._principal is None else await self._principal(request)

    async def caller(
        self, request: WebRequest, operation: Operation, connector: str
    ) -> Result[Caller, CallerProblem]:
        """The caller, if they may do this.

        Args:
            request: An unsafe method must come from the application's own pages.
            operation: What the route does.
            connector: The key of the connector; "" for lists.

        Returns:
            The caller, or
            - `RequestRefused`: another site sent the request, or `permit` returned False.
            - `PrincipalRequired`: nobody is signed in.
            - `ScopeInvalid`, `ScopeIdentifierRequired`: the principal names no usable tenant.
        """
        if request.method not in ("GET", "HEAD"):
            refused = judge_same_origin(as_request(request, ""), self._connectors.base())
            if refused is not None:
                return Failure(refused)
        principal = await self.principal(request)
        if principal is None:
            return Failure(PrincipalRequired())
        if self._permit is not None and not await self._permit(principal, operation, connector):
            return Failure(RequestRefused("the application does not permit this"))
        scoped = self._connectors.tenant(principal.tenant.kind, principal.tenant.identity)
        if not is_successful(scoped):
            return Failure(scoped.failure())
        return Success(Caller(principal, scoped.unwrap()))


# Litestar does not look into the dependencies: they are what our own providers return.
ConnectorsDependency: TypeAlias = NamedDependency[SkipValidation[Connectors[Any, Any]]]
AccessDependency: TypeAlias = NamedDependency[SkipValidation[AccessControl]]
CallerDependency: TypeAlias = NamedDependency[SkipValidation[Caller]]


def requires(operation: Operation) -> dict[str, Operation]:
    """The `opt` of a route handler: the operation that `find_caller` asks permission for."""
    return {_OPERATION: operation}


async def find_caller(request: WebRequest, access: AccessDependency) -> Caller:
    """A dependency: the caller of a route that declares `opt=requires(…)`."""
    operation: Operation = request.route_handler.opt[_OPERATION]
    return value_of(await access.caller(request, operation, request.path_params.get("key", "")))
