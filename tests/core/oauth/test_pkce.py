"""PKCE: the verifier and its S256 challenge. RFC 7636."""

from __future__ import annotations

import re

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from igniter_connectors.core.oauth.pkce import challenge_of, new_verifier
from tests.core.vector_files import vectors


class Pkce(msgspec.Struct):
    octets: list[int]
    verifier: str
    challenge: str


OCTETS = st.binary(min_size=32, max_size=32)


def test_appendix_b_of_the_rfc() -> None:
    """The octets of the example give its verifier, and the verifier gives its challenge."""
    vector = vectors("rfc7636_pkce.json", Pkce)
    assert new_verifier(bytes(vector.octets)) == vector.verifier
    assert challenge_of(vector.verifier) == vector.challenge


@given(OCTETS)
def test_a_verifier_has_the_form_of_the_rfc(octets: bytes) -> None:
    """43 unreserved characters, the minimum of section 4.1; so does its challenge."""
    verifier = new_verifier(octets)
    assert re.fullmatch(r"[A-Za-z0-9._~-]{43}", verifier)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", challenge_of(verifier))


@given(OCTETS, OCTETS)
def test_two_flows_share_neither_verifier_nor_challenge(one: bytes, other: bytes) -> None:
    """No entropy is lost."""
    verifiers = new_verifier(one), new_verifier(other)
    assert (verifiers[0] == verifiers[1]) == (one == other)
    assert (challenge_of(verifiers[0]) == challenge_of(verifiers[1])) == (one == other)
