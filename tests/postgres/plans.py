"""The plan that PostgreSQL makes for a statement with sample values for its parameters."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

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
LATER = timedelta(seconds=15)

# A value for each parameter of any statement.
SAMPLES: dict[str, Any] = {
    "scope": SCOPE,
    "identity": tenant(4242),
    "connector": connector(4242),
    "account": "default",
    # Connections and grants.
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
    "lease_owner": "owner",
    "unresolved": False,
    "grant_id": "grant",
    "generation": 1,
    "sealed_tokens": b"t",
    "oauth_scopes": ["read"],
    "refreshable": True,
    "refreshed_at": NOW,
    "expires_at": NOW,
    "subject": "subject-42",
    "profile": b"null",
    "client_id": "app",
    "token_url": "https://provider.example/token",
    "refresh_expires_at": NOW,
    "is_shared": False,
    "expected_grant": "grant",
    "expected_generation": 1,
    "expected_version": 1,
    "replaces": "endpoint",
    "replaced_by": None,
    "expected_secret": b"s",
    "keep_config": False,
    # Authorizations, revocations and endpoints.
    "handle_hash": b"h" * 32,
    "binding_hash": b"b" * 32,
    "sealed_payload": b"p",
    "attempts": 0,
    "revocation_id": "revocation",
    "is_queued": True,
    "connection_id": "row",
    "token_hash": b"h" * 32,
    "token_hashes": [bytes([number]) * 32 for number in range(64)],
    "sealed_secret": b"s",
    "valid_until": None,
    "sealed_previous": None,
    "previous_until": None,
    "upstream": "team",
    # The inbox.
    "connectors": ["connector-1", "connector-2"],
    "event_id": "evt",
    "order_key": "order",
    "owner": "owner",
    "is_held": False,
    "attempt": 1,
    "remember": 60.0,
    "keep": 60.0,
    "body_hash": b"h" * 32,
    "sealed_body": b"sealed",
    "code": "CODE",
    "reason": "reason",
    "state": None,
    "before": NOW,
    "before_id": "id",
    # Durations and numbers of rows.
    "lease": LATER,
    "duration": LATER,
    "retry_in": LATER,
    "due_in": LATER,
    "pause": LATER,
    "lifetime": timedelta(minutes=10),
    "overlap": timedelta(days=1),
    "within": timedelta(days=3),
    "older_than": timedelta(hours=1),
    "row_limit": 20,
    "due_limit": 20,
    "events_each": 4,
}

_VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
_PARAMETER = re.compile(r"%\((\w+)\)s((?:::\w+(?:\[\])?)?)")


def statements_in(holder: object) -> dict[str, str]:
    """The statements of a module or of an object, by name."""
    return {
        name: value
        for name, value in vars(holder).items()
        if isinstance(value, str) and name[0] != "_" and value.startswith(_VERBS)
    }


@contextmanager
def populated(databases: Databases, kind: str) -> Generator[psycopg.Connection, None, None]:
    """A database with 100,000 connections; `kind` is "plain" or "partitioned"."""
    with databases.migrated() as url, psycopg.connect(url, autocommit=True) as connection:
        if kind == "partitioned":
            partition_every_table(connection)
        populate(connection, range(COUNT))
        populate_beside(connection)
        analyze(connection)
        yield connection


def plan_of(connection: psycopg.Connection, statement: str, mode: str) -> dict[str, Any]:
    """The plan of a prepared statement, with the sample values."""
    values: dict[str, Any] = {}

    def number(found: re.Match[str]) -> str:
        name, cast = found.groups()
        values[name] = _value(name, cast)
        return f"${list(values).index(name) + 1}{cast}"

    numbered = _PARAMETER.sub(number, statement)
    connection.execute(f"SET plan_cache_mode = {mode}".encode())
    connection.execute(f"PREPARE looked_at AS {numbered}".encode(), prepare=False)
    try:
        marks = f"({', '.join(['%s'] * len(values))})" if values else ""
        explain = f"EXPLAIN (FORMAT JSON) EXECUTE looked_at {marks}".encode()
        row = psycopg.ClientCursor(connection).execute(explain, list(values.values())).fetchone()
    finally:
        connection.execute("DEALLOCATE looked_at")
    assert row is not None
    plan: dict[str, Any] = row[0][0]["Plan"]
    return plan


def _value(name: str, cast: str) -> Any:
    value = SAMPLES[name]
    if cast == "::float8" and isinstance(value, timedelta):
        return value.total_seconds()
    if not cast.endswith("[]") or isinstance(value, list):
        return value
    if name == "identity":
        return [tenant(number) for number in range(0, COUNT, COUNT // 64)]
    if name == "connector":
        return [connector(number) for number in range(0, COUNT, COUNT // 64)]
    if isinstance(value, timedelta):
        value = value.total_seconds()
    return [value] * len(range(0, COUNT, COUNT // 64))


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All nodes of a plan."""
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes_of(inner)
