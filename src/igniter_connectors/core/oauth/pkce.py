"""Proof Key for Code Exchange, only with S256. RFC 7636."""

from __future__ import annotations

import hashlib

from igniter_connectors.core.http.base64url import encode_base64url


def new_verifier(entropy: bytes) -> str:
    """The code verifier: 32 random octets in base64url, 43 characters (section 4.1)."""
    return encode_base64url(entropy)


def challenge_of(verifier: str) -> str:
    """`BASE64URL(SHA256(ASCII(verifier)))` (section 4.2)."""
    return encode_base64url(hashlib.sha256(verifier.encode("ascii")).digest())
