"""Sealing and opening as Results. A failure does not say why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure

from igniter_connectors.core.sealing.associated_data import Binding
from igniter_connectors.core.sealing.cipher_cache import Ciphers
from igniter_connectors.core.sealing.key_rotation import Keyring
from igniter_connectors.core.sealing.sealer import (
    DecryptionFailed,
    PlaintextTooLarge,
    open_sealed,
    seal,
)

from .bindings import BINDING, BINDINGS, NONCE, OTHER_SECRET, SECRET, SWAPPED

RING = Keyring.from_secret(SECRET)


def ciphers() -> Ciphers:
    return Ciphers(RING)


def sealed_at(binding: Binding, plaintext: bytes = b"canary") -> bytes:
    return seal(plaintext, binding, ciphers(), nonce=NONCE, now=0.0).unwrap()


@given(st.binary(), BINDINGS, st.binary(min_size=12, max_size=12))
def test_what_was_sealed_for_a_binding_opens_with_it(
    plaintext: bytes, binding: Binding, nonce: bytes
) -> None:
    """Opening is the inverse of sealing, also in another process."""
    sealed = seal(plaintext, binding, ciphers(), nonce=nonce, now=0.0).unwrap()
    assert open_sealed(sealed, binding, ciphers(), now=0.0).unwrap() == plaintext


@given(BINDINGS, BINDINGS)
def test_nothing_opens_with_another_binding(binding: Binding, other: Binding) -> None:
    """An envelope that was moved to another row, tenant, account or purpose does not open."""
    opened = open_sealed(sealed_at(binding), other, ciphers(), now=0.0)
    assert opened.value_or(None) == (b"canary" if binding == other else None)


@pytest.mark.parametrize("swap", SWAPPED)
def test_every_swap_of_one_part_is_refused(swap: str) -> None:
    """Purpose, scope, identity, connector, account, row or generation: one is enough."""
    refused = Failure(DecryptionFailed())
    assert open_sealed(sealed_at(BINDING), SWAPPED[swap], ciphers(), now=0.0) == refused
    assert open_sealed(sealed_at(SWAPPED[swap]), BINDING, ciphers(), now=0.0) == refused


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_an_earlier_generation_does_not_come_back(sealed: int, stored: int) -> None:
    """An old token envelope, put back into its own row, opens only as its own generation."""
    old = Binding("tokens", "organization", "acme", "telegram", "default", "row", sealed)
    row = Binding("tokens", "organization", "acme", "telegram", "default", "row", stored)
    opened = open_sealed(sealed_at(old), row, ciphers(), now=0.0)
    assert (opened.value_or(None) is None) == (sealed != stored)


@given(st.data())
def test_any_flipped_bit_is_refused(data: st.DataObject) -> None:
    """Through `open_sealed`, with the key look-up."""
    sealed = bytearray(sealed_at(BINDING))
    bit = data.draw(st.integers(min_value=0, max_value=8 * len(sealed) - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    assert open_sealed(bytes(sealed), BINDING, ciphers(), now=0.0) == Failure(DecryptionFailed())


@given(st.binary(max_size=200))
def test_any_other_bytes_are_refused(junk: bytes) -> None:
    """Bytes that are not an envelope give a Failure and no exception."""
    header = b"\x01" + RING.sealing_key.id
    for sealed in (junk, header + junk):
        assert open_sealed(sealed, BINDING, ciphers(), now=0.0) == Failure(DecryptionFailed())


def test_rotation_opens_old_and_new_until_the_old_key_is_retired() -> None:
    """Add everywhere, promote, reseal, retire: everything opens until the last step."""
    old = seal(b"canary", BINDING, ciphers(), nonce=NONCE, now=0.0).unwrap()
    added = Ciphers(Keyring.from_secret(SECRET, [OTHER_SECRET]))
    promoted = Ciphers(Keyring.from_secret(OTHER_SECRET, [SECRET]))
    retired = Ciphers(Keyring.from_secret(OTHER_SECRET))
    new = seal(b"canary", BINDING, promoted, nonce=NONCE, now=0.0).unwrap()
    for sealed in (old, new):
        assert open_sealed(sealed, BINDING, added, now=0.0).unwrap() == b"canary"
        assert open_sealed(sealed, BINDING, promoted, now=0.0).unwrap() == b"canary"
    assert open_sealed(new, BINDING, retired, now=0.0).unwrap() == b"canary"
    assert open_sealed(old, BINDING, retired, now=0.0) == Failure(DecryptionFailed())


def test_every_failure_is_the_same() -> None:
    """Wrong key, binding, tag or length: the same failure, which has no field."""
    assert DecryptionFailed.__struct_fields__ == ()
    assert repr(open_sealed(b"", BINDING, ciphers(), now=0.0)) == "<Failure: DecryptionFailed()>"


@pytest.mark.parametrize("length", [0, 1, 1_048_575, 1_048_576])
def test_up_to_one_mebibyte_is_sealed(length: int) -> None:
    """1 MiB is the longest plaintext that is sealed, and it opens again."""
    blob = sealed_at(BINDING, bytes(length))
    assert open_sealed(blob, BINDING, ciphers(), now=0.0).unwrap() == bytes(length)


def test_one_byte_more_is_too_large() -> None:
    """It is refused before encryption."""
    assert seal(bytes(1_048_577), BINDING, ciphers(), nonce=NONCE, now=0.0) == Failure(
        PlaintextTooLarge()
    )


def test_a_nonce_makes_equal_plaintexts_look_different() -> None:
    """A reader of the rows cannot see that two tenants, or two versions, have the same secret."""
    other = seal(b"canary", BINDING, ciphers(), nonce=bytes(12), now=0.0).unwrap()
    assert other != sealed_at(BINDING)
    assert b"canary" not in sealed_at(BINDING)
