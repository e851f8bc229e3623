"""Sealing and opening that return Results."""

from __future__ import annotations

from typing import Final

import msgspec
from returns.result import Failure, Result, Success

from igniter_connectors.core.sealing.associated_data import Binding
from igniter_connectors.core.sealing.cipher_cache import Ciphers

MAX_PLAINTEXT_BYTES: Final = 1024 * 1024


class PlaintextTooLarge(msgspec.Struct, frozen=True):
    """The plaintext is over 1 MiB."""


class DecryptionFailed(msgspec.Struct, frozen=True):
    """The envelope is damaged, or of another binding, or its key is not in the keyring.

    Has no field, so that it does not tell an attacker which.
    """


def seal(
    plaintext: bytes, binding: Binding, ciphers: Ciphers, *, nonce: bytes, now: float
) -> Result[bytes, PlaintextTooLarge]:
    """The plaintext as an envelope that opens with this binding only.

    Args:
        plaintext: At most 1 MiB.
        binding: Where it will be stored.
        ciphers: The keyring; its first key seals.
        nonce: 12 fresh random bytes, never used before.
        now: Monotonic seconds, for the cipher cache.
    """
    if len(plaintext) > MAX_PLAINTEXT_BYTES:
        return Failure(PlaintextTooLarge())
    return Success(ciphers.seal(plaintext, binding, nonce=nonce, now=now))


def open_sealed(
    sealed: bytes, binding: Binding, ciphers: Ciphers, *, now: float
) -> Result[bytes, DecryptionFailed]:
    """The plaintext of an envelope that was sealed with this binding and a key of the keyring."""
    plaintext = ciphers.open(sealed, binding, now=now)
    return Failure(DecryptionFailed()) if plaintext is None else Success(plaintext)
