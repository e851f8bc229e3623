"""Rows and instants that several tests begin from."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from msgspec.structs import replace

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord, Grant

NOW: Final = datetime(2026, 11, 1, 12, 0, 0, tzinfo=UTC)

KEY: Final = ConnectionKey("organization", "acme", "telegram")

GRANT: Final = Grant(
    sealed_tokens=b"sealed",
    generation=3,
    grant_id="grant",
    oauth_scopes=("read",),
    refreshable=True,
    refreshed_at=NOW,
)

RECORD: Final = ConnectionRecord(
    key=KEY,
    id="row",
    public_config=b"{}",
    sealed_config=b"sealed",
    enabled=True,
    version=1,
    created_at=NOW,
    updated_at=NOW,
)


# Any, as in `dataclasses.replace`: each field has a type of its own.
def record(**changes: Any) -> ConnectionRecord:
    """A working row, changed as a test needs it."""
    return replace(RECORD, **changes)


def granted(**changes: Any) -> ConnectionRecord:
    """A working row with tokens, whose grant is changed as a test needs it."""
    return replace(RECORD, grant=replace(GRANT, **changes))
