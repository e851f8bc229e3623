"""One text becomes a statement of either database."""

from __future__ import annotations

from igniter_connectors.adapters.postgres.dialect import POSTGRES
from igniter_connectors.adapters.sql.dialect import Dialect
from igniter_connectors.adapters.sqlite.dialect import SQLITE


def take(d: Dialect) -> str:
    return d.statement(f"""
        UPDATE {d.prefix}t SET until = {d.after(":duration")}, a = :a::text
        WHERE {d.any_of("name", ":names")} AND until <= {d.now}
    """)


def test_parameters_and_time_are_the_dialect_s_own() -> None:
    """A cast is not taken for a parameter, and lines are joined."""
    assert take(POSTGRES) == (
        "UPDATE igniter_t SET until = now() + %(duration)s::interval, a = %(a)s::text"
        " WHERE name = ANY (%(names)s::text[]) AND until <= now()"
    )
    assert take(SQLITE) == (
        "UPDATE t SET until = :duration, a = :a::text"
        " WHERE name IN (SELECT value FROM json_each(:names)) AND until <= :now"
    )
