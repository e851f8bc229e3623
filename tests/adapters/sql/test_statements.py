"""How PostgreSQL runs each statement at 100,000 connections: always through an index."""

from __future__ import annotations

from collections.abc import Generator

import psycopg
import pytest

from igniter_connectors.adapters.postgres import batched_reads, connections, endpoints
from igniter_connectors.adapters.postgres.dialect import STATEMENTS
from tests.postgres.databases import Databases
from tests.postgres.plans import nodes_of, plan_of, populated, statements_in

HOLDERS = {
    "connections": STATEMENTS.connections,
    "leases": STATEMENTS.leases,
    "authorizations": STATEMENTS.authorizations,
    "endpoints": STATEMENTS.endpoints,
    "revocations": STATEMENTS.revocations,
    "routing": STATEMENTS.routing,
    "end_of_grant": connections,
    "batched": batched_reads,
    "rotation": endpoints,
}
ALL = {
    f"{holder}.{name}": statement
    for holder, statements in HOLDERS.items()
    for name, statement in statements_in(statements).items()
}

# Over all tenants by its nature: it reads an index, but not the rows.
WHOLE_INDEX = {"connections.count_by_connector"}


@pytest.fixture(scope="module", params=["plain", "partitioned"])
def connection(
    request: pytest.FixtureRequest, databases: Databases
) -> Generator[psycopg.Connection, None, None]:
    with populated(databases, request.param) as connection:
        yield connection


def test_every_statement_is_looked_at() -> None:
    """The statements of the port's methods are among those that are planned here."""
    assert len(ALL) == 44, sorted(ALL)


@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
@pytest.mark.parametrize("name", ALL)
def test_the_plan_is_an_index_scan(name: str, mode: str, connection: psycopg.Connection) -> None:
    """For unknown values, as a prepared statement is planned in the end, and for these values."""
    nodes = list(nodes_of(plan_of(connection, ALL[name], mode)))
    kinds = {node["Node Type"] for node in nodes}
    assert not kinds & {"Seq Scan", "Hash Join", "Merge Join"}, kinds
    for node in nodes:
        if "Index Name" in node and name not in WHOLE_INDEX:
            assert "Index Cond" in node or node["Index Name"].endswith(("end", "expires_at_idx"))


def test_a_page_begins_where_the_last_one_ended(connection: psycopg.Connection) -> None:
    """Keyset pagination: the index is entered at the place, and nothing is read and dropped."""
    plan = plan_of(connection, STATEMENTS.connections.list, "force_generic_plan")
    nodes = list(nodes_of(plan))
    assert "Sort" not in {node["Node Type"] for node in nodes}
    conditions = [node["Index Cond"] for node in nodes if "Index Cond" in node]
    assert conditions
    assert all("ROW(connector, account) >" in condition for condition in conditions)
