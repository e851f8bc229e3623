"""How PostgreSQL runs the inbox's statements beside 100,000 events: through an index, always."""

from __future__ import annotations

from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import psycopg
import pytest

from igniter_connectors.adapters.postgres import inbox_statements, routing
from tests.adapters.test_postgres_plans import COUNT, KEY, nodes_of, plan_of
from tests.postgres.databases import Databases
from tests.postgres.partitions import partition_every_table
from tests.postgres.population import analyze, populate, populate_beside

NOW = datetime(2026, 3, 1, tzinfo=UTC)
NEW = (*KEY, "row", "id", "evt", "order", "owner", False, 15.0, 60.0, b"h" * 32, b"sealed")
LATEST = (KEY[0], KEY[1], "id", "owner", 1)
PAUSE = timedelta(seconds=15)


def columns(row: tuple[Any, ...], count: int = 64) -> tuple[Any, ...]:
    return tuple([value] * count for value in row)


INBOX: dict[str, tuple[Any, ...]] = {
    "RECORD": NEW,
    "RECORD_MANY": columns(NEW),
    "RECORD_AND_TELL": NEW,
    "RECORD_MANY_AND_TELL": columns(NEW),
    "CLAIM": (["connector-1", "connector-2"], 32, "owner", PAUSE),
    "UNTIL_DUE": (["connector-1", "connector-2"],),
    "EXTEND": (*columns(LATEST), PAUSE),
    "GIVE_BACK": columns(LATEST),
    "GIVE_BACK_OVERLAPPING": columns(LATEST),
    "COMPLETE": (*LATEST, 60.0),
    "COMPLETE_MANY": columns((*LATEST, 60.0)),
    "RETRY": ("CODE", PAUSE, *LATEST),
    "DEAD_LETTER": ("CODE", *LATEST),
    "HOLD": LATEST,
    "RELEASE_OF": KEY,
    "RELEASE_SOME": (100,),
    "DELETE_OLD": (100,),
    "CLEAR_BODIES": (100,),
    "FIND_EVENT": (*KEY, "id"),
    "LIST_EVENTS": (*KEY, None, None, NOW, "id", 20),
    "REPLAY": (*KEY, "id"),
}
ROUTING: dict[str, tuple[Any, ...]] = {
    "ADD_ACCOUNT": (*KEY, "row", "team"),
    "KEEP_ACCOUNT": (*KEY, "row", "team"),
    "FORGET_ACCOUNTS": KEY,
    "FIND_BY_ACCOUNT": ("connector-1", "team"),
    "FIND_BY_SUBJECT": ("connector-1", "subject-1"),
}
STATEMENTS = [(inbox_statements, name) for name in INBOX] + [(routing, name) for name in ROUTING]

# Of one event, or of a batch of them.
BY_ID = ("EXTEND", "GIVE_BACK", "COMPLETE", "COMPLETE_MANY", "RETRY", "DEAD_LETTER", "HOLD")

# Over all tenants by their nature: of a partial index of the few events that are still to come
# to something they read as much as they take.
WHOLE_INDEX = ("due_at_idx", "_due", "_held", "account_idx")


@pytest.fixture(scope="module", params=["plain", "partitioned"])
def connection(
    request: pytest.FixtureRequest, databases: Databases
) -> Generator[psycopg.Connection, None, None]:
    with databases.migrated() as url, psycopg.connect(url, autocommit=True) as connection:
        if request.param == "partitioned":
            partition_every_table(connection)
        populate(connection, range(COUNT))
        populate_beside(connection)
        analyze(connection)
        yield connection


@pytest.mark.parametrize(("module", "values"), [(inbox_statements, INBOX), (routing, ROUTING)])
def test_every_statement_is_looked_at(module: ModuleType, values: dict[str, Any]) -> None:
    """A statement added later has to be given values here."""
    public = {name: value for name, value in vars(module).items() if name[0].isupper()}
    assert set(values) == {name for name, value in public.items() if type(value) is str}


@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
@pytest.mark.parametrize(("module", "name"), STATEMENTS, ids=[name for _, name in STATEMENTS])
def test_the_plan_is_an_index_scan(
    module: ModuleType, name: str, mode: str, connection: psycopg.Connection
) -> None:
    """For unknown values, as a prepared statement is planned in the end, and for these ones."""
    values = {**INBOX, **ROUTING}[name]
    nodes = list(nodes_of(plan_of(connection, getattr(module, name), values, mode)))
    kinds = {node["Node Type"] for node in nodes}
    assert not kinds & {"Seq Scan", "Hash Join", "Merge Join"}, kinds
    for node in nodes:
        if "Index Name" in node and "Index Cond" not in node:
            assert node["Index Name"].endswith(WHOLE_INDEX), node["Index Name"]


@pytest.fixture(scope="module")
def empty(databases: Databases) -> Generator[psycopg.Connection, None, None]:
    with databases.migrated() as url, psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
@pytest.mark.parametrize("name", BY_ID)
def test_a_plan_made_when_the_table_is_empty_is_good_when_it_has_grown(
    name: str, mode: str, empty: psycopg.Connection
) -> None:
    """A process keeps its plans until statistics are taken anew, and many events come before."""
    values = INBOX[name]
    nodes = list(nodes_of(plan_of(empty, getattr(inbox_statements, name), values, mode)))
    scans = [n for n in nodes if "Relation Name" in n and n["Node Type"] != "ModifyTable"]
    assert {node.get("Index Name") for node in scans} == {"igniter_webhook_inbox_pkey"}
