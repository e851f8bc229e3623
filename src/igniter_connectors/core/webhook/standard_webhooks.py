"""Standard Webhooks 1.0, section "Signature scheme": symmetric and asymmetric."""

from __future__ import annotations

from binascii import a2b_base64
from collections.abc import Sequence
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from igniter_connectors.core.http.messages import single_headers
from igniter_connectors.core.webhook.constant_time import (
    LONGEST_HEADER,
    MOST_SIGNATURES,
    NO_MATCH,
    OUT_OF_TOLERANCE,
    UNUSABLE_ID,
    any_matches,
    instant,
)
from igniter_connectors.core.webhook.json_object import LONGEST_ID
from igniter_connectors.core.webhook.request import Refused, SignedRequest, Verified
from igniter_connectors.core.webhook.schemes import STANDARD_HEADERS, StandardWebhooks
from igniter_connectors.core.webhook.signing_keys import SigningKey


def proof_of_standard(
    scheme: StandardWebhooks, request: SignedRequest, keys: Sequence[SigningKey], now: datetime
) -> Verified | Refused:
    """What one of the listed signatures proves: id, time and body."""
    names = id_name, timestamp_name, signature_name = STANDARD_HEADERS[scheme.header_prefix]
    headers = single_headers(request.headers, names)
    event_id = headers.get(id_name)
    timestamp = headers.get(timestamp_name)
    header = headers.get(signature_name)
    if not event_id or timestamp is None or header is None or len(header) > LONGEST_HEADER:
        return Refused("a header is missing, double or too long")
    if len(event_id) > LONGEST_ID or not (event_id.isascii() and event_id.isprintable()):
        return UNUSABLE_ID
    signed_at = instant(timestamp)
    if signed_at is None or abs(now - signed_at) > scheme.tolerance:
        return OUT_OF_TOLERANCE
    given: list[bytes] = []
    asymmetric: list[bytes] = []
    for part in header.encode("utf-8", "replace").split(b" "):
        if part.startswith(b"v1,"):
            given.append(part[3:])  # two comprehensions cost 0.3 µs more
        elif part.startswith(b"v1a,"):
            asymmetric.append(part[4:])
    signed = f"{event_id}.{timestamp}.".encode() + request.body
    if any_matches(given, signed, keys, "sha256", "base64") or (
        asymmetric and _any_verifies(asymmetric, signed, keys)
    ):
        return Verified(event_id, True, signed_at)
    return NO_MATCH


def _any_verifies(given: Sequence[bytes], signed: bytes, keys: Sequence[SigningKey]) -> bool:
    # Nothing here is secret, so the first that verifies ends it.
    for key in keys:
        if isinstance(key, bytes):
            continue
        public = Ed25519PublicKey.from_public_bytes(key.octets)
        for signature in given[:MOST_SIGNATURES]:
            try:
                public.verify(a2b_base64(signature, strict_mode=True), signed)
            except (ValueError, InvalidSignature):
                continue
            return True
    return False
