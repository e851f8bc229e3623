"""The schemes accept the signed webhooks and answer the challenges that are built here."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace
from returns.pipeline import is_successful
from returns.result import Failure, Result

from igniter_connectors import HttpRequest, Secret
from igniter_connectors.core.webhook.challenge import challenge_answer
from igniter_connectors.core.webhook.schemes import Verification
from igniter_connectors.core.webhook.signing_keys import new_signing_secret, signing_key
from igniter_connectors.core.webhook.verification import verify
from igniter_connectors.testing import challenge_webhook, sign_webhook
from igniter_connectors.webhooks import (
    GITHUB,
    LINEAR,
    META,
    MICROSOFT_GRAPH,
    SHOPIFY,
    SLACK,
    SLACK_FORMS,
    STANDARD_WEBHOOKS,
    STRIPE,
    SVIX,
    TWILIO,
    TWILIO_JSON,
    ZOOM,
    AcceptUnsignedEvents,
    CustomVerification,
    HmacScheme,
    VerificationFailure,
    Verified,
    WebhookEndpoint,
)
from tests.core.webhook.requests import SECOND, SIGNED_AT

DROPBOX: Final = HmacScheme(header="X-Dropbox-Signature", challenge="challenge")
ENTROPY: Final = bytes(range(32))
JSON: Final = b'{"a":1}'
FORM: Final = b"a=b+c&d="
GRAPH: Final = b'{"value":[{"id":"evt_1"}]}'
KEYED: Final = HmacScheme(
    header="X-Signature",
    signed="{method} {url} {id} {body}",
    algorithm="sha512",
    id_header="X-Id",
)
SCHEMES: Final[list[tuple[Verification, bytes, str, bool]]] = [
    (STANDARD_WEBHOOKS, JSON, "signed", True),
    (SVIX, JSON, "signed", True),
    (STRIPE, JSON, "signed", True),
    (GITHUB, JSON, "unsigned", False),
    (SLACK, JSON, "signed", True),
    (SLACK_FORMS, FORM, "none", True),
    (SHOPIFY, JSON, "unsigned", False),
    (TWILIO, FORM, "unsigned", False),
    (TWILIO_JSON, JSON, "unsigned", False),
    (LINEAR, JSON, "unsigned", True),
    (ZOOM, JSON, "none", True),
    (META, b'{"entry":[1]}', "none", False),
    (MICROSOFT_GRAPH, GRAPH, "none", False),
    (KEYED, JSON, "signed", False),
]
"""Scheme, body, whether the event's id is signed, unsigned or none, whether a time is signed."""


def endpoint(scheme: Verification, secret: Secret | None = None) -> WebhookEndpoint:
    url = Secret("https://own.example/webhooks/x/token")
    return WebhookEndpoint("row-1", url, secret or new_signing_secret(scheme, ENTROPY))


def received(request: HttpRequest) -> HttpRequest:
    return HttpRequest(request.method, request.url, request.headers, request.body)


def judged(
    scheme: Verification, request: HttpRequest, secret: Secret, now: datetime = SIGNED_AT
) -> Result[Verified, VerificationFailure]:
    return verify(scheme, received(request), [secret], now=now)


@pytest.mark.parametrize(("scheme", "body"), [row[:2] for row in SCHEMES])
def test_a_signed_webhook_is_accepted(scheme: Verification, body: bytes) -> None:
    """With the given id and time, if the scheme has them."""
    at = endpoint(scheme)
    request = sign_webhook(scheme, at, body, now=SIGNED_AT, event_id="evt_7")
    verified = judged(scheme, request, at.signing_secret).unwrap()
    assert verified.event_id in {"evt_7", None}
    assert verified.signed_at in {SIGNED_AT, None}
    kind = "application/json" if body != FORM else "application/x-www-form-urlencoded"
    assert request.header("content-type") == kind
    other = new_signing_secret(scheme, bytes(32))
    assert not is_successful(judged(scheme, request, other))
    changed = replace(request, body=request.body.replace(b"1", b"2").replace(b"b", b"x"))
    if scheme is not MICROSOFT_GRAPH:
        assert not is_successful(judged(scheme, changed, at.signing_secret))


@pytest.mark.parametrize(("scheme", "body", "event_id", "has_time"), SCHEMES)
def test_each_scheme_signs_its_id_and_time(
    scheme: Verification, body: bytes, event_id: str, has_time: bool
) -> None:
    """The README describes the same properties."""
    at = endpoint(scheme)
    request = sign_webhook(scheme, at, body, now=SIGNED_AT)
    verified = judged(scheme, request, at.signing_secret).unwrap()
    kind = "none" if verified.event_id is None else "unsigned"
    assert ("signed" if verified.event_id_is_signed else kind) == event_id
    assert (verified.signed_at is not None) is has_time


def test_an_endpoint_with_a_public_key_needs_the_private_key() -> None:
    """As 32 bytes, or as 64 bytes in Svix's form."""
    private = Ed25519PrivateKey.from_private_bytes(ENTROPY)
    public = private.public_key().public_bytes_raw()
    at = endpoint(STANDARD_WEBHOOKS, Secret("whpk_" + base64.b64encode(public).decode()))
    for octets in (ENTROPY, ENTROPY + public):
        key = Secret("whsk_" + base64.b64encode(octets).decode())
        request = sign_webhook(STANDARD_WEBHOOKS, at, JSON, now=SIGNED_AT, private_key=key)
        assert is_successful(judged(STANDARD_WEBHOOKS, request, at.signing_secret))
    with pytest.raises(ValueError, match="needs the private_key"):
        _ = sign_webhook(STANDARD_WEBHOOKS, at, JSON, now=SIGNED_AT)
    with pytest.raises(ValueError, match=r"base64|padding"):
        _ = sign_webhook(
            STANDARD_WEBHOOKS, at, JSON, now=SIGNED_AT, private_key=Secret("whsk_no base64")
        )


def test_fields_of_the_body_are_kept() -> None:
    """So a test can send an old time, another id or another tenant's value."""
    at = endpoint(LINEAR)
    late = round((SIGNED_AT - timedelta(minutes=1) - SECOND).timestamp() * 1000)
    body = b'{"webhookTimestamp":%d}' % late
    request = sign_webhook(LINEAR, at, body, now=SIGNED_AT)
    assert request.body == body
    assert not is_successful(judged(LINEAR, request, at.signing_secret))
    at = endpoint(STRIPE)
    request = sign_webhook(STRIPE, at, b'{"id":"evt_own"}', now=SIGNED_AT, event_id="evt_other")
    assert judged(STRIPE, request, at.signing_secret).unwrap().event_id == "evt_own"
    assert sign_webhook(STRIPE, at, b"no json", now=SIGNED_AT).body == b"no json"
    at = endpoint(MICROSOFT_GRAPH)
    body = b'{"value":[{"clientState":"another\'s","id":"1"},{"id":"2"}]}'
    request = sign_webhook(MICROSOFT_GRAPH, at, body, now=SIGNED_AT)
    verified = judged(MICROSOFT_GRAPH, request, at.signing_secret).unwrap()
    assert [item.event_id for item in verified.batch] == ["2"]


def refuse(
    request: HttpRequest, secrets: Sequence[Secret], now: datetime
) -> Result[Verified, VerificationFailure]:
    return Failure(VerificationFailure("never"))


@pytest.mark.parametrize(
    ("scheme", "secret", "body"),
    [
        (STANDARD_WEBHOOKS, Secret("whsec_short"), JSON),
        (GITHUB, Secret(""), JSON),
        (LINEAR, Secret("x"), b"[]"),
        (TWILIO, Secret("x"), b"a=%zz"),
        (MICROSOFT_GRAPH, Secret("x"), b'{"value":7}'),
        (CustomVerification(judge=refuse, headers=()), Secret("x"), JSON),
    ],
)
def test_what_cannot_be_signed_raises(scheme: Verification, secret: Secret, body: bytes) -> None:
    """The mistake is in the test, so it is reported there and not by the receiver."""
    with pytest.raises(ValueError, match=r"form|JSON|value|function"):
        _ = sign_webhook(scheme, endpoint(scheme, secret), body, now=SIGNED_AT)


def test_unsigned_events_need_no_signature() -> None:
    """The connector accepts them as they are."""
    scheme = AcceptUnsignedEvents()
    request = sign_webhook(scheme, endpoint(scheme), JSON, now=SIGNED_AT)
    assert request.headers == (("Content-Type", "application/json"),)


@pytest.mark.parametrize("scheme", [SLACK, ZOOM, META, MICROSOFT_GRAPH, DROPBOX])
def test_challenges_are_answered(scheme: Verification) -> None:
    """Only with the secret of the right endpoint."""
    at = endpoint(scheme)
    request = challenge_webhook(scheme, at, "token-1", now=SIGNED_AT)
    key = signing_key(scheme, at.signing_secret)
    assert key is not None
    answer = challenge_answer(scheme, received(request), [key], now=SIGNED_AT)
    assert answer is not None
    assert answer.status == 200
    assert b"token-1" in answer.body
    if scheme is ZOOM:
        assert msgspec.json.decode(answer.body)["plainToken"] == "token-1"
    if scheme not in (MICROSOFT_GRAPH, DROPBOX):
        other = challenge_answer(scheme, received(request), [b"other"], now=SIGNED_AT)
        assert other is None or other.status == 403


@pytest.mark.parametrize("scheme", [STANDARD_WEBHOOKS, GITHUB])
def test_a_scheme_without_a_challenge_raises(scheme: Verification) -> None:
    """Nothing would answer such a challenge."""
    with pytest.raises(ValueError, match="has no challenge"):
        _ = challenge_webhook(scheme, endpoint(scheme), "token", now=SIGNED_AT)
