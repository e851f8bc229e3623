"""A body that was compressed unasked is unpacked, up to the limit."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igniter_connectors.core.http.content_encoding import unpack

BODY = b'{"access_token":"a"}' * 5
RAW = zlib.compressobj(wbits=-15)
RAW_BODY = RAW.compress(BODY) + RAW.flush()


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (gzip.compress(BODY, mtime=0), "gzip"),
        (gzip.compress(BODY, mtime=0), " X-GZIP "),
        (gzip.compress(BODY[:9], mtime=0) + gzip.compress(BODY[9:], mtime=0), "gzip"),
        (zlib.compress(BODY), "deflate"),
        (RAW_BODY, "deflate"),
        (gzip.compress(zlib.compress(BODY), mtime=0), "deflate, gzip"),
        (BODY, "identity"),
        (BODY, ""),
        (BODY, "gzip"),
    ],
)
def test_the_content_is_returned(body: bytes, encoding: str) -> None:
    """Also if the server declared an encoding that it did not apply."""
    assert unpack(body, encoding, limit=200) == BODY


def test_what_cannot_be_unpacked_stays_as_it_is() -> None:
    """Another encoding, or a body that is cut off."""
    assert unpack(b"zq", "br", limit=200) == b"zq"
    cut = gzip.compress(BODY)[:-9]
    assert unpack(cut, "gzip", limit=200) == cut


def test_the_limit_is_for_the_content() -> None:
    """Exactly at it the body passes; a small body may hold a large one."""
    packed = gzip.compress(bytes(10**6))
    assert unpack(packed, "gzip", limit=10**6) == bytes(10**6)
    assert unpack(packed, "gzip", limit=10**6 - 1) is None
    assert unpack(gzip.compress(packed), "gzip, gzip", limit=10**5) is None


@given(st.binary(), st.text())
def test_any_body_is_unpacked_or_kept(body: bytes, encoding: str) -> None:
    """Nothing raises."""
    unpacked = unpack(body, encoding, limit=1000)
    assert unpacked is None or isinstance(unpacked, bytes)
