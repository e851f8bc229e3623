"""The one place where a database that fails becomes a problem."""

from __future__ import annotations

from collections.abc import Awaitable

from returns.result import Failure, Result
from typing_extensions import TypeVar

from igniter_connectors.core.problem import DatabaseFailed, Problem
from igniter_connectors.flows.engine import Engine
from igniter_connectors.ports import StoreUnavailable

V = TypeVar("V")
P = TypeVar("P", bound=Problem)


async def guarded(engine: Engine, work: Awaitable[Result[V, P]]) -> Result[V, P | DatabaseFailed]:
    """What the work returns, or `DatabaseFailed` where the store did not answer."""
    try:
        return await work
    except StoreUnavailable as error:
        engine.logger.error("the database failed: %s", error.reason)
        return Failure(DatabaseFailed())
