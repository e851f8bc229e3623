"""The one place where StoreUnavailable becomes DatabaseFailed."""

from __future__ import annotations

import pytest
from returns.result import Failure, Result, Success

from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.store_errors import or_database_failed, returns_database_failed
from igniter_connectors.problems import DatabaseFailed, NotConnected
from igniter_connectors.stores import StoreUnavailable
from tests.flows.forge import forge


@returns_database_failed
async def flow(engine: Engine, number: int, *, fails: bool) -> Result[int, NotConnected]:
    """A flow that may fail."""
    if fails:
        raise StoreUnavailable("away")
    return Success(number) if number else Failure(NotConnected("forge"))


@or_database_failed
async def plain(engine: Engine, number: int) -> int | NotConnected:
    """A flow of a hot path."""
    if not number:
        raise StoreUnavailable("away")
    return number


async def test_a_flow_returns_what_it_returns() -> None:
    """Arguments and results pass through."""
    engine = forge().engine
    assert await flow(engine, 7, fails=False) == Success(7)
    assert await flow(engine, 0, fails=False) == Failure(NotConnected("forge"))
    assert await plain(engine, 7) == 7


async def test_a_store_that_is_away_is_a_problem_and_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The reason is in the log only."""
    engine = forge().engine
    assert await flow(engine, 7, fails=True) == Failure(DatabaseFailed())
    assert await plain(engine, 0) == DatabaseFailed()
    assert caplog.text.count("the database failed: away") == 2


async def test_a_bug_is_not_hidden() -> None:
    """Every other exception is raised."""

    @returns_database_failed
    async def broken(engine: Engine) -> Result[int, NotConnected]:
        raise KeyError("bug")

    with pytest.raises(KeyError):
        await broken(forge().engine)
