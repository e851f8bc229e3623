"""Challenges: the handshake with which a provider checks an endpoint before it delivers."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final, assert_never

import msgspec

from igniter_connectors.core.http.messages import HttpRequest, HttpResponse
from igniter_connectors.core.secret import Secret
from igniter_connectors.core.webhook.form import read_query, single_field
from igniter_connectors.core.webhook.hmac_scheme import check_hmac
from igniter_connectors.core.webhook.json_object import read_object, text_in
from igniter_connectors.core.webhook.schemes import (
    REQUEST_ORIGIN,
    HmacScheme,
    MicrosoftGraphScheme,
    Verification,
    challenge_of,
)
from igniter_connectors.core.webhook.signing_keys import SigningKey
from igniter_connectors.core.webhook.verified import Verified

MAX_ECHO_LENGTH: Final = 256
_ORIGIN: Final = re.compile(r"[A-Za-z0-9.:/_-]{1,255}")
_PLAIN_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
_VERIFY_TOKEN_LABEL: Final = b"igniter-connectors hub.verify_token"

_TEXT: Final = (
    ("Content-Type", "text/plain; charset=utf-8"),
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
)
_JSON: Final = (("Content-Type", "application/json"), *_TEXT[1:])
_MALFORMED: Final = HttpResponse(400, _TEXT, b"the challenge is missing, repeated or too long")
_FORBIDDEN: Final = HttpResponse(403, _TEXT, b"the challenge is not accepted")


def answers_get(scheme: Verification) -> bool:
    """Whether the scheme's challenge is a GET request."""
    return challenge_of(scheme) in ("hub.challenge", "challenge")


def challenge_answer(
    scheme: Verification, request: HttpRequest, keys: Sequence[SigningKey], *, now: datetime
) -> HttpResponse | None:
    """The response to a challenge; None if the request is not a challenge.

    Call it before or after `verification.check`. A signed challenge is answered only if its
    signature is valid; otherwise this returns None, and `check` refuses the request.

    Args:
        scheme: How the provider signs, and which challenge it sends.
        request: As received; `url` with its query.
        keys: The valid keys, as for `check`.
        now: Aware instant of arrival.

    Returns:
        - Slack's `url_verification`, signed: its `challenge` as text.
        - Zoom's `endpoint.url_validation`, signed: its `plainToken` and the token's HMAC
          under the key that signed the request. The same key signs events, so only a token
          of `[A-Za-z0-9_-]{1,128}` is answered. No event's signed bytes look like that
          (`scheme_fault` checks it).
        - Meta's `hub.challenge`, an unsigned GET: echoed if `hub.verify_token` belongs to
          one of the secrets (see `hub_verify_token`).
        - Microsoft Graph's `validationToken`, an unsigned POST: echoed.
        - Dropbox's `challenge`, an unsigned GET: echoed.
        - CloudEvents' OPTIONS request: its origin is permitted to deliver, at any rate.
        An echo has at most 256 characters and is plain text with `nosniff`.
        400 if the challenge is malformed, 403 if its token is wrong.
    """
    if isinstance(scheme, MicrosoftGraphScheme):
        return _validation_token(request)
    octets = [key for key in keys if isinstance(key, bytes)]
    match challenge_of(scheme):
        case "":
            return None
        case "challenge":
            return _query_challenge(request) if request.method == "GET" else None
        case "WebHook-Request-Origin":
            return _permitted_origin(request) if request.method == "OPTIONS" else None
        case "hub.challenge":
            return _hub_challenge(request, octets) if request.method == "GET" else None
        case "url_verification" | "endpoint.url_validation" as challenge:
            # Search the bytes first, so that events are not verified twice.
            if not isinstance(scheme, HmacScheme):
                return None
            if request.method != "POST" or challenge.encode() not in request.body:
                return None
            return _signed_challenge(scheme, request, octets, now)
        case never:
            assert_never(never)


def hub_verify_token(app_secret: Secret) -> Secret:
    """The verify token to enter at Meta, next to the callback URL: 64 characters.

    It is derived from the app's secret, so that there is no second secret to store. Meta
    sends it in a query, which may be logged. It is therefore an HMAC-SHA512 hashed with
    SHA-256: it is no signature and cannot sign anything.
    """
    return Secret(_verify_token(app_secret.reveal().encode()))


def _verify_token(key: bytes) -> str:
    return hashlib.sha256(hmac.digest(key, _VERIFY_TOKEN_LABEL, "sha512")).hexdigest()


def _hub_challenge(request: HttpRequest, keys: Sequence[bytes]) -> HttpResponse | None:
    # https://developers.facebook.com/docs/graph-api/webhooks/getting-started, read 2026-11
    query = read_query(request.url) or ()
    if single_field(query, "hub.mode") != "subscribe":
        return None
    given = (single_field(query, "hub.verify_token") or "").encode()
    matched = False
    for key in keys:
        matched |= hmac.compare_digest(given, _verify_token(key).encode())
    return _echo(single_field(query, "hub.challenge")) if matched else _FORBIDDEN


def _query_challenge(request: HttpRequest) -> HttpResponse | None:
    # https://www.dropbox.com/developers/reference/webhooks, read 2026-11
    query = read_query(request.url) or ()
    if not any(name == "challenge" for name, _ in query):
        return None
    return _echo(single_field(query, "challenge"))


def _permitted_origin(request: HttpRequest) -> HttpResponse | None:
    # CloudEvents 1.0.2, HTTP webhooks, section 4.2
    origin = request.header(REQUEST_ORIGIN)
    if origin is None:
        return _MALFORMED if request.has_header(REQUEST_ORIGIN) else None
    if not _ORIGIN.fullmatch(origin):
        return _MALFORMED
    permission = (("WebHook-Allowed-Origin", origin), ("WebHook-Allowed-Rate", "*"))
    return HttpResponse(200, (("Allow", "POST"), *permission, *_TEXT))


def _validation_token(request: HttpRequest) -> HttpResponse | None:
    # https://learn.microsoft.com/graph/change-notifications-delivery-webhooks
    if request.method != "POST" or "validationToken=" not in request.url:
        return None
    return _echo(single_field(read_query(request.url) or (), "validationToken"))


def _signed_challenge(
    scheme: HmacScheme, request: HttpRequest, keys: Sequence[bytes], now: datetime
) -> HttpResponse | None:
    signers = [key for key in keys if isinstance(check_hmac(scheme, request, [key], now), Verified)]
    if not signers:
        return None
    fields = read_object(request.body)
    if scheme.challenge == "url_verification":
        is_challenge = text_in(fields, "type") == scheme.challenge
        return _echo(text_in(fields, "challenge")) if is_challenge else None
    if text_in(fields, "event") != scheme.challenge:
        return None
    payload = read_object(fields.get("payload", b""))
    token = text_in(payload, "plainToken") or ""
    if not _PLAIN_TOKEN.fullmatch(token):
        return _MALFORMED
    answer = {
        "plainToken": token,
        "encryptedToken": hmac.digest(signers[0], token.encode(), "sha256").hex(),
    }
    return HttpResponse(200, _JSON, msgspec.json.encode(answer))


def _echo(text: str | None) -> HttpResponse:
    if not text or len(text) > MAX_ECHO_LENGTH:
        return _MALFORMED
    return HttpResponse(200, _TEXT, text.encode())
