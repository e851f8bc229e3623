"""A cache of derived ciphers: deriving a tenant's cipher costs more than using it."""

from __future__ import annotations

from typing import Final, final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec.structs import replace

from igniter_connectors.core.sealing import envelope
from igniter_connectors.core.sealing.associated_data import Binding, associated_data
from igniter_connectors.core.sealing.envelope import BoundCipher
from igniter_connectors.core.sealing.key_derivation import Key
from igniter_connectors.core.sealing.key_rotation import Keyring

CACHE_SIZE: Final = 4096
CACHE_SECONDS: Final = 300.0


@final
class Ciphers:
    """Seals and opens with a keyring. Caches up to 4,096 derived ciphers for up to 5 minutes.

    The whole cache is cleared when it is full or 5 minutes old. A derivation costs 5 µs, so
    this is cheap, and no tenant's key stays in memory for the life of the process. Not
    thread-safe.
    """

    __slots__ = ("_bound", "_clear_at", "_keyring", "_size", "_tenants")

    def __init__(self, keyring: Keyring, *, size: int = CACHE_SIZE) -> None:
        self._keyring = keyring
        self._size = size
        self._bound: dict[Binding, BoundCipher] = {}
        self._tenants: dict[tuple[bytes, str, str, str], AESGCM] = {}
        self._clear_at = 0.0

    def seal(self, plaintext: bytes, binding: Binding, *, nonce: bytes, now: float) -> bytes:
        """The plaintext as an envelope, sealed with the keyring's first key.

        `nonce` is 12 fresh random bytes, never used before; `now` is monotonic seconds.
        """
        cipher = self._bound.get(binding)
        if cipher is None or now >= self._clear_at:
            cipher = self._derive(self._keyring.sealing_key, binding, now)
            self._bound[binding] = cipher
        return envelope.seal_envelope(plaintext, cipher, nonce)

    def open(self, sealed: bytes, binding: Binding, *, now: float) -> bytes | None:
        """The plaintext.

        None if the envelope is damaged, was sealed for another binding, or its key is not in
        the keyring.
        """
        cipher = self._bound.get(binding)
        if cipher is not None and now < self._clear_at and sealed.startswith(cipher.header):
            # `open_envelope` inlined: every action and delivery pays for a call here, 0.1 µs.
            try:
                return cipher.cipher.decrypt(
                    sealed[envelope.NONCE], sealed[envelope.TEXT], cipher.associated
                )
            except (InvalidTag, ValueError):
                return None
        key = self._keyring.find(sealed[envelope.KEY_ID_AT : envelope.NONCE_AT])
        if key is None:
            return None
        cipher = self._derive(key, binding, now)
        if key is self._keyring.sealing_key:
            self._bound[binding] = cipher
        return envelope.open_envelope(sealed, cipher)

    def seal_named(
        self, plaintext: bytes, binding: Binding, name: str, *, nonce: bytes, now: float
    ) -> bytes:
        """As `seal`, for one of many values with the same binding: also bound to its name.

        The name comes after the binding's associated data. That is unambiguous, because each
        part of the binding has its length. The cache has one entry for all names.
        """
        cipher = self._bound.get(binding)
        if cipher is None or now >= self._clear_at:
            cipher = self._derive(self._keyring.sealing_key, binding, now)
            self._bound[binding] = cipher
        associated = cipher.associated + name.encode()
        return cipher.header + nonce + cipher.cipher.encrypt(nonce, plaintext, associated)

    def open_named(self, sealed: bytes, binding: Binding, name: str, *, now: float) -> bytes | None:
        """As `open`, for an envelope that `seal_named` sealed under the same name."""
        key = self._keyring.find(sealed[envelope.KEY_ID_AT : envelope.NONCE_AT])
        if key is None:
            return None
        cipher = self._derive(key, binding, now)
        named = replace(cipher, associated=cipher.associated + name.encode())
        return envelope.open_envelope(sealed, named)

    def missing_key(self, sealed: bytes) -> str | None:
        """The id of the key that sealed, in hex, if the keyring does not have it.

        None if it does, or if these bytes are no envelope.
        """
        if not sealed.startswith(envelope.VERSION) or len(sealed) < envelope.TEXT_AT:
            return None
        key_id = sealed[envelope.KEY_ID_AT : envelope.NONCE_AT]
        return key_id.hex() if self._keyring.find(key_id) is None else None

    def _derive(self, key: Key, binding: Binding, now: float) -> BoundCipher:
        if now >= self._clear_at or max(len(self._bound), len(self._tenants)) >= self._size:
            self._bound.clear()
            self._tenants.clear()
            self._clear_at = now + CACHE_SECONDS
        tenant = (key.id, binding.purpose, binding.scope, binding.identity)
        cipher = self._tenants.get(tenant)
        if cipher is None:
            cipher = key.cipher(binding.purpose, binding.scope, binding.identity)
            self._tenants[tenant] = cipher
        header = envelope.VERSION + key.id
        return BoundCipher(header, cipher, header + associated_data(binding))
