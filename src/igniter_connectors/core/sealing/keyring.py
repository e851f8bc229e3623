"""Keys out of secrets: HKDF-SHA256, a label a purpose, a subkey a tenant (RFC 5869)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from igniter_connectors.core.http.base64url import url_safe
from igniter_connectors.core.problem import EncryptionSecretRequired, WrongWiring
from igniter_connectors.core.sealing.associated_data import Purpose, length_prefixed
from igniter_connectors.core.secret import Secret

SECRET_LENGTH: Final = 32
"""The shortest secret taken, in characters. HKDF does not strengthen a guessable one."""

KEY_ID_LENGTH: Final = 8
_DISTINCT: Final = 8


@final
class Key:
    """One secret's keys. `id` is 8 bytes derived from the secret, so it needs no register."""

    __slots__ = ("_root", "id")

    def __init__(self, secret: Secret) -> None:
        self._root = HKDF.extract(SHA256(), b"igniter-connectors v1", secret.reveal().encode())
        self.id = _expand(self._root, b"key id", KEY_ID_LENGTH)

    def cipher(self, purpose: Purpose, scope: str, identity: str) -> AESGCM:
        """The AES-256-GCM cipher of one tenant for one purpose. Derives anew: some 5 µs."""
        info = b"cipher" + length_prefixed(purpose, scope, identity)
        return AESGCM(_expand(self._root, info, 32))

    def __repr__(self) -> str:
        return f"Key(id={self.id.hex()})"


@final
class Keyring:
    """The keys that open; the first of them seals.

    Rotation without downtime: add the new secret to `previous` everywhere, make it the
    first everywhere, reseal, take the old one out.
    """

    __slots__ = ("_keys", "sealing_key")

    def __init__(self, keys: Sequence[Key]) -> None:
        self.sealing_key = keys[0]
        self._keys = {key.id: key for key in keys}

    @staticmethod
    def from_secret(secret: str | Secret | None, previous: Sequence[str | Secret] = ()) -> Keyring:
        """A keyring that seals with `secret` and opens with it and the `previous` ones.

        Args:
            secret: Random, at least 32 characters: `Keyring.generate()` makes one.
            previous: Secrets sealed with earlier, as strong.

        Raises:
            WrongWiring: a secret is missing, short, or plainly not random.
        """
        return Keyring([Key(_strong(one)) for one in (secret, *previous)])

    @staticmethod
    def generate() -> Secret:
        """A new random secret of 256 bits, 43 characters. Keep it as you keep passwords."""
        # The one place in core that draws entropy: making a key decides nothing.
        return Secret(url_safe(AESGCM.generate_key(256)))

    def find(self, key_id: bytes) -> Key | None:
        """The key with this id; None where the keyring has it not."""
        return self._keys.get(key_id)

    def __repr__(self) -> str:
        return f"Keyring({len(self._keys)} keys, seals with {self.sealing_key.id.hex()})"


def _expand(root: bytes, info: bytes, length: int) -> bytes:
    return HKDFExpand(SHA256(), length, info).derive(root)


def _strong(secret: str | Secret | None) -> Secret:
    text = secret.reveal() if isinstance(secret, Secret) else secret or ""
    if not text:
        raise WrongWiring(EncryptionSecretRequired("there is no secret to seal with"))
    if len(text) < SECRET_LENGTH:
        raise WrongWiring(
            EncryptionSecretRequired(
                f"the secret has {len(text)} characters; {SECRET_LENGTH} are the least"
            )
        )
    if not text.isprintable():  # lone surrogates among them
        raise WrongWiring(EncryptionSecretRequired("the secret is not plain text"))
    if len(set(text)) < _DISTINCT:
        raise WrongWiring(EncryptionSecretRequired("the secret is not random"))
    return Secret(text)
