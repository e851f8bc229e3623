"""Requests signed by the providers' own libraries."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from slack_sdk.signature import SignatureVerifier as SlackSigner
from standardwebhooks import Webhook as StandardSigner
from stripe import WebhookSignature as StripeSigner
from svix.webhooks import Webhook as SvixSigner
from twilio.request_validator import (  # type: ignore[import-untyped]  # it has no py.typed
    RequestValidator as TwilioSigner,
)

from igniter_connectors.core.http.messages import HttpRequest
from igniter_connectors.core.secret import Secret

SECOND: Final = timedelta(seconds=1)
SIGNED_AT: Final = datetime(2026, 11, 1, 12, 0, 0, tzinfo=UTC)
BODY: Final = '{ "id": 1,\t"id": 2, "t\\u00e9xt": "\u00e9" }\n'

STANDARD_SECRET: Final = Secret("whsec_" + base64.b64encode(bytes(range(32))).decode())
OTHER_STANDARD_SECRET: Final = Secret("whsec_" + base64.b64encode(bytes(32)).decode())
TEXT_SECRET: Final = Secret("whsec_test_5f1d")
OTHER_TEXT_SECRET: Final = Secret("whsec_test_d1f5")


def request(
    headers: dict[str, str], body: str | bytes = BODY, url: str = "https://own.example/webhooks/x/t"
) -> HttpRequest:
    """A POST with these headers."""
    raw = body.encode() if isinstance(body, str) else body
    return HttpRequest("POST", url, tuple(headers.items()), raw)


def with_header(signed: HttpRequest, name: str, value: str) -> HttpRequest:
    """The same request with one more header."""
    headers = (*signed.headers, (name, value))
    return HttpRequest(signed.method, signed.url, headers, signed.body)


def standard_signature(
    body: str = BODY,
    secret: Secret = STANDARD_SECRET,
    event_id: str = "msg_1",
    at: datetime = SIGNED_AT,
) -> str:
    """A signature made by `standardwebhooks` from PyPI."""
    signer = StandardSigner(secret.reveal())
    return signer.sign(msg_id=event_id, timestamp=at, data=body)


def standard_request(
    body: str = BODY,
    secret: Secret = STANDARD_SECRET,
    event_id: str = "msg_1",
    at: datetime = SIGNED_AT,
    prefix: str = "webhook",
) -> HttpRequest:
    """A request signed by `standardwebhooks` from PyPI."""
    headers = {
        f"{prefix}-id": event_id,
        f"{prefix}-timestamp": str(int(at.timestamp())),
        f"{prefix}-signature": standard_signature(body, secret, event_id, at),
    }
    return request(headers, body)


def stripe_header(body: str = BODY, secret: Secret = TEXT_SECRET, at: datetime = SIGNED_AT) -> str:
    """A header made by `stripe` from PyPI."""
    header = StripeSigner.generate_signature_header(body, secret.reveal(), int(at.timestamp()))
    assert isinstance(header, str)
    return header


def stripe_request(
    body: str = BODY, secret: Secret = TEXT_SECRET, at: datetime = SIGNED_AT
) -> HttpRequest:
    """A request signed by `stripe` from PyPI."""
    return request({"Stripe-Signature": stripe_header(body, secret, at)}, body)


def svix_request(
    body: str = BODY,
    secret: Secret = STANDARD_SECRET,
    event_id: str = "msg_1",
    at: datetime = SIGNED_AT,
) -> HttpRequest:
    """A request signed by `svix` from PyPI."""
    headers = {
        "svix-id": event_id,
        "svix-timestamp": str(int(at.timestamp())),
        "svix-signature": SvixSigner(secret.reveal()).sign(event_id, at, body),
    }
    return request(headers, body)


def slack_request(
    body: str = BODY, secret: Secret = TEXT_SECRET, at: datetime = SIGNED_AT
) -> HttpRequest:
    """A request signed by `slack_sdk` from PyPI."""
    timestamp = str(int(at.timestamp()))
    signature = SlackSigner(secret.reveal()).generate_signature(timestamp=timestamp, body=body)
    assert signature is not None
    headers = {"X-Slack-Signature": signature, "X-Slack-Request-Timestamp": timestamp}
    return request(headers, body)


TWILIO_URL: Final = "https://own.example/webhooks/twilio/token?tenant=a%20b"


def twilio_request(
    fields: dict[str, str],
    secret: Secret = TEXT_SECRET,
    event_id: str = "token-1",
    url: str = TWILIO_URL,
) -> HttpRequest:
    """A form signed by `twilio` from PyPI."""
    signature = TwilioSigner(secret.reveal()).compute_signature(url, fields)
    headers = {"X-Twilio-Signature": signature, "I-Twilio-Idempotency-Token": event_id}
    return request(headers, urlencode(fields), url)


def twilio_json_request(
    body: str = BODY, secret: Secret = TEXT_SECRET, event_id: str = "token-1"
) -> HttpRequest:
    """JSON signed by `twilio` from PyPI."""
    url = f"{TWILIO_URL}&bodySHA256={hashlib.sha256(body.encode()).hexdigest()}"
    signature = TwilioSigner(secret.reveal()).compute_signature(url, {})
    headers = {"X-Twilio-Signature": signature, "I-Twilio-Idempotency-Token": event_id}
    return request(headers, body, url)
