"""The catalogue of the registered connectors."""

from __future__ import annotations

import dataclasses

from returns.result import Failure

from igniter_connectors import value_or_raise
from igniter_connectors.flows.list_connectors import get_connector, list_connectors
from igniter_connectors.problems import ConnectorNotFound, DatabaseFailed
from tests.flows.forge import away, forge


async def test_an_entry_says_what_the_connector_has() -> None:
    """And how many connections there are."""
    made = forge()
    await made.connect()
    entry = value_or_raise(await get_connector(made.engine, "forge"))
    assert (entry.key, entry.has_oauth, entry.has_webhook) == ("forge", True, False)
    assert ([field.name for field in entry.fields], entry.connections) == (["name", "hook"], 1)
    assert await get_connector(made.engine, "none") == Failure(ConnectorNotFound("none"))


async def test_pages_are_ordered_by_key() -> None:
    """The last page has no cursor."""
    made = forge()
    connectors = dict.fromkeys(("c", "a", "b"), made.connector)
    engine = dataclasses.replace(made.engine, connectors=connectors)
    first = value_or_raise(await list_connectors(engine, limit=2, after=None))
    assert ([one.key for one in first.items], first.next) == (["a", "b"], "b")
    exact = value_or_raise(await list_connectors(engine, limit=3, after=None))
    assert ([one.key for one in exact.items], exact.next) == (["a", "b", "c"], None)
    second = value_or_raise(await list_connectors(engine, limit=2, after=first.next))
    assert ([one.key for one in second.items], second.next) == (["c"], None)


async def test_a_database_that_is_away_is_a_problem() -> None:
    """The counts come from there."""
    made = forge()
    made.store.count_by_connector = away  # type: ignore[method-assign]  # the outage
    assert await get_connector(made.engine, "forge") == Failure(DatabaseFailed())
