"""Is this webhook genuine? Over the raw bytes, in constant time, before anything decodes them."""

from __future__ import annotations

import hmac
from binascii import b2a_base64
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, assert_never

from returns.result import Failure, Result, Success

from igniter_connectors.core.http import single_headers
from igniter_connectors.core.secret import Secret
from igniter_connectors.core.webhook.request import Refused, SignedRequest, Verified
from igniter_connectors.core.webhook.schemes import (
    STANDARD_HEADERS,
    AcceptUnsignedEvents,
    BareSignature,
    HmacScheme,
    KeyedSignature,
    StandardWebhooks,
    Verification,
    signed_parts,
    signing_key,
)

_MOST_SIGNATURES: Final = 16
_LONGEST_HEADER: Final = 4096
_LONGEST_ID: Final = 255
_LONGEST_SECONDS: Final = 11

_REFUSED: Final = Refused("no signature matches")


def verify(
    scheme: Verification,
    request: SignedRequest,
    secrets: Sequence[Secret],
    *,
    now: datetime,
) -> Result[Verified, Refused]:
    """What the signature proves, judged against every live secret: `proof` as a Result.

    Args:
        scheme: How the provider signs.
        request: As received; nothing of the body has been decoded.
        secrets: One, or several while they rotate; any may match.
        now: Aware instant of arrival.

    Returns:
        What was proven, or `Refused`: a header absent, twice, or malformed; a time out of
        tolerance; no match. A malformed header is a refusal, never an exception.
    """
    keys = [key for secret in secrets if (key := signing_key(scheme, secret)) is not None]
    judged = proof(scheme, request, keys, now=now)
    return Failure(judged) if isinstance(judged, Refused) else Success(judged)


def proof(
    scheme: Verification, request: SignedRequest, keys: Sequence[bytes], *, now: datetime
) -> Verified | Refused:
    """What `verify` returns, as a plain value and with the secrets' HMAC keys.

    Every delivery pays for this: a Result costs it 0.5 µs.
    """
    if isinstance(scheme, StandardWebhooks):
        return _proof_of_standard(scheme, request, keys, now)
    if isinstance(scheme, HmacScheme):
        return _proof_of_hmac(scheme, request, keys, now)
    _: AcceptUnsignedEvents = scheme
    return Verified(None, event_id_is_signed=False, signed_at=None)


def _proof_of_standard(
    scheme: StandardWebhooks, request: SignedRequest, keys: Sequence[bytes], now: datetime
) -> Verified | Refused:
    names = id_name, timestamp_name, signature_name = STANDARD_HEADERS[scheme.header_prefix]
    headers = single_headers(request.headers, names)
    event_id = headers.get(id_name)
    timestamp = headers.get(timestamp_name)
    header = headers.get(signature_name)
    if not event_id or timestamp is None or header is None or len(header) > _LONGEST_HEADER:
        return Refused("a header is missing, double or too long")
    if len(event_id) > _LONGEST_ID or not (event_id.isascii() and event_id.isprintable()):
        return Refused("the event's id cannot be used")
    signed_at = _instant(timestamp)
    if signed_at is None or abs(now - signed_at) > scheme.tolerance:
        return Refused("the time is missing or out of tolerance")
    given: list[bytes] = []
    for part in header.encode("utf-8", "replace").split(b" "):
        if part.startswith(b"v1,"):
            given.append(part[3:])  # noqa: PERF401  # a comprehension costs 0.3 µs, this 0.1
    signed = f"{event_id}.{timestamp}.".encode() + request.body
    if not _any_matches(given, signed, keys, "sha256", "base64"):
        return _REFUSED
    return Verified(event_id, True, signed_at)


def _proof_of_hmac(
    scheme: HmacScheme, request: SignedRequest, keys: Sequence[bytes], now: datetime
) -> Verified | Refused:
    header = request.header(scheme.header)
    if header is None or len(header) > _LONGEST_HEADER:
        return Refused("the signature's header is missing, double or too long")
    timestamp = request.header(scheme.timestamp_header) if scheme.timestamp_header else None
    match scheme.layout:
        case BareSignature(prefix=prefix):
            given = [header.removeprefix(prefix)] if header.startswith(prefix) else []
        case KeyedSignature(signature=key, timestamp=timestamp_key):
            pairs = [pair.strip().partition("=") for pair in header.split(",")]
            given = [value for name, _, value in pairs if name == key]
            times = [value for name, _, value in pairs if name == timestamp_key]
            timestamp = times[0] if len(times) == 1 else None
        case never:
            assert_never(never)
    names = signed_parts(scheme.signed)[1::2]
    signed_at = _instant(timestamp) if timestamp is not None else None
    if "timestamp" in names and (signed_at is None or abs(now - signed_at) > scheme.tolerance):
        return Refused("the time is missing or out of tolerance")
    event_id = request.header(scheme.id_header) if scheme.id_header else None
    if event_id is None and scheme.id_header and request.has(scheme.id_header):
        return Refused("the event's id stands twice")
    if event_id is not None and (len(event_id) > _LONGEST_ID or not event_id.isprintable()):
        return Refused("the event's id cannot be used")
    if "id" in names and not event_id:
        return Refused("the event's id is missing")
    signed = _signed_bytes(scheme.signed, request.body, timestamp or "", event_id or "")
    octets = [text.encode("utf-8", "replace") for text in given]
    if scheme.encoding == "hex":
        octets = [signature.lower() for signature in octets]
    if not _any_matches(octets, signed, keys, scheme.algorithm, scheme.encoding):
        return _REFUSED
    return Verified(event_id or None, "id" in names, signed_at)


def _signed_bytes(template: str, body: bytes, timestamp: str, event_id: str) -> bytes:
    values = {"body": body, "timestamp": timestamp.encode(), "id": event_id.encode()}
    parts = signed_parts(template)
    return b"".join(
        values[part] if index % 2 else part.encode() for index, part in enumerate(parts)
    )


def _any_matches(
    given: Sequence[bytes], signed: bytes, keys: Sequence[bytes], algorithm: str, encoding: str
) -> bool:
    # Compared as text: the digest is encoded once, and nothing a stranger sent is decoded.
    signatures = given[:_MOST_SIGNATURES]
    matched = False
    for key in keys:
        digest = hmac.digest(key, signed, algorithm)
        expected = (
            b2a_base64(digest, newline=False) if encoding == "base64" else digest.hex().encode()
        )
        for signature in signatures:
            # No early way out: time tells neither which secret matched nor which signature.
            matched |= hmac.compare_digest(signature, expected)
    return matched


def _instant(text: str) -> datetime | None:
    is_seconds = text.isascii() and text.isdigit() and len(text) <= _LONGEST_SECONDS
    return datetime.fromtimestamp(int(text), UTC) if is_seconds else None
