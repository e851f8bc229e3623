"""The outermost fields of a JSON object, each still in its own bytes.

For what a scheme keeps in the body: a time, an event's id, a shared value, a list of events.
"""

from __future__ import annotations

from typing import Final

import msgspec

from igniter_connectors.core.connector.validation import JSON_ERRORS

LONGEST_ID: Final = 255

_JsonObject = dict[str, msgspec.Raw]
_OBJECT: Final = msgspec.json.Decoder(_JsonObject)
_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])
_TEXT: Final = msgspec.json.Decoder(str)
_INTEGER: Final = msgspec.json.Decoder(int)


def read_object(octets: bytes | msgspec.Raw) -> dict[str, msgspec.Raw]:
    """The fields of a JSON object; empty where the bytes are none."""
    try:
        return _OBJECT.decode(octets)
    except JSON_ERRORS:
        return {}


def read_list(octets: bytes | msgspec.Raw) -> list[msgspec.Raw] | None:
    """The members of a JSON array; None where the bytes are none."""
    try:
        return _LIST.decode(octets)
    except JSON_ERRORS:
        return None


def text_in(fields: dict[str, msgspec.Raw], name: str) -> str | None:
    """A field that is a string; None where it is absent or anything else."""
    try:
        return _TEXT.decode(fields[name])
    except (KeyError, *JSON_ERRORS):
        return None


def event_id_in(fields: dict[str, msgspec.Raw], name: str) -> str | None:
    """A field that can be stored as an event's id: 1 to 255 printable characters."""
    text = text_in(fields, name)
    return text if text and is_event_id(text) else None


def is_event_id(text: str) -> bool:
    """Whether every database keeps the text as it is; an empty one is none at all."""
    return len(text) <= LONGEST_ID and text.isprintable()


def integer_in(fields: dict[str, msgspec.Raw], name: str) -> int | None:
    """A field that is a whole number; None where it is absent or anything else."""
    try:
        return _INTEGER.decode(fields[name])
    except (KeyError, *JSON_ERRORS):
        return None
