"""Key derivation: HKDF-SHA256 (RFC 5869), one label per purpose and one subkey per tenant."""

from __future__ import annotations

import re
from typing import Final, final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from igniter_connectors.core.problem import EncryptionSecretRequired, WrongWiring
from igniter_connectors.core.sealing.associated_data import Purpose, length_prefixed
from igniter_connectors.core.secret import Secret

MIN_SECRET_LENGTH: Final = 32
"""In characters. HKDF does not make a guessable secret strong."""

SEPARATOR: Final = re.compile(r"[\s,]+")
"""What separates the secrets of a list."""

KEY_ID_LENGTH: Final = 8
_MIN_DISTINCT_CHARACTERS: Final = 8


@final
class Key:
    """The keys of one secret.

    `id` is 8 bytes derived from the secret, so no list of key ids is needed.
    """

    __slots__ = ("_root", "id")

    def __init__(self, secret: Secret) -> None:
        self._root = HKDF.extract(SHA256(), b"igniter-connectors v1", secret.reveal().encode())
        self.id: bytes = _expand(self._root, b"key id", KEY_ID_LENGTH)

    def cipher(self, purpose: Purpose, scope: str, identity: str) -> AESGCM:
        """The AES-256-GCM cipher of one tenant for one purpose. Not cached: costs about 5 µs."""
        info = b"cipher" + length_prefixed(purpose, scope, identity)
        return AESGCM(_expand(self._root, info, 32))

    def __repr__(self) -> str:
        return f"Key(id={self.id.hex()})"


def require_strong_secret(secret: str | Secret | None) -> Secret:
    """The secret, if a key may be derived from it.

    Raises:
        WrongWiring: it is missing, shorter than 32 characters, not printable text, or has
            fewer than 8 different characters.
    """
    text = secret.reveal() if isinstance(secret, Secret) else secret or ""
    if not text:
        raise WrongWiring(EncryptionSecretRequired("there is no secret to encrypt with"))
    if len(text) < MIN_SECRET_LENGTH:
        raise WrongWiring(
            EncryptionSecretRequired(
                f"the secret has {len(text)} characters; at least {MIN_SECRET_LENGTH} are needed"
            )
        )
    if not text.isprintable():  # for example lone surrogates
        raise WrongWiring(EncryptionSecretRequired("the secret is not printable text"))
    if len(set(text)) < _MIN_DISTINCT_CHARACTERS:
        raise WrongWiring(EncryptionSecretRequired("the secret is not random"))
    return Secret(text)


def require_listable_secret(secret: Secret) -> Secret:
    """The secret, if a list with commas or white space in between can hold it.

    After a rotation a secret stands in such a list (`IGNITER_SECRET_PREVIOUS`), and must give the
    same key there.

    Raises:
        WrongWiring: it has a comma or white space.
    """
    if SEPARATOR.search(secret.reveal()):
        raise WrongWiring(
            EncryptionSecretRequired(
                "the secret has a comma or white space, so IGNITER_SECRET_PREVIOUS, which is "
                "split there, could not hold it after a rotation"
            )
        )
    return secret


def _expand(root: bytes, info: bytes, length: int) -> bytes:
    return HKDFExpand(SHA256(), length, info).derive(root)
