"""Base64url without padding. RFC 4648 section 5."""

from __future__ import annotations

import base64
import re
from typing import Final

_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]*")


def encode_base64url(octets: bytes) -> str:
    """The octets in base64url without padding: 32 octets become 43 characters."""
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def decode_base64url(text: str) -> bytes | None:
    """The octets of unpadded base64url; None for any other text."""
    if not _BASE64URL.fullmatch(text) or len(text) % 4 == 1:
        return None
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
