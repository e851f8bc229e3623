"""JSON as providers really write it: a byte order mark, and lone surrogates."""

from __future__ import annotations

import re
from typing import Final

_BOM: Final = b"\xef\xbb\xbf"

# An escaped surrogate pair, a lone surrogate, or any other escape, which is left as it is.
_ESCAPE: Final = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<lone>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.",
    re.DOTALL,
)


def readable_json(body: bytes) -> bytes:
    r"""The body without a byte order mark, and with U+FFFD for each lone surrogate.

    JavaScript writes a string that was cut inside a character as `"\ud83d"`. RFC 8259 section 8.2
    allows it, but no UTF-8 text can hold it. The same object, if there is nothing to replace.
    """
    body = body.removeprefix(_BOM)
    if b"\\ud" not in body and b"\\uD" not in body:
        return body
    return _ESCAPE.sub(lambda found: rb"\ufffd" if found["lone"] else found[0], body)
