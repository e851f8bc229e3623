"""Signing keys: a signing secret as the key of each scheme."""

from __future__ import annotations

import base64
from binascii import a2b_base64
from typing import Final

import msgspec

from igniter_connectors.core.secret import Secret
from igniter_connectors.core.webhook.schemes import (
    MicrosoftGraphScheme,
    StandardWebhooks,
    Verification,
)

MIN_SECRET_LENGTH: Final = 16
"""The fewest characters of a new signing secret, with its prefix if it has one. Providers issue
20 or more. Every delivery lets an attacker who sees it test guesses offline."""

_SECRET_PREFIX: Final = b"whsec_"
_PUBLIC_PREFIX: Final = b"whpk_"
_PUBLIC_KEY_BYTES: Final = 32
_MAX_CLIENT_STATE_BYTES: Final = 255


class Ed25519Key(msgspec.Struct, frozen=True):
    """A provider's public key, RFC 8032.

    Its type differs from an HMAC key's. If a public key were used as an HMAC key, anyone
    could sign with it.
    """

    octets: bytes


SigningKey = bytes | Ed25519Key
"""An HMAC key (for Microsoft Graph: the `clientState`), or a public key."""


def signing_key(scheme: Verification, secret: Secret) -> SigningKey | None:
    """The key of a secret; None if the secret does not have the scheme's format."""
    try:
        return key_in(scheme, secret.reveal().encode())
    except UnicodeEncodeError:
        return None


def key_in(scheme: Verification, opened: bytes) -> SigningKey | None:
    """As `signing_key`, from the bytes of an opened envelope.

    Every delivery pays for this; wrapping the bytes in a `Secret` would cost 0.3 µs more.
    """
    if isinstance(scheme, StandardWebhooks):
        return _standard_key(opened)
    if isinstance(scheme, MicrosoftGraphScheme) and len(opened) > _MAX_CLIENT_STATE_BYTES:
        return None
    return opened or None


def signing_secret_fault(scheme: Verification, secret: Secret) -> str | None:
    """Why a secret must not be stored or configured for a scheme; None if it may be.

    The rest of a sentence that begins with "the secret". A stored secret is not judged by this,
    because it may be older than the rule.
    """
    text = secret.reveal()
    if text and not (_is_visible(text[0]) and _is_visible(text[-1])):
        return "begins or ends with white space or an invisible character: paste it again"
    if signing_key(scheme, secret) is None:
        return "does not have the scheme's format"
    if len(text) < MIN_SECRET_LENGTH:
        return f"has fewer than {MIN_SECRET_LENGTH} characters: it could be guessed"
    return None


def _is_visible(one: str) -> bool:
    return one.isprintable() and not one.isspace()


def _standard_key(opened: bytes) -> SigningKey | None:
    try:
        key = a2b_base64(opened.removeprefix(_SECRET_PREFIX), strict_mode=True)
    except ValueError:
        # Not base64. The prefix of a public key has a `_`, which base64 does not have.
        return _public_key(opened)
    return key if 24 <= len(key) <= 64 else None


def _public_key(opened: bytes) -> Ed25519Key | None:
    if not opened.startswith(_PUBLIC_PREFIX):
        return None
    try:
        key = a2b_base64(opened.removeprefix(_PUBLIC_PREFIX), strict_mode=True)
    except ValueError:
        return None
    return Ed25519Key(key) if len(key) == _PUBLIC_KEY_BYTES else None


def new_signing_secret(scheme: Verification, entropy: bytes) -> Secret:
    """A new secret in the scheme's format, from 32 random bytes."""
    if isinstance(scheme, StandardWebhooks):
        return Secret((_SECRET_PREFIX + base64.b64encode(entropy)).decode())
    return Secret(entropy.hex())
