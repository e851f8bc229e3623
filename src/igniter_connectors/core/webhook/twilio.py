"""Twilio's signature: the public URL, and the form's fields or the body's hash."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from igniter_connectors.core.webhook.constant_time import (
    DOUBLE_ID,
    LONGEST_HEADER,
    NO_HEADER,
    NO_MATCH,
    UNUSABLE_ID,
    any_matches,
)
from igniter_connectors.core.webhook.form import read_form, read_query, single_field
from igniter_connectors.core.webhook.json_object import is_event_id
from igniter_connectors.core.webhook.request import Refused, SignedRequest, Verified
from igniter_connectors.core.webhook.schemes import TWILIO_ID, TWILIO_SIGNATURE, TwilioScheme
from igniter_connectors.core.webhook.signing_keys import SigningKey

_PORTS: Final = {"https": "443", "http": "80"}


def proof_of_twilio(
    scheme: TwilioScheme, request: SignedRequest, keys: Sequence[SigningKey]
) -> Verified | Refused:
    """What the signature proves. The idempotency token is not part of it.

    https://www.twilio.com/docs/usage/webhooks/webhooks-security; twilio-python 9.13, read 2026-11
    """
    header = request.header(TWILIO_SIGNATURE)
    if header is None or len(header) > LONGEST_HEADER:
        return NO_HEADER
    event_id = request.header(TWILIO_ID)
    if event_id is None and request.has(TWILIO_ID):
        return DOUBLE_ID
    if event_id is not None and not is_event_id(event_id):
        return UNUSABLE_ID
    if scheme.body_format == "json":
        if not _is_body_hashed(request):
            return Refused("bodySHA256 is missing, double or not that of the body")
        content = request.body
        signed = [url.encode("utf-8", "replace") for url in spellings(request.public_url)]
    else:
        fields = read_form(request.body)
        if fields is None:
            return Refused("the body is no form")
        content = signed_fields(fields)
        signed = [url.encode("utf-8", "replace") + content for url in spellings(request.public_url)]
    given = [header.encode("utf-8", "replace")]
    matched = False
    for text in signed:
        matched |= any_matches(given, text, keys, scheme.algorithm, "base64")
    if not matched:
        return NO_MATCH
    return Verified(event_id or None, False, None, signed_content=content)


def signed_fields(fields: Sequence[tuple[str, str]]) -> bytes:
    """Names and values, sorted, with nothing between; the same pair counts once."""
    return "".join(name + value for name, value in sorted(set(fields))).encode()


def spellings(url: str) -> tuple[str, str]:
    """The URL without a port and with one: Twilio signs now this and now that."""
    scheme, _, rest = url.partition("://")
    authority = rest.partition("/")[0].partition("?")[0]
    path = rest[len(authority) :]
    # What follows the last colon is no port where it closes an IPv6 address.
    host, colon, port = authority.rpartition(":")
    if not (colon and port.isdigit()):
        host, port = authority, _PORTS.get(scheme, "443")
    return f"{scheme}://{host}{path}", f"{scheme}://{host}:{port}{path}"


def _is_body_hashed(request: SignedRequest) -> bool:
    query = read_query(request.public_url)
    stated = single_field(query, "bodySHA256") if query is not None else None
    if stated is None:
        return False
    actual = hashlib.sha256(request.body).hexdigest()
    return hmac.compare_digest(actual.encode(), stated.lower().encode())
