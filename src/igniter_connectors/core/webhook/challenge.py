"""What a provider asks before it delivers: whether this address is ours and expects it."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final, assert_never

import msgspec

from igniter_connectors.core.http.messages import HttpResponse
from igniter_connectors.core.secret import Secret
from igniter_connectors.core.webhook.form import read_query, single_field
from igniter_connectors.core.webhook.hmac_scheme import proof_of_hmac
from igniter_connectors.core.webhook.json_object import read_object, text_in
from igniter_connectors.core.webhook.request import SignedRequest, Verified
from igniter_connectors.core.webhook.schemes import HmacScheme, MicrosoftGraphScheme, Verification
from igniter_connectors.core.webhook.signing_keys import SigningKey

LONGEST_ECHO: Final = 256
_PLAIN_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
_VERIFY_TOKEN_LABEL: Final = b"igniter-connectors hub.verify_token"

_TEXT: Final = (
    ("Content-Type", "text/plain; charset=utf-8"),
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
)
_JSON: Final = (("Content-Type", "application/json"), *_TEXT[1:])
_MALFORMED: Final = HttpResponse(400, _TEXT, b"the challenge is missing, double or too long")
_FORBIDDEN: Final = HttpResponse(403, _TEXT, b"the challenge is not accepted")


def answers_get(scheme: Verification) -> bool:
    """Whether the scheme's challenge comes as a GET, so that its route must take that too."""
    return isinstance(scheme, HmacScheme) and scheme.challenge == "hub.challenge"


def challenge_answer(
    scheme: Verification, request: SignedRequest, keys: Sequence[SigningKey], *, now: datetime
) -> HttpResponse | None:
    """What a challenge is to be answered with; None where the request is none.

    It may be asked before or after `proof`: a challenge that is signed is answered only
    where its signature holds, and is otherwise None, for `proof` to refuse.

    Args:
        scheme: How the provider signs, and what it asks.
        request: As received; `public_url` with its query.
        keys: The live ones, as `proof` takes them.
        now: Aware instant of arrival.

    Returns:
        - Slack's `url_verification`, signed: its `challenge` as text.
        - Zoom's `endpoint.url_validation`, signed: its `plainToken` and the HMAC of it
          under the key that signed the request. Events are signed with that very key, so
          only a token of `[A-Za-z0-9_-]{1,128}` is answered, which no event's signed
          bytes are (`scheme_fault` sees to it).
        - Meta's `hub.challenge`, a GET that is not signed: echoed where `hub.verify_token`
          is that of one of the secrets (`hub_verify_token`).
        - Microsoft Graph's `validationToken`, a POST that is not signed: echoed.
        Echoes have at most 256 characters and are text that no browser takes for a page.
        400 or 403 where the challenge is malformed or not ours.
    """
    if isinstance(scheme, MicrosoftGraphScheme):
        return _validation_token(request)
    if not isinstance(scheme, HmacScheme):
        return None
    octets = [key for key in keys if isinstance(key, bytes)]
    match scheme.challenge:
        case "":
            return None
        case "hub.challenge":
            return _hub_challenge(request, octets) if request.method == "GET" else None
        case "url_verification" | "endpoint.url_validation" as asked:
            # Looked for in the bytes first, so that events are not verified twice.
            if request.method != "POST" or asked.encode() not in request.body:
                return None
            return _signed_challenge(scheme, request, octets, now)
        case never:
            assert_never(never)


def hub_verify_token(app_secret: Secret) -> Secret:
    """The verify token to enter at Meta beside the callback's address: 64 characters.

    It is made from the app's secret, so that there is no second one to keep. Meta sends it
    in a query, where logs see it: it is hashed twice and of another kind than signatures,
    and signs nothing.
    """
    return Secret(_verify_token(app_secret.reveal().encode()))


def _verify_token(key: bytes) -> str:
    return hashlib.sha256(hmac.digest(key, _VERIFY_TOKEN_LABEL, "sha512")).hexdigest()


def _hub_challenge(request: SignedRequest, keys: Sequence[bytes]) -> HttpResponse | None:
    # https://developers.facebook.com/docs/graph-api/webhooks/getting-started, read 2026-11
    query = read_query(request.public_url) or ()
    if single_field(query, "hub.mode") != "subscribe":
        return None
    given = (single_field(query, "hub.verify_token") or "").encode()
    matched = False
    for key in keys:
        matched |= hmac.compare_digest(given, _verify_token(key).encode())
    return _echo(single_field(query, "hub.challenge")) if matched else _FORBIDDEN


def _validation_token(request: SignedRequest) -> HttpResponse | None:
    # https://learn.microsoft.com/graph/change-notifications-delivery-webhooks
    if request.method != "POST" or "validationToken=" not in request.public_url:
        return None
    return _echo(single_field(read_query(request.public_url) or (), "validationToken"))


def _signed_challenge(
    scheme: HmacScheme, request: SignedRequest, keys: Sequence[bytes], now: datetime
) -> HttpResponse | None:
    signers = [
        key for key in keys if isinstance(proof_of_hmac(scheme, request, [key], now), Verified)
    ]
    if not signers:
        return None
    fields = read_object(request.body)
    if scheme.challenge == "url_verification":
        is_asked = text_in(fields, "type") == scheme.challenge
        return _echo(text_in(fields, "challenge")) if is_asked else None
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
    if not text or len(text) > LONGEST_ECHO:
        return _MALFORMED
    return HttpResponse(200, _TEXT, text.encode())
