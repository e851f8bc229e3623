"""Text from outside, made safe to show in a terminal or in a log.

A terminal obeys control sequences (ESC, and U+009B alone), and a line feed forges a line. Bidi
overrides, zero-width characters and line separators make a line look like another one.
"""

from __future__ import annotations

import json

import msgspec


def printable(text: str) -> str:
    r"""The text on one line, with every character escaped that is not printable.

    Printable is what `str.isprintable` accepts: no control, format, surrogate or unassigned
    character, and no separator but the space. The escapes are Python's: `\n`, `\x9b`, `\u202e`.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else _escape(one) for one in text)


def printable_json(value: object) -> str:
    """A value as one line of JSON that is printable too, and that decodes to the same value."""
    encoded = msgspec.json.encode(value).decode()
    if encoded.isprintable():
        return encoded
    # Only inside a string can JSON have such a character, and there its own escape is the same.
    return "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in encoded)


def _escape(one: str) -> str:
    return one.encode("unicode_escape").decode("ascii")
