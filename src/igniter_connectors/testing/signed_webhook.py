"""Builds signed webhooks and challenges as a provider sends them."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime
from urllib.parse import urlencode

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from igniter_connectors.core.http.messages import Headers, HttpRequest
from igniter_connectors.core.secret import Secret
from igniter_connectors.core.webhook.challenge import hub_verify_token
from igniter_connectors.core.webhook.endpoint import WebhookEndpoint
from igniter_connectors.core.webhook.form import read_form
from igniter_connectors.core.webhook.hmac_scheme import signed_bytes
from igniter_connectors.core.webhook.schemes import (
    REQUEST_ORIGIN,
    TWILIO_ID,
    TWILIO_SIGNATURE,
    AcceptUnsignedEvents,
    BareSignature,
    CustomVerification,
    HmacScheme,
    KeyedSignature,
    MicrosoftGraphScheme,
    StandardWebhooks,
    TwilioScheme,
    Verification,
    body_format,
    challenge_of,
)
from igniter_connectors.core.webhook.signing_keys import SigningKey, signing_key
from igniter_connectors.core.webhook.twilio import signed_fields


def sign_webhook(
    scheme: Verification,
    endpoint: WebhookEndpoint,
    body: bytes,
    *,
    now: datetime,
    event_id: str = "evt_1",
    private_key: Secret | None = None,
) -> HttpRequest:
    """A signed POST that the endpoint accepts. Pass it to `connectors.handle`.

    Args:
        scheme: The connector's verification scheme.
        endpoint: The value that `create_webhook` returned.
        body: The payload. Fields that the scheme reads are added if they are missing:
            Linear's time, Stripe's and Slack's id, and the `clientState` of each
            notification of Microsoft Graph.
        now: The signed time, if the scheme has one.
        event_id: The event's id, if the scheme has one.
        private_key: Needed if the endpoint's secret is a public key (`whpk_…`): `whsk_` and
            the base64 of the private key, 32 or 64 bytes.

    Raises:
        ValueError: the endpoint's secret, the private key or the body does not fit the
            scheme; or the scheme is a `CustomVerification`, which cannot sign.
    """
    key = signing_key(scheme, endpoint.signing_secret)
    if key is None:
        raise ValueError("the endpoint's secret does not have the form of this scheme")
    url = endpoint.url.reveal()
    headers: Headers
    match scheme:
        case StandardWebhooks():
            headers = _standard_headers(scheme, key, private_key, body, now, event_id)
        case HmacScheme():
            body = _with_fields(scheme, body, now, event_id)
            request = HttpRequest("POST", url, (), body)
            headers = _hmac_headers(scheme, _shared_key(key), request, now, event_id)
        case TwilioScheme():
            url, headers = _twilio(scheme, _shared_key(key), url, body, event_id)
        case MicrosoftGraphScheme():
            body, headers = _with_client_state(endpoint.signing_secret, body), ()
        case AcceptUnsignedEvents():
            headers = ()
        case CustomVerification():
            raise ValueError("a CustomVerification is a function that verifies: it cannot sign")
    kind = "json" if body_format(scheme) == "json" else "x-www-form-urlencoded"
    return HttpRequest("POST", url, (*headers, ("Content-Type", f"application/{kind}")), body)


def challenge_webhook(
    scheme: Verification, endpoint: WebhookEndpoint, token: str, *, now: datetime
) -> HttpRequest:
    """The request by which a provider checks that the endpoint is ours.

    Args:
        scheme: The connector's verification scheme.
        endpoint: The value that `create_webhook` returned.
        token: The value that the response must contain.
        now: The signed time, if the scheme has one.

    Raises:
        ValueError: the scheme has no challenge.
    """
    url = endpoint.url.reveal()
    if isinstance(scheme, MicrosoftGraphScheme):
        return HttpRequest("POST", f"{url}?{urlencode({'validationToken': token})}")
    match challenge_of(scheme):
        case "":
            raise ValueError("the scheme has no challenge")
        case "challenge":
            return HttpRequest("GET", f"{url}?{urlencode({'challenge': token})}")
        case "WebHook-Request-Origin":
            return HttpRequest("OPTIONS", url, ((REQUEST_ORIGIN, token),))
        case "url_verification" as kind:
            body = msgspec.json.encode({"type": kind, "challenge": token, "token": "legacy"})
            return sign_webhook(scheme, endpoint, body, now=now)
        case "endpoint.url_validation" as kind:
            body = msgspec.json.encode({"event": kind, "payload": {"plainToken": token}})
            return sign_webhook(scheme, endpoint, body, now=now)
        case "hub.challenge":
            fields = {
                "hub.mode": "subscribe",
                "hub.challenge": token,
                "hub.verify_token": hub_verify_token(endpoint.signing_secret).reveal(),
            }
            return HttpRequest("GET", f"{url}?{urlencode(fields)}")


def _shared_key(key: SigningKey) -> bytes:
    if not isinstance(key, bytes):
        raise ValueError("this scheme does not sign with a public key")
    return key


def _standard_headers(
    scheme: StandardWebhooks,
    key: SigningKey,
    private_key: Secret | None,
    body: bytes,
    now: datetime,
    event_id: str,
) -> Headers:
    timestamp = str(int(now.timestamp()))
    signed = f"{event_id}.{timestamp}.".encode() + body
    if isinstance(key, bytes):
        version, signature = "v1", hmac.digest(key, signed, "sha256")
    else:
        if private_key is None:
            raise ValueError("an endpoint with a public key needs the private_key to sign with")
        key_bytes = base64.b64decode(private_key.reveal().removeprefix("whsk_"), validate=True)
        # Svix appends the public key to the seed, which makes 64 bytes.
        version = "v1a"
        signature = Ed25519PrivateKey.from_private_bytes(key_bytes[:32]).sign(signed)
    prefix = scheme.header_prefix
    return (
        (f"{prefix}-id", event_id),
        (f"{prefix}-timestamp", timestamp),
        (f"{prefix}-signature", f"{version},{base64.b64encode(signature).decode()}"),
    )


def _hmac_headers(
    scheme: HmacScheme, key: bytes, request: HttpRequest, now: datetime, event_id: str
) -> Headers:
    timestamp = str(_timestamp(scheme, now))
    signed = signed_bytes(scheme.signed, request, timestamp=timestamp, event_id=event_id)
    digest = hmac.digest(key, signed, scheme.algorithm)
    signature = digest.hex() if scheme.encoding == "hex" else base64.b64encode(digest).decode()
    match scheme.layout:
        case BareSignature(prefix=prefix):
            header = f"{prefix}{signature}"
        case KeyedSignature(signature=name, timestamp=time_name):
            header = f"{time_name}={timestamp},{name}={signature}"
    headers = [(scheme.header, header)]
    if scheme.timestamp_header:
        headers.append((scheme.timestamp_header, timestamp))
    if scheme.id_header:
        headers.append((scheme.id_header, event_id))
    return tuple(headers)


def _timestamp(scheme: HmacScheme, now: datetime) -> int:
    return int(now.timestamp() * (1 if scheme.timestamp_unit == "seconds" else 1000))


def _with_fields(scheme: HmacScheme, body: bytes, now: datetime, event_id: str) -> bytes:
    if not (scheme.timestamp_field or scheme.id_field):
        return body
    try:
        fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except msgspec.DecodeError:
        if scheme.timestamp_field:
            raise ValueError(
                "the scheme's time is a field, so the body must be a JSON object"
            ) from None
        return body
    missing: dict[str, object] = {}
    if scheme.timestamp_field and scheme.timestamp_field not in fields:
        missing[scheme.timestamp_field] = _timestamp(scheme, now)
    if scheme.id_field and scheme.id_field not in fields:
        missing[scheme.id_field] = event_id
    return msgspec.json.encode({**fields, **missing}) if missing else body


def _with_client_state(secret: Secret, body: bytes) -> bytes:
    try:
        fields = msgspec.json.decode(body, type=dict[str, list[dict[str, msgspec.Raw]]])
    except msgspec.DecodeError:
        raise ValueError("the body must have the form {'value': [notification, …]}") from None
    state = msgspec.Raw(msgspec.json.encode(secret.reveal()))
    notifications = [{"clientState": state, **one} for one in fields.get("value", [])]
    return msgspec.json.encode({"value": notifications})


def _twilio(
    scheme: TwilioScheme, key: bytes, url: str, body: bytes, event_id: str
) -> tuple[str, Headers]:
    if scheme.body_format == "json":
        url, content = f"{url}?bodySHA256={hashlib.sha256(body).hexdigest()}", b""
    else:
        fields = read_form(body)
        if fields is None:
            raise ValueError("Twilio signs form fields, so the body must be a form")
        content = signed_fields(fields)
    digest = hmac.digest(key, url.encode() + content, scheme.algorithm)
    signature = base64.b64encode(digest).decode()
    return url, ((TWILIO_SIGNATURE, signature), (TWILIO_ID, event_id))
