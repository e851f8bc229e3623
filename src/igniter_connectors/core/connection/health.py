"""The health of a connection: its status as a user sees it."""

from __future__ import annotations

from typing import Literal

from igniter_connectors.core.connection.record import ConnectionRecord

Health = Literal["ok", "needs_reauth", "lost_rotation", "config_changed", "disabled", "broken"]
"""`Status` as a user sees it. `disabled`: switched off. `broken`: the row cannot be decrypted."""


def health_of(record: ConnectionRecord) -> Health:
    """The health according to the row. Decrypting the row shows whether it is `broken`."""
    return record.status if record.enabled else "disabled"
