"""The keyring, and key rotation: every key of the keyring opens, the first one seals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from igniter_connectors.core.http.base64url import encode_base64url
from igniter_connectors.core.sealing.key_derivation import (
    Key,
    require_listable_secret,
    require_strong_secret,
)
from igniter_connectors.core.secret import Secret


@final
class Keyring:
    """The keys that open envelopes. The first of them also seals.

    To rotate without downtime: add the new secret to `previous` in every process, then make
    it the first in every process, reseal all rows, and remove the old secret.
    """

    __slots__ = ("_keys", "sealing_key")

    def __init__(self, keys: Sequence[Key]) -> None:
        self.sealing_key: Key = keys[0]
        self._keys = {key.id: key for key in keys}

    @staticmethod
    def from_secret(secret: str | Secret | None, previous: Sequence[str | Secret] = ()) -> Keyring:
        """A keyring that seals with `secret`, and opens with `secret` and the `previous` ones.

        Args:
            secret: Random, at least 32 characters, without commas and white space.
                `Keyring.generate()` makes one.
            previous: Secrets that sealed earlier. The same rules apply to them, but they may
                have commas and spaces.

        Raises:
            WrongWiring: a secret is missing, too short, or clearly not random; or `secret` has a
                comma or white space, where `IGNITER_SECRET_PREVIOUS` is split.
        """
        sealing = Key(require_listable_secret(require_strong_secret(secret)))
        return Keyring([sealing, *(Key(require_strong_secret(one)) for one in previous)])

    @staticmethod
    def generate() -> Secret:
        """A new random secret of 256 bits, as 43 characters. Store it as you store passwords."""
        # The one place in core that draws entropy: making a key decides nothing.
        return Secret(encode_base64url(AESGCM.generate_key(256)))

    def find(self, key_id: bytes) -> Key | None:
        """The key with this id; None if it is not in the keyring."""
        return self._keys.get(key_id)

    def __repr__(self) -> str:
        return f"Keyring({len(self._keys)} keys, seals with {self.sealing_key.id.hex()})"
