"""Many texts as one parameter, in PostgreSQL's binary form of `text[]`.

psycopg's own dumper for lists looks up each element's type and escapes it, which takes 1.3 µs per
text; a batch has four texts per row. Here nothing needs escaping, since each text follows its
length.

The layout, in network order: number of dimensions (1), whether there are NULLs (0), the
elements' type (25, text), the length, the lower bound (1); then for each text its length in
bytes and its bytes in UTF-8.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from typing import Final, final

import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format

_HEADER: Final = Struct("!iiIii")
_LENGTH: Final = Struct("!i")
_TEXT: Final = 25
_TEXT_ARRAY: Final = 1009


@final
class TextArray:
    """Texts to be sent in one parameter; at least one."""

    __slots__ = ("texts",)

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts: Sequence[str] = texts


class _TextArrayDumper(Dumper):
    format = Format.BINARY
    oid = _TEXT_ARRAY

    def dump(self, obj: TextArray) -> bytes:
        length = _LENGTH.pack
        parts = [_HEADER.pack(1, 0, _TEXT, len(obj.texts), 1)]
        for text in obj.texts:
            octets = text.encode()
            parts += (length(len(octets)), octets)
        return b"".join(parts)


# Registered for this class alone, so that it changes nothing for other users of psycopg.
psycopg.adapters.register_dumper(TextArray, _TextArrayDumper)
