"""Webhooks as a provider would send them, signed with the endpoint's own secret."""

from __future__ import annotations

import base64
import hmac
from datetime import datetime

from igniter_connectors.core.http import Headers, HttpRequest
from igniter_connectors.core.webhook.endpoint import WebhookEndpoint
from igniter_connectors.core.webhook.schemes import (
    BareSignature,
    HmacScheme,
    KeyedSignature,
    StandardWebhooks,
    Verification,
    signed_parts,
    signing_key,
)


def sign_webhook(
    scheme: Verification,
    endpoint: WebhookEndpoint,
    body: bytes,
    *,
    now: datetime,
    event_id: str = "evt_1",
) -> HttpRequest:
    """A POST that the endpoint takes for genuine; give it to `connectors.handle`.

    Raises:
        ValueError: the endpoint's secret is not of the scheme's form.
    """
    key = signing_key(scheme, endpoint.signing_secret)
    if key is None:
        raise ValueError("the endpoint's secret is not of this scheme's form")
    timestamp = str(int(now.timestamp()))
    match scheme:
        case StandardWebhooks(header_prefix=prefix):
            signed = f"{event_id}.{timestamp}.".encode() + body
            signature = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
            headers: Headers = (
                (f"{prefix}-id", event_id),
                (f"{prefix}-timestamp", timestamp),
                (f"{prefix}-signature", f"v1,{signature}"),
            )
        case HmacScheme():
            headers = _hmac_headers(scheme, key, body, timestamp, event_id)
        case _:
            headers = ()
    headers = (*headers, ("Content-Type", "application/json"))
    return HttpRequest("POST", endpoint.url.reveal(), headers, body)


def _hmac_headers(
    scheme: HmacScheme, key: bytes, body: bytes, timestamp: str, event_id: str
) -> Headers:
    values = {"body": body, "timestamp": timestamp.encode(), "id": event_id.encode()}
    signed = b"".join(
        values[part] if index % 2 else part.encode()
        for index, part in enumerate(signed_parts(scheme.signed))
    )
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
