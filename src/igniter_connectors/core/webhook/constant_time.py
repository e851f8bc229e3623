"""Message authentication codes compared in constant time, and the times signed with them."""

from __future__ import annotations

import hmac
from binascii import b2a_base64
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from igniter_connectors.core.webhook.request import Refused
from igniter_connectors.core.webhook.signing_keys import SigningKey

MOST_SIGNATURES: Final = 16
LONGEST_HEADER: Final = 4096
_LONGEST_SECONDS: Final = 11

NO_MATCH: Final = Refused("no signature matches")
OUT_OF_TOLERANCE: Final = Refused("the time is missing or out of tolerance")
NO_HEADER: Final = Refused("the signature's header is missing, double or too long")
UNUSABLE_ID: Final = Refused("the event's id cannot be used")
DOUBLE_ID: Final = Refused("the event's id stands twice")


def any_matches(
    given: Sequence[bytes],
    signed: bytes,
    keys: Sequence[SigningKey],
    algorithm: str,
    encoding: str,
) -> bool:
    """Whether one of the first 16 signatures is that of one of the HMAC keys."""
    # Compared as text: the digest is encoded once, and nothing a stranger sent is decoded.
    signatures = given[:MOST_SIGNATURES]
    matched = False
    for key in keys:
        if not isinstance(key, bytes):
            continue
        digest = hmac.digest(key, signed, algorithm)
        expected = (
            b2a_base64(digest, newline=False) if encoding == "base64" else digest.hex().encode()
        )
        for signature in signatures:
            # No early way out: time tells neither which secret matched nor which signature.
            matched |= hmac.compare_digest(signature, expected)
    return matched


def instant(text: str, *, unit: str = "seconds") -> datetime | None:
    """The time that up to 11 digits of seconds mean, or 14 of milliseconds; None for others."""
    longest = _LONGEST_SECONDS if unit == "seconds" else _LONGEST_SECONDS + 3
    if not (text.isascii() and text.isdigit() and len(text) <= longest):
        return None
    number = int(text)
    if unit == "seconds":
        return datetime.fromtimestamp(number, UTC)
    # Whole seconds first: a float of milliseconds since 1970 has no exact microsecond.
    seconds, milliseconds = divmod(number, 1000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=milliseconds * 1000)
