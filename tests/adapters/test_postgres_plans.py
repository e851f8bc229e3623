"""How PostgreSQL runs each statement at 100,000 connections: through an index, always."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from igniter_connectors.adapters.postgres import statements
from igniter_connectors.adapters.postgres.rows import (
    AUTHORIZATION,
    BODY,
    ENDPOINT,
    GRANT,
    REVOCATION,
)
from tests.postgres.databases import Databases
from tests.postgres.partitions import partition_every_table
from tests.postgres.population import (
    SCOPE,
    analyze,
    connector,
    populate,
    populate_beside,
    tenant,
)

COUNT = 100_000
NOW = datetime(2026, 3, 1, tzinfo=UTC)
KEY = (SCOPE, tenant(4242), connector(4242), "default")
OTHERS = [(SCOPE, tenant(n), connector(n), "default") for n in range(0, COUNT, COUNT // 64)]

SAMPLES: dict[str, Any] = {
    "id": "row",
    "public_config": b"{}",
    "sealed_config": b"s",
    "enabled": True,
    "version": 1,
    "created_at": NOW,
    "updated_at": NOW,
    "status": "ok",
    "failures": 0,
    "next_attempt_at": None,
    "lease_owner": None,
    "unresolved": False,
    "grant_id": "grant",
    "generation": 1,
    "sealed_tokens": b"t",
    "oauth_scopes": ["read"],
    "refreshable": True,
    "refreshed_at": NOW,
    "expires_at": NOW,
    "subject": "subject",
    "profile": b"null",
    "client_id": "app",
    "token_url": "https://provider.example/token",
    "refresh_expires_at": NOW,
    "is_shared": False,
    "attempts": 0,
    "handle_hash": b"h",
    "binding_hash": b"b",
    "scope": KEY[0],
    "identity": KEY[1],
    "connector": KEY[2],
    "account": KEY[3],
    "sealed_payload": b"p",
    "token_hash": b"h" * 32,
    "connection_id": "row",
    "sealed_secret": b"s",
    "valid_until": None,
    "sealed_previous": None,
    "previous_until": None,
}


def samples(columns: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(SAMPLES[column] for column in columns)


HANDED = ("revocation", timedelta(seconds=30), True)

VALUES: dict[str, tuple[Any, ...]] = {
    "FIND": KEY,
    "LAST_GRANT": KEY,
    "FIND_MANY": tuple([list(column) for column in zip(*OTHERS, strict=True)]),
    "INSERT": (*KEY, *samples(BODY)),
    "REPLACE_CONFIG": (b"{}", b"s", NOW, *KEY, "row", 1),
    "SET_ENABLED": (True, True, NOW, True, *KEY),
    "INSERT_FIRST": (*KEY, *samples(BODY)),
    "DISCONNECT": (*KEY, *KEY, *HANDED, NOW),
    "REPLACE_CONFIG_ENDING_GRANT": (*KEY, "row", 1, *HANDED, NOW, b"{}", b"s", "new"),
    "SAVE_AUTHORIZED": (
        *(*KEY, "grant", "row", 1, *HANDED, "row", NOW),
        *(False, b"{}", False, b"s", "ok", NOW, *samples(GRANT)),
    ),
    "PURGE_TOMBSTONES": (timedelta(hours=1),),
    "RELEASE_LEASE": (*KEY, "row", 1, "owner"),
    "LIST_EXPIRING": (timedelta(days=3), 20),
    "ADD_REVOCATION": (*samples(REVOCATION), timedelta(seconds=30)),
    "CLAIM_REVOCATIONS": (timedelta(minutes=1), 20),
    "POSTPONE_REVOCATION": (1, timedelta(minutes=1), "id"),
    "END_REVOCATION": ("id",),
    "IS_AUTHORIZATION_PENDING": KEY[:3],
    "IS_GRANT_SHARED": (KEY[2], "app", "subject-42"),
    "IS_UNKNOWN_GRANT_SHARED": (KEY[2], "app"),
    "SAVE_RENEWED": (*samples(GRANT), *KEY, "row", 1),
    "TAKE_LEASE": ("owner", timedelta(seconds=15), *KEY, 1),
    "PUT_BACK_LEASE": (1, timedelta(seconds=5), *KEY, "row", 1, "owner"),
    "SAVE_GRANT_STATUS": ("needs_reauth", *KEY, "row", 1, "owner"),
    "LIST": (SCOPE, tenant(4242), connector(4242), "default", 20),
    "COUNT": (SCOPE, tenant(4242)),
    "COUNT_BY_CONNECTOR": (),
    "CLEAR_AUTHORIZATIONS": (),
    "ADD_AUTHORIZATION": (*samples(AUTHORIZATION), timedelta(minutes=10)),
    "TAKE_AUTHORIZATION": (b"h" * 32, b"b" * 32),
    "ADD_ENDPOINT": samples(ENDPOINT),
    "FIND_ENDPOINT": (b"h" * 32,),
    "FIND_ENDPOINTS": ([bytes([number]) * 32 for number in range(64)],),
    "LIST_ENDPOINTS": KEY,
    "SAVE_ENDPOINT_SECRET": (*[timedelta(days=1)] * 3, b"s", *KEY, "endpoint"),
    "RETIRE_ENDPOINT": (timedelta(days=1), *KEY, "endpoint"),
}

# Over all tenants by its nature; an index without the rows is all it reads.
WHOLE_INDEX = {"COUNT_BY_CONNECTOR"}


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


def test_every_statement_is_looked_at() -> None:
    """A statement added later has to be given values here."""
    public = {name: value for name, value in vars(statements).items() if name[0].isupper()}
    assert set(VALUES) == {name for name, value in public.items() if type(value) is str}


@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
@pytest.mark.parametrize("name", VALUES)
def test_the_plan_is_an_index_scan(name: str, mode: str, connection: psycopg.Connection) -> None:
    """For unknown values, as a prepared statement is planned in the end, and for these ones."""
    nodes = list(nodes_of(plan_of(connection, getattr(statements, name), VALUES[name], mode)))
    kinds = {node["Node Type"] for node in nodes}
    assert not kinds & {"Seq Scan", "Hash Join", "Merge Join"}, kinds
    for node in nodes:
        if "Index Name" in node and name not in WHOLE_INDEX:
            assert "Index Cond" in node or node["Index Name"].endswith(("end", "expires_at_idx"))


def test_a_page_begins_where_the_last_one_ended(connection: psycopg.Connection) -> None:
    """Keyset pagination: the index is entered at the place, and nothing is read and dropped."""
    plan = plan_of(connection, statements.LIST, VALUES["LIST"], "force_generic_plan")
    nodes = list(nodes_of(plan))
    assert "Sort" not in {node["Node Type"] for node in nodes}
    conditions = [node["Index Cond"] for node in nodes if "Index Cond" in node]
    assert conditions
    assert all("ROW(connector, account) >" in condition for condition in conditions)


def plan_of(
    connection: psycopg.Connection, statement: str, values: tuple[Any, ...], mode: str
) -> dict[str, Any]:
    numbers = iter(range(1, 100))
    numbered = re.sub("%s", lambda _: f"${next(numbers)}", statement)
    connection.execute(f"SET plan_cache_mode = {mode}".encode())
    connection.execute(f"PREPARE looked_at AS {numbered}".encode(), prepare=False)
    try:
        marks = f"({', '.join(['%s'] * len(values))})" if values else ""
        explain = f"EXPLAIN (FORMAT JSON) EXECUTE looked_at {marks}".encode()
        row = psycopg.ClientCursor(connection).execute(explain, values).fetchone()
    finally:
        connection.execute("DEALLOCATE looked_at")
    assert row is not None
    plan: dict[str, Any] = row[0][0]["Plan"]
    return plan


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes_of(inner)
