"""The envelope: the bytes of a sealed value.

```
 0       1 byte    format version, 1
 1 ..  9  8 bytes   key id
 9 .. 21 12 bytes   nonce, random
21 ..    the ciphertext, as long as the plaintext, and a 16-byte tag
```

AES-256-GCM (NIST SP 800-38D). The associated data is the first 9 bytes, then the binding
(`associated_data.associated_data`). With random nonces a key may seal at most 2^32 times
(section 8.3). Each tenant has its own key for each purpose, so the limit counts per tenant.
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


class BoundCipher(msgspec.Struct, frozen=True):
    """A key's cipher for one binding: the first 9 bytes of its envelopes, and associated data."""

    header: bytes
    cipher: AESGCM
    associated: bytes


def seal_envelope(plaintext: bytes, cipher: BoundCipher, nonce: bytes) -> bytes:
    """The plaintext as an envelope. `nonce` is 12 fresh random bytes, never used before."""
    return cipher.header + nonce + cipher.cipher.encrypt(nonce, plaintext, cipher.associated)


def open_envelope(sealed: bytes, cipher: BoundCipher) -> bytes | None:
    """The plaintext; None if the envelope is damaged, or of another key or binding.

    Returns a plain value, because every action pays for it. `sealer` returns a Result.
    """
    if not sealed.startswith(cipher.header):
        return None
    try:
        return cipher.cipher.decrypt(sealed[NONCE], sealed[TEXT], cipher.associated)
    except (InvalidTag, ValueError):  # ValueError: the envelope ends inside the nonce
        return None


def key_id_of(sealed: bytes) -> str:
    """The id of the key that sealed, in hex. Shows whether a key is still in use."""
    return sealed[KEY_ID_AT:NONCE_AT].hex()
