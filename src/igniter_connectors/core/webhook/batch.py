"""One body with the events of several tenants, taken apart into bodies of one event each."""

from __future__ import annotations

from typing import Final

import msgspec

from igniter_connectors.core.webhook.json_object import read_list
from igniter_connectors.core.webhook.request import Part, Refused

MOST_EVENTS: Final = 1000
_MOST_BYTES_AROUND: Final = 4 * 1024 * 1024

TOO_MANY: Final = Refused("too many events in one body")


def split(fields: dict[str, msgspec.Raw], name: str) -> tuple[Part, ...] | None:
    """Each event of the list in the field `name`, with the other fields around it.

    Returns:
        The parts; none where the field is absent or no list, so that the body is taken
        whole. None for more than 1,000 events, or where the fields around them would
        come to more than 4 MiB once repeated.
    """
    events = read_list(fields[name]) if name in fields else None
    if events is None:
        return ()
    around = sum(len(bytes(value)) + len(key) for key, value in fields.items() if key != name)
    if len(events) > MOST_EVENTS or around * len(events) > _MOST_BYTES_AROUND:
        return None
    return tuple(Part(msgspec.json.encode({**fields, name: [event]}), None) for event in events)
