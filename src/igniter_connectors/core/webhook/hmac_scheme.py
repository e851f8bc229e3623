"""HMAC signatures, as an `HmacScheme` describes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

import msgspec

from igniter_connectors.core.http.messages import HttpRequest
from igniter_connectors.core.webhook import verified as v
from igniter_connectors.core.webhook.batch import split_batch
from igniter_connectors.core.webhook.constant_time import (
    MAX_HEADER_LENGTH,
    any_matches,
    signed_time,
)
from igniter_connectors.core.webhook.json_object import (
    event_id_in,
    integer_in,
    is_event_id,
    read_object,
)
from igniter_connectors.core.webhook.schemes import (
    BareSignature,
    HmacScheme,
    KeyedSignature,
    signed_parts,
)
from igniter_connectors.core.webhook.signing_keys import SigningKey
from igniter_connectors.core.webhook.verified import VerificationFailure, Verified


def check_hmac(
    scheme: HmacScheme, request: HttpRequest, keys: Sequence[SigningKey], now: datetime
) -> Verified | VerificationFailure:
    """What the signature proves. Fields of the body are read only after it matched."""
    header = read_header(scheme, request, scheme.header)
    if header is None or len(header) > MAX_HEADER_LENGTH:
        return v.NO_HEADER
    signatures, timestamp = _signatures_and_time(scheme, request, header)
    names = signed_parts(scheme.signed)[1::2]
    signed_at = (
        signed_time(timestamp, unit=scheme.timestamp_unit) if timestamp is not None else None
    )
    if "timestamp" in names and not _is_within_tolerance(signed_at, scheme, now):
        return v.OUT_OF_TOLERANCE
    event_id = _event_id_header(scheme, request, is_required="id" in names)
    if isinstance(event_id, VerificationFailure):
        return event_id
    octets = _signature_octets(scheme, signatures)
    signed = signed_bytes(scheme.signed, request, timestamp=timestamp or "", event_id=event_id)
    if not any_matches(octets, signed, keys, scheme.algorithm, scheme.encoding):
        return v.NO_MATCH
    verified = Verified(event_id or None, "id" in names, signed_at)
    if not (scheme.timestamp_field or scheme.id_field or scheme.split_field):
        return verified
    return _with_body_fields(scheme, request.body, verified, now)


def signed_bytes(template: str, request: HttpRequest, *, timestamp: str, event_id: str) -> bytes:
    """The bytes that are signed: the template with its placeholders replaced."""
    values = {
        "body": request.body,
        "timestamp": timestamp.encode("utf-8", "replace"),
        "id": event_id.encode("utf-8", "replace"),
        "method": request.method.encode("utf-8", "replace"),
        "url": request.url.encode("utf-8", "replace"),
    }
    parts = signed_parts(template)
    return b"".join(
        values[part] if index % 2 else part.encode() for index, part in enumerate(parts)
    )


def read_header(scheme: HmacScheme, request: HttpRequest, name: str) -> str | None:
    """A header's value under the first of its names that is present; None if given twice."""
    value = request.header(name)
    if value is None and scheme.header_aliases:
        for spelling in _spellings(scheme, name):
            if request.has_header(spelling):
                return request.header(spelling)
    return value


def _spellings(scheme: HmacScheme, name: str) -> tuple[str, ...]:
    wanted = name.lower()
    return (name, *(other for one, other in scheme.header_aliases if one.lower() == wanted))


def _signatures_and_time(
    scheme: HmacScheme, request: HttpRequest, header: str
) -> tuple[list[str], str | None]:
    match scheme.layout:
        case BareSignature(prefix=prefix):
            signatures = [header.removeprefix(prefix)] if header.startswith(prefix) else []
            name = scheme.timestamp_header
            return signatures, read_header(scheme, request, name) if name else None
        case KeyedSignature(signature=key, timestamp=timestamp_key):
            pairs = [pair.strip().partition("=") for pair in header.split(",")]
            times = [value for name, _, value in pairs if name == timestamp_key]
            signatures = [value for name, _, value in pairs if name == key]
            return signatures, times[0] if len(times) == 1 else None
        case never:
            assert_never(never)


def _signature_octets(scheme: HmacScheme, signatures: Sequence[str]) -> list[bytes]:
    """The signatures as bytes to compare; hex in lower case."""
    octets = [text.encode("utf-8", "replace") for text in signatures]
    return [one.lower() for one in octets] if scheme.encoding == "hex" else octets


def _event_id_header(
    scheme: HmacScheme, request: HttpRequest, *, is_required: bool
) -> str | VerificationFailure:
    """The event id from its header; "" if it is absent and not required."""
    name = scheme.id_header
    event_id = read_header(scheme, request, name) if name else None
    if event_id is None and name and any(map(request.has_header, _spellings(scheme, name))):
        return v.REPEATED_ID
    if event_id is not None and not is_event_id(event_id):
        return v.INVALID_ID
    if is_required and not event_id:
        return VerificationFailure("the event id is missing")
    return event_id or ""


def _is_within_tolerance(signed_at: datetime | None, scheme: HmacScheme, now: datetime) -> bool:
    return signed_at is not None and abs(now - signed_at) <= scheme.tolerance


def _with_body_fields(
    scheme: HmacScheme, body: bytes, verified: Verified, now: datetime
) -> Verified | VerificationFailure:
    fields = read_object(body)
    if scheme.timestamp_field:
        number = integer_in(fields, scheme.timestamp_field)
        signed_at = None if number is None else signed_time(str(number), unit=scheme.timestamp_unit)
        if not _is_within_tolerance(signed_at, scheme, now):
            return v.OUT_OF_TOLERANCE
        verified = msgspec.structs.replace(verified, signed_at=signed_at)
    if scheme.id_field:
        event_id = event_id_in(fields, scheme.id_field)
        is_signed = event_id is not None
        verified = msgspec.structs.replace(
            verified, event_id=event_id, event_id_is_signed=is_signed
        )
    if scheme.split_field:
        batch = split_batch(fields, scheme.split_field)
        if batch is None:
            return v.TOO_MANY_EVENTS
        verified = msgspec.structs.replace(verified, batch=batch)
    return verified
