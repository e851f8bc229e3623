"""Sealed bytes, byte by byte.

```
 0       1 byte    format version, 1
 1 ..  9  8 bytes   key id
 9 .. 21 12 bytes   nonce, random
21 ..    the ciphertext, as long as the plaintext, and a 16-byte tag
```

AES-256-GCM (NIST SP 800-38D). The associated data is the first 9 bytes and the binding
(`binding.associated_data`). A random nonce bounds a key to 2^32 seals (section 8.3);
keys are per tenant and purpose, so that bound is one tenant's.
"""

from __future__ import annotations

from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION: Final = b"\x01"
KEY_ID_AT: Final = 1
NONCE_AT: Final = 9
TEXT_AT: Final = 21
NONCE_LENGTH: Final = TEXT_AT - NONCE_AT

NONCE: Final = slice(NONCE_AT, TEXT_AT)
TEXT: Final = slice(TEXT_AT, None)


class PlaceCipher(msgspec.Struct, frozen=True):
    """One key's cipher for one place: the envelope's first 9 bytes, and what it is bound to."""

    header: bytes
    cipher: AESGCM
    associated: bytes


def seal_envelope(plaintext: bytes, key: PlaceCipher, nonce: bytes) -> bytes:
    """The plaintext sealed; `nonce` is 12 fresh random bytes, never used before."""
    return key.header + nonce + key.cipher.encrypt(nonce, plaintext, key.associated)


def open_envelope(sealed: bytes, key: PlaceCipher) -> bytes | None:
    """The plaintext; None where the bytes are not whole, or not of this key and place.

    A plain value, since every action pays for it; `sealer` is the edge with the Result.
    """
    if not sealed.startswith(key.header):
        return None
    try:
        return key.cipher.decrypt(sealed[NONCE], sealed[TEXT], key.associated)
    except (InvalidTag, ValueError):  # ValueError: cut off inside the nonce
        return None


def key_id_of(sealed: bytes) -> str:
    """The id of the key that sealed, in hex: what tells whether a key is still in use."""
    return sealed[KEY_ID_AT:NONCE_AT].hex()
