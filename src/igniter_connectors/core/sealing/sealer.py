"""Sealing and opening as Results: the pure edge of the envelopes."""

from __future__ import annotations

from typing import Final

import msgspec
from returns.result import Failure, Result, Success

from igniter_connectors.core.sealing.associated_data import Binding
from igniter_connectors.core.sealing.cipher_cache import Ciphers

LONGEST: Final = 1024 * 1024
"""The longest plaintext sealed, in bytes."""


class TooLong(msgspec.Struct, frozen=True):
    """The plaintext is over 1 MiB."""


class DoesNotOpen(msgspec.Struct, frozen=True):
    """Not this place's, not whole, or of a key not held. Says no more."""


def seal(
    plaintext: bytes, place: Binding, ciphers: Ciphers, *, nonce: bytes, now: float
) -> Result[bytes, TooLong]:
    """The plaintext, sealed so that it opens in this place alone.

    Args:
        plaintext: At most 1 MiB.
        place: Where it will be stored.
        ciphers: The keyring; its first key seals.
        nonce: 12 fresh random bytes, never used before.
        now: Monotonic seconds, for the cipher cache.
    """
    if len(plaintext) > LONGEST:
        return Failure(TooLong())
    return Success(ciphers.seal(plaintext, place, nonce=nonce, now=now))


def open_sealed(
    sealed: bytes, place: Binding, ciphers: Ciphers, *, now: float
) -> Result[bytes, DoesNotOpen]:
    """The plaintext, where it was sealed for this place with a key held."""
    plaintext = ciphers.open(sealed, place, now=now)
    return Failure(DoesNotOpen()) if plaintext is None else Success(plaintext)
