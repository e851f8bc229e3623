"""Batches: one body with the events of several tenants, split into one body for each event."""

from __future__ import annotations

from typing import Final

import msgspec

from igniter_connectors.core.webhook.json_object import read_list
from igniter_connectors.core.webhook.verified import BatchItem

MAX_EVENTS: Final = 1000
_MAX_REPEATED_BYTES: Final = 4 * 1024 * 1024


def split_batch(fields: dict[str, msgspec.Raw], name: str) -> tuple[BatchItem, ...] | None:
    """Each event of the list in the field `name`, together with the other fields.

    Returns:
        The items. Empty if the field is absent or not a list: the body is then one event.
        None if there are more than 1,000 events, or if the other fields, repeated for each
        event, would have more than 4 MiB.
    """
    events = read_list(fields[name]) if name in fields else None
    if events is None:
        return ()
    repeated = sum(len(bytes(value)) + len(key) for key, value in fields.items() if key != name)
    if len(events) > MAX_EVENTS or repeated * len(events) > _MAX_REPEATED_BYTES:
        return None
    return tuple(
        BatchItem(msgspec.json.encode({**fields, name: [event]}), None) for event in events
    )
