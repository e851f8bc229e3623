"""The one permission check of every route that a person uses."""

from __future__ import annotations

from returns.result import Failure, Result, Success

from igniter_connectors.core.principal import Operation, Permit, Principal
from igniter_connectors.core.problem import (
    AccessProblem,
    PrincipalRequired,
    RequestRefused,
    RouteFailed,
    ScopeInvalid,
)
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.report_error import report_route_failure


async def check_access(
    engine: Engine,
    principal: Principal | None,
    operation: Operation,
    connector: str,
    permit: Permit | None,
) -> Result[Principal, AccessProblem]:
    """The principal, if somebody is signed in and the application permits the operation.

    Args:
        engine: The engine.
        principal: Who is signed in; None if nobody is.
        operation: What the route does.
        connector: The connector's key as the request names it; "" for lists.
        permit: The application's rule; None permits everything.

    Returns:
        The principal, or
        - `PrincipalRequired`: nobody is signed in.
        - `ScopeInvalid`: the principal's kind of tenant is not registered.
        - `RequestRefused`: `permit` did not return True.
        - `RouteFailed`: `permit` raised, or the principal is of another type.
    """
    if principal is None:
        return Failure(PrincipalRequired())
    given: object = principal
    if not isinstance(given, Principal):
        engine.logger.error(
            "the principal hook must return a Principal or None, and returned %s",
            type(given).__name__,
        )
        return Failure(RouteFailed())
    if principal.tenant.kind not in engine.scopes:
        return Failure(ScopeInvalid(principal.tenant.kind, "no such kind of tenant is registered"))
    if permit is None:
        return Success(principal)
    try:
        is_permitted = await permit(principal, operation, connector)
    except Exception as error:
        return Failure(report_route_failure(engine, error, where="permit", connector=connector))
    # A hook that forgets its `await` or its `return` must not open the route.
    if is_permitted is not True:
        verdict: object = is_permitted
        if verdict is not False:
            engine.logger.error(
                "permit must return True or False, and returned %s", type(verdict).__name__
            )
        return Failure(RequestRefused("the application does not permit this"))
    return Success(principal)
