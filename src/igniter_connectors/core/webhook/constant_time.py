"""Constant-time comparison of signatures, and the time that is signed with them."""

from __future__ import annotations

import hmac
from binascii import b2a_base64
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from igniter_connectors.core.webhook.signing_keys import SigningKey

MAX_SIGNATURES: Final = 16
MAX_HEADER_LENGTH: Final = 4096
_MAX_DIGITS_OF_SECONDS: Final = 11


def any_matches(
    given: Sequence[bytes],
    signed: bytes,
    keys: Sequence[SigningKey],
    algorithm: str,
    encoding: str,
) -> bool:
    """Whether one of the first 16 signatures is an HMAC of `signed` under one of the keys."""
    # Compared as text: the digest is encoded once, and no bytes of the sender are decoded.
    signatures = given[:MAX_SIGNATURES]
    matched = False
    for key in keys:
        if not isinstance(key, bytes):
            continue
        digest = hmac.digest(key, signed, algorithm)
        expected = (
            b2a_base64(digest, newline=False) if encoding == "base64" else digest.hex().encode()
        )
        for signature in signatures:
            # No early return: the duration must not show which key or signature matched.
            matched |= hmac.compare_digest(signature, expected)
    return matched


def signed_time(text: str, *, unit: str = "seconds") -> datetime | None:
    """The time in a signature header: seconds since 1970, up to 11 digits, or milliseconds, 14.

    None for any other text.
    """
    is_seconds = unit == "seconds"
    max_digits = _MAX_DIGITS_OF_SECONDS if is_seconds else _MAX_DIGITS_OF_SECONDS + 3
    if not (text.isascii() and text.isdigit() and len(text) <= max_digits):
        return None
    number = int(text)
    if is_seconds:
        return datetime.fromtimestamp(number, UTC)
    # Whole seconds first: a float of milliseconds since 1970 has no exact microsecond.
    seconds, milliseconds = divmod(number, 1000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=milliseconds * 1000)
