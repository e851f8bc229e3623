"""Pages of a long list, and the cursor between them."""

from __future__ import annotations

import base64
import binascii
from typing import Final, Generic

import msgspec
from typing_extensions import TypeVar

from igniter_connectors.core.http.base64url import encode_base64url

Item = TypeVar("Item")
Item_co = TypeVar("Item_co", covariant=True)

PAGE_SIZE: Final = 50
LARGEST_PAGE: Final = 1000


class Page(msgspec.Struct, Generic[Item_co], frozen=True):
    """Some items in order. `next` asks for what follows; None at the end."""

    items: tuple[Item_co, ...]
    next: str | None = None


def page_size(asked: int) -> int:
    """The number of items given: what was asked for, from 1 to 1,000."""
    return max(1, min(asked, LARGEST_PAGE))


def make_cursor(*position: str) -> str:
    """A place in a list, opaque. It names keys alone, so it need not be secret or signed."""
    return encode_base64url(msgspec.json.encode(position))


def read_cursor(cursor: str) -> tuple[str, str] | None:
    """The connector and account after which a page begins; None where it is no cursor."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return msgspec.json.decode(raw, type=tuple[str, str])
    except (binascii.Error, ValueError, msgspec.DecodeError):
        return None
