"""Base64url: encoding and decoding."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igniter_connectors.core.http.base64url import decode_base64url, encode_base64url


@given(st.binary())
def test_url_safe_is_unpadded_base64url(octets: bytes) -> None:
    """It needs no escaping in a URL, and no two octet strings share it (RFC 4648 section 5)."""
    text = encode_base64url(octets)
    assert all(
        character.isascii() and (character.isalnum() or character in "-_") for character in text
    )
    assert len(text) == (len(octets) * 8 + 5) // 6
    assert encode_base64url(octets + b"\x00") != text


def test_32_octets_become_43_characters() -> None:
    """Tokens, states and verifiers have this length."""
    assert len(encode_base64url(bytes(32))) == 43
    assert encode_base64url(b"\xfb\xff\xfe") == "-__-"


@given(st.binary())
def test_octets_come_back_from_base64url(octets: bytes) -> None:
    """The two are inverse, without padding (RFC 4648 section 5)."""
    assert decode_base64url(encode_base64url(octets)) == octets


@pytest.mark.parametrize("text", ["a", "abcde", "ab==", "a b", "a+b/", "é", "\ud800", "ab\n"])
def test_what_is_no_base64url_has_no_octets(text: str) -> None:
    """Nor what has the other alphabet, or a length that no octets have."""
    assert decode_base64url(text) is None
