"""Sealing and opening as Results: what fails says nothing of why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure

from igniter_connectors.core.sealing.associated_data import Binding
from igniter_connectors.core.sealing.cipher_cache import Ciphers
from igniter_connectors.core.sealing.keyring import Keyring
from igniter_connectors.core.sealing.sealer import (
    DoesNotOpen,
    TooLong,
    open_sealed,
    seal,
)

from .places import BINDINGS, NONCE, OTHER_SECRET, PLACE, SECRET, SWAPPED

RING = Keyring.from_secret(SECRET)


def ciphers() -> Ciphers:
    return Ciphers(RING)


def sealed_at(place: Binding, plaintext: bytes = b"canary") -> bytes:
    return seal(plaintext, place, ciphers(), nonce=NONCE, now=0.0).unwrap()


@given(st.binary(), BINDINGS, st.binary(min_size=12, max_size=12))
def test_what_was_sealed_for_a_place_opens_there(
    plaintext: bytes, place: Binding, nonce: bytes
) -> None:
    """Open after seal is the identity, in another process too."""
    sealed = seal(plaintext, place, ciphers(), nonce=nonce, now=0.0).unwrap()
    assert open_sealed(sealed, place, ciphers(), now=0.0).unwrap() == plaintext


@given(BINDINGS, BINDINGS)
def test_nothing_opens_in_another_place(place: Binding, other: Binding) -> None:
    """An envelope that was moved to another row, tenant, account or purpose stays shut."""
    opened = open_sealed(sealed_at(place), other, ciphers(), now=0.0)
    assert opened.value_or(None) == (b"canary" if place == other else None)


@pytest.mark.parametrize("swap", SWAPPED)
def test_every_swap_of_one_part_is_refused(swap: str) -> None:
    """Purpose, scope, identity, connector, account, row, generation: each alone is enough."""
    refused = Failure(DoesNotOpen())
    assert open_sealed(sealed_at(PLACE), SWAPPED[swap], ciphers(), now=0.0) == refused
    assert open_sealed(sealed_at(SWAPPED[swap]), PLACE, ciphers(), now=0.0) == refused


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_an_earlier_generation_does_not_come_back(sealed: int, stored: int) -> None:
    """An old token blob, put back into its own row, opens only as the generation it was."""
    old = Binding("tokens", "organization", "acme", "telegram", "default", "row", sealed)
    row = Binding("tokens", "organization", "acme", "telegram", "default", "row", stored)
    opened = open_sealed(sealed_at(old), row, ciphers(), now=0.0)
    assert (opened.value_or(None) is None) == (sealed != stored)


@given(st.data())
def test_any_flipped_bit_is_refused(data: st.DataObject) -> None:
    """Through the whole of the public edge, key look-up included."""
    sealed = bytearray(sealed_at(PLACE))
    bit = data.draw(st.integers(min_value=0, max_value=8 * len(sealed) - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    assert open_sealed(bytes(sealed), PLACE, ciphers(), now=0.0) == Failure(DoesNotOpen())


@given(st.binary(max_size=200))
def test_any_other_bytes_are_refused(junk: bytes) -> None:
    """What never was an envelope is a Failure and no exception."""
    header = b"\x01" + RING.sealing_key.id
    for sealed in (junk, header + junk):
        assert open_sealed(sealed, PLACE, ciphers(), now=0.0) == Failure(DoesNotOpen())


def test_rotation_opens_old_and_new_until_the_old_key_is_retired() -> None:
    """Add everywhere, promote, reseal, retire: nothing is shut out before the last step."""
    old = seal(b"canary", PLACE, ciphers(), nonce=NONCE, now=0.0).unwrap()
    added = Ciphers(Keyring.from_secret(SECRET, [OTHER_SECRET]))
    promoted = Ciphers(Keyring.from_secret(OTHER_SECRET, [SECRET]))
    retired = Ciphers(Keyring.from_secret(OTHER_SECRET))
    new = seal(b"canary", PLACE, promoted, nonce=NONCE, now=0.0).unwrap()
    for sealed in (old, new):
        assert open_sealed(sealed, PLACE, added, now=0.0).unwrap() == b"canary"
        assert open_sealed(sealed, PLACE, promoted, now=0.0).unwrap() == b"canary"
    assert open_sealed(new, PLACE, retired, now=0.0).unwrap() == b"canary"
    assert open_sealed(old, PLACE, retired, now=0.0) == Failure(DoesNotOpen())


def test_every_failure_is_the_same() -> None:
    """Wrong key, place, tag or length: one answer without a field."""
    assert DoesNotOpen.__struct_fields__ == ()
    assert repr(open_sealed(b"", PLACE, ciphers(), now=0.0)) == "<Failure: DoesNotOpen()>"


@pytest.mark.parametrize("length", [0, 1, 1_048_575, 1_048_576])
def test_up_to_one_mebibyte_is_sealed(length: int) -> None:
    """1 MiB is the last length that is taken, and it opens again."""
    blob = sealed_at(PLACE, bytes(length))
    assert open_sealed(blob, PLACE, ciphers(), now=0.0).unwrap() == bytes(length)


def test_one_byte_more_is_too_long() -> None:
    """It is refused before anything is encrypted."""
    assert seal(bytes(1_048_577), PLACE, ciphers(), nonce=NONCE, now=0.0) == Failure(TooLong())


def test_a_nonce_makes_equal_plaintexts_look_different() -> None:
    """Who sees the rows cannot tell that two tenants, or two versions, hold the same secret."""
    other = seal(b"canary", PLACE, ciphers(), nonce=bytes(12), now=0.0).unwrap()
    assert other != sealed_at(PLACE)
    assert b"canary" not in sealed_at(PLACE)
