"""SQLite's way to write the shared statements.

Every statement has the parameter `:now`. A duration in a parameter arrives as the instant at its
end: see `Database`. `true` and `false` are 1 and 0.

Refresh leases are counted on the host's monotonic clock (`:monotonic`, in microseconds), as their
holders count their deadline. All processes that share a file are on one host, so a step of its
wall clock neither ends a running lease nor prolongs it. No lease lasts longer than two minutes.
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
    lease_after="{} - :now + :monotonic",
    # A lease from before the host's last boot may end far in the future of this boot's clock.
    is_lease_over="lease_until NOT BETWEEN :monotonic + 1 AND :monotonic + 120000000",
    lease_end="(:now + lease_until - :monotonic)",
    is_any="{column} IN (SELECT value FROM json_each({values}))",
    no_bytes="x''",
    skip_locked="",
)

STATEMENTS: Final = Statements(SQLITE)
