"""Base64url: encoding and decoding."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igniter_connectors.core.http.base64url import decode_base64url, encode_base64url


@given(st.binary())
def test_encoding_is_url_safe_without_padding(octets: bytes) -> None:
    """The result needs no escaping in a URL, and is different for each input (RFC 4648 section
    5)."""
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
def test_decoding_is_the_inverse_of_encoding(octets: bytes) -> None:
    """Both work without padding (RFC 4648 section 5)."""
    assert decode_base64url(encode_base64url(octets)) == octets


@pytest.mark.parametrize("text", ["a", "abcde", "ab==", "a b", "a+b/", "é", "\ud800", "ab\n"])
def test_decoding_anything_else_returns_none(text: str) -> None:
    """Also text in the other alphabet, or of a length that no input encodes to."""
    assert decode_base64url(text) is None
