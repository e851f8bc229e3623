"""The headers that are kept with an event, inside the sealed body."""

from __future__ import annotations

from typing import Final

import msgspec

from igniter_connectors.core.http.messages import Headers, HttpRequest
from igniter_connectors.core.storable_text import is_encodable

MAX_HEADER_CHARS: Final = 4096
"""A longer value of a header is not kept."""

# No JSON and no form begins so. A body that does is stored with its headers, even if it has none.
_MARK: Final = b"\x00igniter-connectors event with headers\x00"


class StoredEvent(msgspec.Struct, frozen=True, gc=False):
    """What is sealed of an event: its body, the type that a header tells, and kept headers."""

    body: bytes
    event_type: str = ""
    headers: Headers = ()

    def __repr__(self) -> str:
        return f"StoredEvent({len(self.body)} bytes)"


def kept_headers(request: HttpRequest, names: frozenset[str]) -> Headers:
    """The headers with these lower-case names, in their order."""
    if not names:
        return ()
    return tuple(
        (name.lower(), value)
        for name, value in request.headers
        if name.lower() in names and len(value) <= MAX_HEADER_CHARS and is_encodable(value)
    )


def to_stored(event: StoredEvent) -> bytes:
    """The bytes to seal: the body alone, if there is nothing else."""
    if not event.event_type and not event.headers and not event.body.startswith(_MARK):
        return event.body
    return _MARK + msgspec.msgpack.encode(event)


def from_stored(octets: bytes) -> StoredEvent:
    """The event of opened bytes."""
    if not octets.startswith(_MARK):
        return StoredEvent(octets)
    return msgspec.msgpack.decode(octets[len(_MARK) :], type=StoredEvent)
