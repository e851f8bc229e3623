"""Requests, signed by those who sign for a living."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Final

from standardwebhooks import Webhook as StandardSigner
from stripe import WebhookSignature as StripeSigner

from igniter_connectors.core.secret import Secret
from igniter_connectors.core.webhook.request import SignedRequest

SECOND: Final = timedelta(seconds=1)
SIGNED_AT: Final = datetime(2026, 11, 1, 12, 0, 0, tzinfo=UTC)
BODY: Final = '{ "id": 1,\t"id": 2, "t\\u00e9xt": "\u00e9" }\n'

STANDARD_SECRET: Final = Secret("whsec_" + base64.b64encode(bytes(range(32))).decode())
OTHER_STANDARD_SECRET: Final = Secret("whsec_" + base64.b64encode(bytes(32)).decode())
TEXT_SECRET: Final = Secret("whsec_test_5f1d")
OTHER_TEXT_SECRET: Final = Secret("whsec_test_d1f5")


def request(headers: dict[str, str], body: str | bytes = BODY) -> SignedRequest:
    """A POST with these headers."""
    raw = body.encode() if isinstance(body, str) else body
    url = "https://own.example/webhooks/x/token"
    return SignedRequest("POST", url, tuple(headers.items()), raw)


def with_header(signed: SignedRequest, name: str, value: str) -> SignedRequest:
    """The same request with one more header."""
    headers = (*signed.headers, (name, value))
    return SignedRequest(signed.method, signed.public_url, headers, signed.body)


def standard_signature(
    body: str = BODY,
    secret: Secret = STANDARD_SECRET,
    event_id: str = "msg_1",
    at: datetime = SIGNED_AT,
) -> str:
    """What `standardwebhooks` of PyPI signs."""
    signer = StandardSigner(secret.reveal())
    return signer.sign(msg_id=event_id, timestamp=at, data=body)


def standard_request(
    body: str = BODY,
    secret: Secret = STANDARD_SECRET,
    event_id: str = "msg_1",
    at: datetime = SIGNED_AT,
    prefix: str = "webhook",
) -> SignedRequest:
    """A request signed by `standardwebhooks` of PyPI."""
    headers = {
        f"{prefix}-id": event_id,
        f"{prefix}-timestamp": str(int(at.timestamp())),
        f"{prefix}-signature": standard_signature(body, secret, event_id, at),
    }
    return request(headers, body)


def stripe_header(body: str = BODY, secret: Secret = TEXT_SECRET, at: datetime = SIGNED_AT) -> str:
    """What `stripe` of PyPI signs."""
    header = StripeSigner.generate_signature_header(body, secret.reveal(), int(at.timestamp()))
    assert isinstance(header, str)
    return header


def stripe_request(
    body: str = BODY, secret: Secret = TEXT_SECRET, at: datetime = SIGNED_AT
) -> SignedRequest:
    """A request signed by `stripe` of PyPI."""
    return request({"Stripe-Signature": stripe_header(body, secret, at)}, body)
