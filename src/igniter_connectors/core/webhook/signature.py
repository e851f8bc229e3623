"""Is this webhook genuine? Over the raw bytes, in constant time, before anything decodes them."""

from __future__ import annotations

import hmac
import re
from binascii import b2a_base64
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from returns.result import Failure, Result, Success

from igniter_connectors.core.http import single_header
from igniter_connectors.core.secret import Secret
from igniter_connectors.core.webhook.request import Refused, SignedRequest, Verified
from igniter_connectors.core.webhook.schemes import (
    AcceptUnsignedEvents,
    BareSignature,
    HmacScheme,
    KeyedSignature,
    StandardWebhooks,
    Verification,
    signed_parts,
    signing_key,
)

_SECONDS: Final = re.compile(r"[0-9]{1,11}", re.ASCII)
_MOST_SIGNATURES: Final = 16
_LONGEST_HEADER: Final = 4096
_LONGEST_ID: Final = 255

_REFUSED: Final = Refused("no signature matches")


def verify(
    scheme: Verification,
    request: SignedRequest,
    secrets: Sequence[Secret],
    *,
    now: datetime,
) -> Result[Verified, Refused]:
    """What the signature proves, judged against every live secret.

    Args:
        scheme: How the provider signs.
        request: As received; nothing of the body has been decoded.
        secrets: One, or several while they rotate; any may match.
        now: Aware instant of arrival.

    Returns:
        What was proven, or `Refused`: a header absent, twice, or malformed; a time out of
        tolerance; no match. A malformed header is a refusal, never an exception.
    """
    match scheme:
        case StandardWebhooks():
            return _verify_standard(scheme, request, secrets, now)
        case HmacScheme():
            return _verify_hmac(scheme, request, secrets, now)
        case AcceptUnsignedEvents():
            return Success(Verified(None, event_id_is_signed=False, signed_at=None))


def _verify_standard(
    scheme: StandardWebhooks,
    request: SignedRequest,
    secrets: Sequence[Secret],
    now: datetime,
) -> Result[Verified, Refused]:
    prefix, headers = scheme.header_prefix, request.headers
    event_id = single_header(headers, f"{prefix}-id")
    timestamp = single_header(headers, f"{prefix}-timestamp")
    header = single_header(headers, f"{prefix}-signature")
    if not event_id or timestamp is None or header is None or len(header) > _LONGEST_HEADER:
        return Failure(Refused("a header is missing, double or too long"))
    if len(event_id) > _LONGEST_ID or not (event_id.isascii() and event_id.isprintable()):
        return Failure(Refused("the event's id cannot be used"))
    signed_at = _instant(timestamp)
    if signed_at is None or not _is_near(signed_at, now, scheme.tolerance):
        return Failure(Refused("the time is missing or out of tolerance"))
    given = [part[3:] for part in header.split(" ") if part.startswith("v1,")]
    signed = f"{event_id}.{timestamp}.".encode() + request.body
    if not _any_matches(given, signed, _keys(scheme, secrets), "sha256", "base64"):
        return Failure(_REFUSED)
    return Success(Verified(event_id, event_id_is_signed=True, signed_at=signed_at))


def _verify_hmac(
    scheme: HmacScheme, request: SignedRequest, secrets: Sequence[Secret], now: datetime
) -> Result[Verified, Refused]:
    header = request.header(scheme.header)
    if header is None or len(header) > _LONGEST_HEADER:
        return Failure(Refused("the signature's header is missing, double or too long"))
    timestamp = request.header(scheme.timestamp_header) if scheme.timestamp_header else None
    match scheme.layout:
        case BareSignature(prefix=prefix):
            given = [header.removeprefix(prefix)] if header.startswith(prefix) else []
        case KeyedSignature(signature=key, timestamp=timestamp_key):
            pairs = [pair.strip().partition("=") for pair in header.split(",")]
            given = [value for name, _, value in pairs if name == key]
            times = [value for name, _, value in pairs if name == timestamp_key]
            timestamp = times[0] if len(times) == 1 else None
    names = signed_parts(scheme.signed)[1::2]
    signed_at = _instant(timestamp) if timestamp is not None else None
    if "timestamp" in names and (
        signed_at is None or not _is_near(signed_at, now, scheme.tolerance)
    ):
        return Failure(Refused("the time is missing or out of tolerance"))
    event_id = request.header(scheme.id_header) if scheme.id_header else None
    if event_id is None and scheme.id_header and request.has(scheme.id_header):
        return Failure(Refused("the event's id stands twice"))
    if event_id is not None and (len(event_id) > _LONGEST_ID or not event_id.isprintable()):
        return Failure(Refused("the event's id cannot be used"))
    if "id" in names and not event_id:
        return Failure(Refused("the event's id is missing"))
    signed = _signed_bytes(scheme.signed, request.body, timestamp or "", event_id or "")
    if not _any_matches(given, signed, _keys(scheme, secrets), scheme.algorithm, scheme.encoding):
        return Failure(_REFUSED)
    return Success(Verified(event_id or None, "id" in names, signed_at))


def _signed_bytes(template: str, body: bytes, timestamp: str, event_id: str) -> bytes:
    values = {"body": body, "timestamp": timestamp.encode(), "id": event_id.encode()}
    parts = signed_parts(template)
    return b"".join(
        values[part] if index % 2 else part.encode() for index, part in enumerate(parts)
    )


def _keys(scheme: Verification, secrets: Sequence[Secret]) -> list[bytes]:
    return [key for key in (signing_key(scheme, secret) for secret in secrets) if key is not None]


def _any_matches(
    given: Sequence[str], signed: bytes, keys: Sequence[bytes], algorithm: str, encoding: str
) -> bool:
    # Compared as text: the digest is encoded once, and nothing a stranger sent is decoded.
    signatures = [text.encode("utf-8", "replace") for text in given[:_MOST_SIGNATURES]]
    if encoding == "hex":
        signatures = [signature.lower() for signature in signatures]
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
    return datetime.fromtimestamp(int(text), UTC) if _SECONDS.fullmatch(text) else None


def _is_near(instant: datetime, now: datetime, tolerance: timedelta) -> bool:
    return abs(now - instant) <= tolerance
