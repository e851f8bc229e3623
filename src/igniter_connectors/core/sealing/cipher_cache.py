"""Ciphers at hand: deriving a tenant's costs more than using it, so it is kept for a while."""

from __future__ import annotations

from typing import Final, final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec.structs import replace

from igniter_connectors.core.sealing.associated_data import Binding, associated_data
from igniter_connectors.core.sealing.envelope import (
    KEY_ID_AT,
    NONCE,
    NONCE_AT,
    TEXT,
    VERSION,
    PlaceCipher,
    open_envelope,
    seal_envelope,
)
from igniter_connectors.core.sealing.keyring import Key, Keyring

CACHE_SIZE: Final = 4096
CACHE_SECONDS: Final = 300.0


@final
class Ciphers:
    """A keyring, and the ciphers derived from it in the last 5 minutes, 4,096 at most.

    The cache is emptied when it is full or old: a derivation costs 5 µs, and no tenant's
    key lies in memory for as long as the process runs. Not for several threads at once.
    """

    __slots__ = ("_empty_at", "_keyring", "_places", "_size", "_tenants")

    def __init__(self, keyring: Keyring, *, size: int = CACHE_SIZE) -> None:
        self._keyring = keyring
        self._size = size
        self._places: dict[Binding, PlaceCipher] = {}
        self._tenants: dict[tuple[bytes, str, str, str], AESGCM] = {}
        self._empty_at = 0.0

    def seal(self, plaintext: bytes, place: Binding, *, nonce: bytes, now: float) -> bytes:
        """The plaintext, sealed for a place with the keyring's first key.

        `nonce` is 12 fresh random bytes, never used before; `now` is monotonic seconds.
        """
        kept = self._places.get(place)
        if kept is None or now >= self._empty_at:
            kept = self._derive(self._keyring.sealing_key, place, now)
            self._places[place] = kept
        return seal_envelope(plaintext, kept, nonce)

    def open(self, sealed: bytes, place: Binding, *, now: float) -> bytes | None:
        """The plaintext; None where it is not this place's, not whole, or of a key not held."""
        kept = self._places.get(place)
        if kept is not None and now < self._empty_at and sealed.startswith(kept.header):
            # `open_envelope` in place: every action and delivery pays for a call here, 0.1 µs.
            try:
                return kept.cipher.decrypt(sealed[NONCE], sealed[TEXT], kept.associated)
            except (InvalidTag, ValueError):
                return None
        key = self._keyring.find(sealed[KEY_ID_AT:NONCE_AT])
        if key is None:
            return None
        kept = self._derive(key, place, now)
        if key is self._keyring.sealing_key:
            self._places[place] = kept
        return open_envelope(sealed, kept)

    def seal_one_of(
        self, plaintext: bytes, place: Binding, one: str, *, nonce: bytes, now: float
    ) -> bytes:
        """As `seal`, for one of many values in a place, bound to its own name there too.

        The name stands after the place's associated data, whose parts all have their lengths.
        """
        kept = self._places.get(place)
        if kept is None or now >= self._empty_at:
            kept = self._derive(self._keyring.sealing_key, place, now)
            self._places[place] = kept
        associated = kept.associated + one.encode()
        return kept.header + nonce + kept.cipher.encrypt(nonce, plaintext, associated)

    def open_one_of(self, sealed: bytes, place: Binding, one: str, *, now: float) -> bytes | None:
        """As `open`, for what `seal_one_of` sealed under the same name."""
        key = self._keyring.find(sealed[KEY_ID_AT:NONCE_AT])
        if key is None:
            return None
        kept = self._derive(key, place, now)
        return open_envelope(sealed, replace(kept, associated=kept.associated + one.encode()))

    def _derive(self, key: Key, place: Binding, now: float) -> PlaceCipher:
        if now >= self._empty_at or max(len(self._places), len(self._tenants)) >= self._size:
            self._places.clear()
            self._tenants.clear()
            self._empty_at = now + CACHE_SECONDS
        tenant = (key.id, place.purpose, place.scope, place.identity)
        cipher = self._tenants.get(tenant)
        if cipher is None:
            cipher = key.cipher(place.purpose, place.scope, place.identity)
            self._tenants[tenant] = cipher
        header = VERSION + key.id
        return PlaceCipher(header, cipher, header + associated_data(place))
