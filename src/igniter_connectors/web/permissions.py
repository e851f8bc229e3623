"""Access control: who is calling, for which tenant, and what the application permits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, Never, TypeAlias, final

import msgspec
from litestar.connection import ASGIConnection, Request
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import SkipValidation

from igniter_connectors.core.http.messages import HttpRequest
from igniter_connectors.core.http.same_origin import judge_same_origin
from igniter_connectors.core.principal import Operation, Permit, Principal
from igniter_connectors.core.problem import AccessProblem, ScopeProblem
from igniter_connectors.manager.connectors import Connectors
from igniter_connectors.manager.scoped import Scoped
from igniter_connectors.web.responses import Refusal, WebRequest, is_client_error, value_of

Connection = ASGIConnection[Any, object, object, State]
PrincipalOf = Callable[[Connection], Awaitable[Principal | None]]

CallerProblem = AccessProblem | ScopeProblem
"""What every route may answer."""

_OPERATION: Final = "igniter_connectors_operation"
_CALLER: Final = "igniter_connectors_caller"


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

    async def guard(self, connection: Connection, handler: BaseRouteHandler) -> None:
        """Litestar's guard of every route: it runs before the body and the query are read.

        The handler has to declare `opt=requires(…)`. The route finds its caller with
        `find_caller`.

        Raises:
            Refusal: another site sent the request, nobody is signed in, the principal names no
                usable tenant, or `permit` refused.
        """
        assert isinstance(connection, Request)  # no route here is a websocket
        if connection.method == "OPTIONS":
            return  # Litestar's own handler: it lists the methods, and calls nothing of ours
        operation: Operation = handler.opt[_OPERATION]
        if connection.method not in ("GET", "HEAD"):
            headers = tuple(connection.headers.multi_items())
            received = HttpRequest(connection.method, "", headers)
            refused = judge_same_origin(received, self._connectors.base())
            if refused is not None:
                raise Refusal(refused)
        principal = await self._who(connection)
        caller = await self.require(principal, operation, connection.path_params.get("key", ""))
        connection.scope["state"][_CALLER] = caller

    async def require(
        self, principal: Principal | None, operation: Operation, connector: str
    ) -> Caller:
        """The caller, if they may do this.

        Raises:
            Refusal: with a `CallerProblem`.
        """
        tenant = await self._connectors.check_access(
            principal, operation, connector, permit=self._permit
        )
        scoped = value_of(tenant)
        assert principal is not None  # `check_access` returned a tenant
        return Caller(principal, scoped)

    async def _who(self, connection: Connection) -> Principal | None:
        """Who is signed in. None if nobody is, or if the application gave no hook."""
        if self._principal is None:
            return None
        try:
            return await self._principal(connection)
        except Exception as error:
            if is_client_error(error):
                raise  # the application's own answer, such as 401 or 403
            problem = self._connectors.report_route_failure(error, where="principal")
        raise Refusal(problem)


# Litestar does not look into the dependencies: they are what our own providers return.
ConnectorsDependency: TypeAlias = NamedDependency[SkipValidation[Connectors[Any, Any]]]
AccessDependency: TypeAlias = NamedDependency[SkipValidation[AccessControl]]
CallerDependency: TypeAlias = NamedDependency[SkipValidation[Caller]]


def requires(operation: Operation) -> dict[str, Operation]:
    """The `opt` of a route handler: the operation that the guard asks permission for."""
    return {_OPERATION: operation}


async def find_caller(request: WebRequest) -> Caller:
    """A dependency: the caller that the guard let in."""
    caller: Caller = request.scope["state"][_CALLER]
    return caller
