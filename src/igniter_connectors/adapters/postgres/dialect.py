"""PostgreSQL's way to write the shared statements, in psycopg's marks of parameters."""

from __future__ import annotations

from typing import Final

from igniter_connectors.adapters.sql.dialect import Dialect
from igniter_connectors.adapters.sql.statements import Statements

POSTGRES: Final = Dialect(
    parameter=r"%(\1)s",
    prefix="igniter_",
    now="now()",
    after_duration="now() + {}::interval",
    lease_after="now() + {}::interval",
    is_lease_over="lease_until <= now()",
    lease_end="lease_until",
    is_any="{column} = ANY ({values}::text[])",
    no_bytes="''",
    skip_locked="FOR UPDATE SKIP LOCKED",
)

STATEMENTS: Final = Statements(POSTGRES)
