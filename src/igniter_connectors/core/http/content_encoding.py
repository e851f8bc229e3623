"""Unpacks a body that was compressed although nobody asked for it. RFC 9110 section 8.4."""

from __future__ import annotations

import zlib
from typing import Final

_GZIP_OR_ZLIB: Final = 32 + zlib.MAX_WBITS
_RAW: Final = -zlib.MAX_WBITS


def unpack(body: bytes, encoding: str, *, limit: int) -> bytes | None:
    """The body without its content encoding.

    Args:
        body: As received, complete.
        encoding: The value of `Content-Encoding`. `gzip`, `x-gzip` and `deflate` are undone, also
            several in a row; `identity` changes nothing. A body of another encoding stays as it is.
        limit: The longest result, in bytes, also between two encodings.

    Returns:
        The body; None if it is longer than the limit. A body that is not what its header says
        stays as it is, because some servers declare an encoding that they did not apply.
    """
    for name in reversed([part.strip().lower() for part in encoding.split(",")]):
        if name in ("", "identity"):
            continue
        if name not in ("gzip", "x-gzip", "deflate"):
            return body
        unpacked = _inflate(body, limit)
        if unpacked is None:
            return body
        if len(unpacked) > limit:
            return None
        body = unpacked
    return body


def _inflate(body: bytes, limit: int) -> bytes | None:
    """At most `limit` + 1 bytes of the content; None if it is not compressed, or is cut off."""
    for bits in (_GZIP_OR_ZLIB, _RAW):
        out, rest = bytearray(), body
        try:
            while rest:
                stream = zlib.decompressobj(bits)
                out += stream.decompress(rest, limit + 1 - len(out))
                if len(out) > limit:
                    return bytes(out)
                if not stream.eof:
                    return None
                rest = stream.unused_data
        except zlib.error:
            continue
        return bytes(out)
    return None
