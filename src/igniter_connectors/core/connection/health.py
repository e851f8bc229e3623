"""The health of a connection, as users see it."""

from __future__ import annotations

from typing import Literal

from igniter_connectors.core.connection.record import ConnectionRecord

Health = Literal["ok", "needs_reauth", "lost_rotation", "config_changed", "disabled", "broken"]
"""`Status` as a user sees it: `disabled` by somebody, `broken` when the stored secrets or
config do not open."""


def health_of(record: ConnectionRecord) -> Health:
    """What the row alone tells; whether it opens is found by opening it."""
    return record.status if record.enabled else "disabled"
