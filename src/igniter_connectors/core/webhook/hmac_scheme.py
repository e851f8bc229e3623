"""One's provider's HMAC, as the scheme's data describes it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

import msgspec

from igniter_connectors.core.webhook.batch import TOO_MANY, split
from igniter_connectors.core.webhook.constant_time import (
    DOUBLE_ID,
    LONGEST_HEADER,
    NO_HEADER,
    NO_MATCH,
    OUT_OF_TOLERANCE,
    UNUSABLE_ID,
    any_matches,
    instant,
)
from igniter_connectors.core.webhook.json_object import (
    event_id_in,
    integer_in,
    is_event_id,
    read_object,
)
from igniter_connectors.core.webhook.request import Refused, SignedRequest, Verified
from igniter_connectors.core.webhook.schemes import (
    BareSignature,
    HmacScheme,
    KeyedSignature,
    signed_parts,
)
from igniter_connectors.core.webhook.signing_keys import SigningKey


def proof_of_hmac(
    scheme: HmacScheme, request: SignedRequest, keys: Sequence[SigningKey], now: datetime
) -> Verified | Refused:
    """What the signature proves; what the body says is read once it matched."""
    header = request.header(scheme.header)
    if header is None or len(header) > LONGEST_HEADER:
        return NO_HEADER
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
    signed_at = instant(timestamp, unit=scheme.timestamp_unit) if timestamp is not None else None
    if "timestamp" in names and (signed_at is None or abs(now - signed_at) > scheme.tolerance):
        return OUT_OF_TOLERANCE
    event_id = request.header(scheme.id_header) if scheme.id_header else None
    if event_id is None and scheme.id_header and request.has(scheme.id_header):
        return DOUBLE_ID
    if event_id is not None and not is_event_id(event_id):
        return UNUSABLE_ID
    if "id" in names and not event_id:
        return Refused("the event's id is missing")
    octets = [text.encode("utf-8", "replace") for text in given]
    if scheme.encoding == "hex":
        octets = [signature.lower() for signature in octets]
    signed = signed_bytes(
        scheme.signed, request, timestamp=timestamp or "", event_id=event_id or ""
    )
    if not any_matches(octets, signed, keys, scheme.algorithm, scheme.encoding):
        return NO_MATCH
    verified = Verified(event_id or None, "id" in names, signed_at)
    if not (scheme.timestamp_field or scheme.id_field or scheme.split_field):
        return verified
    return _with_fields(scheme, request.body, verified, now)


def signed_bytes(template: str, request: SignedRequest, *, timestamp: str, event_id: str) -> bytes:
    """The template with its placeholders filled in."""
    values = {
        "body": request.body,
        "timestamp": timestamp.encode("utf-8", "replace"),
        "id": event_id.encode("utf-8", "replace"),
        "method": request.method.encode("utf-8", "replace"),
        "url": request.public_url.encode("utf-8", "replace"),
    }
    parts = signed_parts(template)
    return b"".join(
        values[part] if index % 2 else part.encode() for index, part in enumerate(parts)
    )


def _with_fields(
    scheme: HmacScheme, body: bytes, verified: Verified, now: datetime
) -> Verified | Refused:
    fields = read_object(body)
    if scheme.timestamp_field:
        number = integer_in(fields, scheme.timestamp_field)
        signed_at = None if number is None else instant(str(number), unit=scheme.timestamp_unit)
        if signed_at is None or abs(now - signed_at) > scheme.tolerance:
            return OUT_OF_TOLERANCE
        verified = msgspec.structs.replace(verified, signed_at=signed_at)
    if scheme.id_field:
        event_id = event_id_in(fields, scheme.id_field)
        is_signed = event_id is not None
        verified = msgspec.structs.replace(
            verified, event_id=event_id, event_id_is_signed=is_signed
        )
    if scheme.split_field:
        parts = split(fields, scheme.split_field)
        if parts is None:
            return TOO_MANY
        verified = msgspec.structs.replace(verified, parts=parts)
    return verified
