"""Standard Webhooks 1.0, section "Signature scheme": symmetric and asymmetric."""

from __future__ import annotations

from binascii import a2b_base64
from collections.abc import Sequence
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from igniter_connectors.core.http.messages import HttpRequest, single_headers
from igniter_connectors.core.webhook import verified as v
from igniter_connectors.core.webhook.constant_time import (
    MAX_HEADER_LENGTH,
    MAX_SIGNATURES,
    any_matches,
    signed_time,
)
from igniter_connectors.core.webhook.json_object import MAX_EVENT_ID_LENGTH
from igniter_connectors.core.webhook.schemes import STANDARD_HEADERS, StandardWebhooks
from igniter_connectors.core.webhook.signing_keys import SigningKey
from igniter_connectors.core.webhook.verified import VerificationFailure, Verified

_MISSING_HEADER = VerificationFailure("a header is missing, repeated or too long")


def check_standard_webhooks(
    scheme: StandardWebhooks, request: HttpRequest, keys: Sequence[SigningKey], now: datetime
) -> Verified | VerificationFailure:
    """What one of the listed signatures proves: id, time and body."""
    names = id_name, timestamp_name, signature_name = STANDARD_HEADERS[scheme.header_prefix]
    headers = single_headers(request.headers, names)
    if scheme.other_prefix and id_name not in headers and not request.has_header(id_name):
        names = id_name, timestamp_name, signature_name = STANDARD_HEADERS[scheme.other_prefix]
        headers = single_headers(request.headers, names)
    event_id = headers.get(id_name)
    timestamp = headers.get(timestamp_name)
    header = headers.get(signature_name)
    if not event_id or timestamp is None or header is None or len(header) > MAX_HEADER_LENGTH:
        return _MISSING_HEADER
    if len(event_id) > MAX_EVENT_ID_LENGTH or not (event_id.isascii() and event_id.isprintable()):
        return v.INVALID_ID
    signed_at = signed_time(timestamp)
    if signed_at is None or abs(now - signed_at) > scheme.tolerance:
        return v.OUT_OF_TOLERANCE
    listed = header.encode("utf-8", "replace").split(b" ")
    signatures = [entry[3:] for entry in listed if entry.startswith(b"v1,")]
    signed = f"{event_id}.{timestamp}.".encode() + request.body
    if any_matches(signatures, signed, keys, "sha256", "base64") or (
        "v1a," in header and _any_verifies(listed, signed, keys)
    ):
        return Verified(event_id, True, signed_at)
    return v.NO_MATCH


def _any_verifies(listed: Sequence[bytes], signed: bytes, keys: Sequence[SigningKey]) -> bool:
    # Everything here is public, so it may return as soon as one verifies.
    signatures = [entry[4:] for entry in listed if entry.startswith(b"v1a,")]
    for key in keys:
        if isinstance(key, bytes):
            continue
        public = Ed25519PublicKey.from_public_bytes(key.octets)
        for signature in signatures[:MAX_SIGNATURES]:
            try:
                public.verify(a2b_base64(signature, strict_mode=True), signed)
            except (ValueError, InvalidSignature):
                continue
            return True
    return False
