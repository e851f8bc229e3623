"""How PostgreSQL runs the inbox's statements with 100,000 events: always with an index."""

from __future__ import annotations

from collections.abc import Generator

import psycopg
import pytest

from igniter_connectors.adapters.postgres import inbox_statements
from igniter_connectors.adapters.postgres.dialect import STATEMENTS
from tests.postgres.databases import Databases
from tests.postgres.plans import nodes_of, plan_of, populated, statements_in

INBOX = {**statements_in(inbox_statements), **statements_in(STATEMENTS.inbox)}
ROUTING = statements_in(STATEMENTS.routing)
ALL = {**INBOX, **{f"routing.{name}": statement for name, statement in ROUTING.items()}}

# Of one event, or of a batch of them.
BY_ID = (
    "EXTEND",
    "GIVE_BACK",
    "COMPLETE",
    "COMPLETE_FIRST",
    "COMPLETE_MANY",
    "retry",
    "dead_letter",
    "hold",
)

# Over all tenants by their nature. Each of these partial indexes contains only the few events
# that are not finished, and a statement reads as many of them as it takes.
WHOLE_INDEX = ("_held", "account_idx")


@pytest.fixture(scope="module", params=["plain", "partitioned"])
def connection(
    request: pytest.FixtureRequest, databases: Databases
) -> Generator[psycopg.Connection, None, None]:
    with populated(databases, request.param) as connection:
        yield connection


def test_every_statement_is_planned_here() -> None:
    """The statements of all methods of the port are among them."""
    assert (len(INBOX), len(ROUTING)) == (23, 4), (sorted(INBOX), sorted(ROUTING))


@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
@pytest.mark.parametrize("name", ALL)
def test_the_plan_is_an_index_scan(name: str, mode: str, connection: psycopg.Connection) -> None:
    """Both for unknown values, as a prepared statement is planned in the end, and for these
    values."""
    nodes = list(nodes_of(plan_of(connection, ALL[name], mode)))
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
def test_a_plan_for_an_empty_table_is_good_after_it_has_grown(
    name: str, mode: str, empty: psycopg.Connection
) -> None:
    """A process keeps its plans until the statistics change, and many events arrive before that."""
    nodes = list(nodes_of(plan_of(empty, INBOX[name], mode)))
    scans = [n for n in nodes if "Relation Name" in n and n["Node Type"] != "ModifyTable"]
    assert {node.get("Index Name") for node in scans} == {"igniter_webhook_inbox_pkey"}
