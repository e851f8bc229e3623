"""The top-level fields of a JSON object, each as its raw bytes.

For the values that a scheme keeps in the body: a time, an event id, a shared value, a list of
events.
"""

from __future__ import annotations

from typing import Final

import msgspec

from igniter_connectors.core.connector.validation import JSON_ERRORS
from igniter_connectors.core.webhook.readable_json import readable_json

MAX_EVENT_ID_LENGTH: Final = 255

_JsonObject = dict[str, msgspec.Raw]
_OBJECT: Final = msgspec.json.Decoder(_JsonObject)
_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])
_TEXT: Final = msgspec.json.Decoder(str)
_INTEGER: Final = msgspec.json.Decoder(int)


def read_object(octets: bytes | msgspec.Raw) -> dict[str, msgspec.Raw]:
    """The fields of a JSON object; empty if the bytes are not a JSON object."""
    try:
        return _OBJECT.decode(octets)
    except JSON_ERRORS:
        mended = readable_json(bytes(octets))
    try:
        return _OBJECT.decode(mended)
    except JSON_ERRORS:
        return {}


def read_list(octets: bytes | msgspec.Raw) -> list[msgspec.Raw] | None:
    """The members of a JSON array; None if the bytes are not a JSON array."""
    try:
        return _LIST.decode(octets)
    except JSON_ERRORS:
        return None


def text_in(fields: dict[str, msgspec.Raw], name: str) -> str | None:
    """A field that is a string; None if it is absent or has another type."""
    try:
        return _TEXT.decode(fields[name])
    except (KeyError, *JSON_ERRORS):
        return None


def event_id_in(fields: dict[str, msgspec.Raw], name: str) -> str | None:
    """A field that is a valid event id (1 to 255 printable characters); None otherwise."""
    text = text_in(fields, name)
    # With U+FFFD for a lone surrogate, two ids would look like one.
    return text if text and is_event_id(text) and "\ufffd" not in text else None


def is_event_id(text: str) -> bool:
    """Whether the text has at most 255 printable characters, so that every database can store it.

    The caller treats an empty text as no id.
    """
    return len(text) <= MAX_EVENT_ID_LENGTH and text.isprintable()


def integer_in(fields: dict[str, msgspec.Raw], name: str) -> int | None:
    """A field that is an integer; None if it is absent or has another type."""
    try:
        return _INTEGER.decode(fields[name])
    except (KeyError, *JSON_ERRORS):
        return None
