"""Pages of a list, and the cursor from one page to the next."""

from __future__ import annotations

import base64
import binascii
from typing import Final, Generic

import msgspec
from typing_extensions import TypeVar

from igniter_connectors.core.http.base64url import encode_base64url
from igniter_connectors.core.storable_text import is_storable

Item = TypeVar("Item")
Item_co = TypeVar("Item_co", covariant=True)

PAGE_SIZE: Final = 50
MAX_PAGE_SIZE: Final = 1000


class Page(msgspec.Struct, Generic[Item_co], frozen=True):
    """Some items of a list, in order. `next` is the cursor of the next page; None at the end."""

    items: tuple[Item_co, ...]
    next: str | None = None


def page_size(limit: int) -> int:
    """The size of a page: the requested limit, but at least 1 and at most 1,000."""
    return max(1, min(limit, MAX_PAGE_SIZE))


def make_cursor(*position: str) -> str:
    """An opaque cursor. It contains only keys, so it is neither secret nor signed."""
    return encode_base64url(msgspec.json.encode(position))


def read_cursor(cursor: str) -> tuple[str, str] | None:
    """The position after which a page begins; None if the cursor is invalid.

    A position that no database takes was not made here, so it is invalid.
    """
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        position = msgspec.json.decode(raw, type=tuple[str, str])
    except (binascii.Error, ValueError, msgspec.DecodeError):
        return None
    return position if all(map(is_storable, position)) else None
