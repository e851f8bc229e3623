"""The one place where a database that fails becomes a problem."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Concatenate, ParamSpec

from returns.result import Failure, Result
from typing_extensions import TypeVar

from igniter_connectors.core.problem import DatabaseFailed, Problem
from igniter_connectors.flows.engine import Engine
from igniter_connectors.ports import StoreRefused, StoreUnavailable

Params = ParamSpec("Params")
V = TypeVar("V")
P = TypeVar("P", bound=Problem)


def database_failed(engine: Engine, error: StoreUnavailable) -> DatabaseFailed:
    """Logs the error and returns the problem.

    For the two hot paths, where a decorator would cost a coroutine more: the call of an
    action, and the receipt of a webhook.
    """
    engine.logger.error("the database failed: %s", error.reason)
    return DatabaseFailed()


async def repeated(write: Callable[[], Awaitable[V]]) -> V:
    """The result of a write that may be done twice; done again if the first answer was lost.

    Raises:
        StoreUnavailable: no answer the second time either. The write may have been done.
    """
    try:
        return await write()
    except StoreRefused:
        raise
    except StoreUnavailable:
        return await write()


def returns_database_failed(
    flow: Callable[Concatenate[Engine, Params], Awaitable[Result[V, P]]],
) -> Callable[Concatenate[Engine, Params], Coroutine[object, None, Result[V, P | DatabaseFailed]]]:
    """A flow that returns `Failure(DatabaseFailed())` if the store raises `StoreUnavailable`."""

    @wraps(flow)
    async def guarded(
        engine: Engine, /, *args: Params.args, **kwargs: Params.kwargs
    ) -> Result[V, P | DatabaseFailed]:
        try:
            return await flow(engine, *args, **kwargs)
        except StoreUnavailable as error:
            return Failure(database_failed(engine, error))

    return guarded


def or_database_failed(
    flow: Callable[Concatenate[Engine, Params], Awaitable[V]],
) -> Callable[Concatenate[Engine, Params], Coroutine[object, None, V | DatabaseFailed]]:
    """As `returns_database_failed`, for a flow that returns `Value | Problem`, not a Result."""

    @wraps(flow)
    async def guarded(
        engine: Engine, /, *args: Params.args, **kwargs: Params.kwargs
    ) -> V | DatabaseFailed:
        try:
            return await flow(engine, *args, **kwargs)
        except StoreUnavailable as error:
            return database_failed(engine, error)

    return guarded
