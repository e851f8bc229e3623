"""Who is calling, and whether they may."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal, Never, final

from litestar.connection import ASGIConnection
from litestar.datastructures import State
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
from igniter_connectors.web.responses import WebRequest, as_request

Operation = Literal[
    "read", "connect", "update", "disconnect", "enable", "disable", "action", "authorize"
]
Connection = ASGIConnection[Any, object, object, State]
PrincipalOf = Callable[[Connection], Awaitable[Principal | None]]
Permit = Callable[[Principal, Operation, str], Awaitable[bool]]

CallerProblem = PrincipalRequired | RequestRefused | ScopeInvalid | ScopeIdentifierRequired


@final
class Callers:
    """Asks the application who is calling; refuses other sites and what is not permitted."""

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
        """Who is signed in, as the application says; None for nobody, and without a hook."""
        return None if self._principal is None else await self._principal(request)

    async def tenant(
        self, request: WebRequest, operation: Operation, connector: str
    ) -> Result[tuple[Scoped[Never], Principal], CallerProblem]:
        """The tenant acted for; unsafe methods only from our own pages."""
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
        return Success((scoped.unwrap(), principal))
