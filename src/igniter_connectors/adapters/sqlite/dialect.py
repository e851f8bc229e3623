"""SQLite's way to write the shared statements.

Every statement has the parameter `:now`. A duration in a parameter arrives as the instant at its
end: see `Database`. `true` and `false` are 1 and 0.
"""

from __future__ import annotations

from typing import Final

from igniter_connectors.adapters.sql.dialect import Dialect
from igniter_connectors.adapters.sql.statements import Statements

SQLITE: Final = Dialect(
    parameter=r":\1",
    prefix="",
    now=":now",
    after_duration="{}",
    is_any="{column} IN (SELECT value FROM json_each({values}))",
    no_bytes="x''",
    skip_locked="",
)

STATEMENTS: Final = Statements(SQLITE)
