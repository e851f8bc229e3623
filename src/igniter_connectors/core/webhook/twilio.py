"""Twilio's signature: over the public URL, and the form's fields or the body's hash."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from igniter_connectors.core.http.messages import HttpRequest
from igniter_connectors.core.webhook import verified as v
from igniter_connectors.core.webhook.constant_time import MAX_HEADER_LENGTH, any_matches
from igniter_connectors.core.webhook.form import read_form, read_query, single_field
from igniter_connectors.core.webhook.json_object import is_event_id
from igniter_connectors.core.webhook.schemes import TWILIO_ID, TWILIO_SIGNATURE, TwilioScheme
from igniter_connectors.core.webhook.signing_keys import SigningKey
from igniter_connectors.core.webhook.verified import VerificationFailure, Verified

_PORTS: Final = {"https": "443", "http": "80"}


def check_twilio(
    scheme: TwilioScheme, request: HttpRequest, keys: Sequence[SigningKey]
) -> Verified | VerificationFailure:
    """What the signature proves. The idempotency token is not signed.

    https://www.twilio.com/docs/usage/webhooks/webhooks-security; twilio-python 9.13, read 2026-11
    """
    header = request.header(TWILIO_SIGNATURE)
    if header is None or len(header) > MAX_HEADER_LENGTH:
        return v.NO_HEADER
    event_id = request.header(TWILIO_ID)
    if event_id is None and request.has_header(TWILIO_ID):
        return v.REPEATED_ID
    if event_id is not None and not is_event_id(event_id):
        return v.INVALID_ID
    if scheme.body_format == "json":
        if not _is_body_hashed(request):
            return VerificationFailure(
                "bodySHA256 is missing, repeated or not the hash of the body"
            )
        content = request.body
        signed = [url.encode("utf-8", "replace") for url in url_variants(request.url)]
    else:
        fields = read_form(request.body)
        if fields is None:
            return VerificationFailure("the body is not a form")
        content = signed_fields(fields)
        signed = [url.encode("utf-8", "replace") + content for url in url_variants(request.url)]
    given = [header.encode("utf-8", "replace")]
    matched = False
    for text in signed:
        matched |= any_matches(given, text, keys, scheme.algorithm, "base64")
    if not matched:
        return v.NO_MATCH
    return Verified(event_id or None, False, None, signed_content=content)


def signed_fields(fields: Sequence[tuple[str, str]]) -> bytes:
    """Names and values, sorted and joined without separators. A repeated pair counts once."""
    return "".join(name + value for name, value in sorted(set(fields))).encode()


def url_variants(url: str) -> tuple[str, str]:
    """The URL without a port and with one. Twilio signs either of them."""
    scheme, _, rest = url.partition("://")
    authority = rest.partition("/")[0].partition("?")[0]
    path = rest[len(authority) :]
    # After the last colon there is a port, or the end of an IPv6 address.
    host, colon, port = authority.rpartition(":")
    if not (colon and port.isdigit()):
        host, port = authority, _PORTS.get(scheme, "443")
    return f"{scheme}://{host}{path}", f"{scheme}://{host}:{port}{path}"


def _is_body_hashed(request: HttpRequest) -> bool:
    query = read_query(request.url)
    stated = single_field(query, "bodySHA256") if query is not None else None
    if stated is None:
        return False
    actual = hashlib.sha256(request.body).hexdigest()
    return hmac.compare_digest(actual.encode(), stated.lower().encode())
