"""The order key: events of one connection with the same key are handled in order of arrival."""

from __future__ import annotations

import hashlib


def stored_order_key(key: str) -> str:
    """A connector's order key as the inbox stores it: 32 characters, whatever its length.

    "" stays "": the event has no order.
    """
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:32] if key else ""
