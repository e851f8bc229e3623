"""Which text can be stored and sent: the same on every store, whoever wrote the text.

PostgreSQL stores no U+0000, no UTF-8 encoder writes a lone surrogate, and an HTTP header carries
only ASCII. Text from outside is judged here, before it reaches a store or a request. Text that is
not essential (a scope, a display name) is dropped; otherwise the value that holds it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

IDENTITY_LIMIT: Final = 255
"""The maximum length of an identity, account or upstream subject, in characters."""

MAX_DISPLAY_CHARS: Final = 4096
"""The longest display text (name, address, URL of a picture) that is stored."""

# RFC 6749 section 3.3 without its rule for the space: some providers separate scopes with commas.
_SCOPE: Final = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]+")

# RFC 6749 appendix A.12 without the space, which RFC 6750 section 2.1 excludes. Section 2.1 allows
# fewer characters than this, but providers issue tokens with "|" or ":" that every server reads.
_HEADER_TOKEN: Final = re.compile(r"[\x21-\x7e]+")

_UNSHOWN: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def is_storable(text: str) -> bool:
    """Whether every database stores this string unchanged and every log shows it on one line."""
    return len(text) <= IDENTITY_LIMIT and text.isprintable()


def is_encodable(text: str) -> bool:
    """Whether UTF-8 can encode this text: false if it contains a lone surrogate."""
    try:
        _ = text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_header_token(text: str) -> bool:
    """Whether an `Authorization` header can carry this access token (RFC 6750 section 2.1)."""
    return _HEADER_TOKEN.fullmatch(text) is not None


def is_header_text(text: str) -> bool:
    """Whether a header can carry this text: printable ASCII (RFC 9110 section 5.5)."""
    return text.isascii() and text.isprintable()


def storable_scopes(scopes: Iterable[object]) -> tuple[str, ...]:
    """The scopes that RFC 6749 section 3.3 allows, in their order. Any other value is dropped."""
    return tuple(
        scope for scope in scopes if isinstance(scope, str) and _SCOPE.fullmatch(scope) is not None
    )


def display_text(value: object) -> str:
    """A text to show, such as a name; "" for any value that cannot be stored or shown."""
    if not isinstance(value, str) or len(value) > MAX_DISPLAY_CHARS or _UNSHOWN.search(value):
        return ""
    return value
