"""Presets: the signature schemes of known providers, with the page that describes each.

An id in the body is signed with the body. An id in a header is not signed, unless the scheme's
template includes it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from igniter_connectors.core.webhook.schemes import (
    BareSignature,
    HmacScheme,
    KeyedSignature,
    MicrosoftGraphScheme,
    StandardWebhooks,
    TwilioScheme,
)

STANDARD_WEBHOOKS: Final = StandardWebhooks()
"""https://www.standardwebhooks.com; standardwebhooks 1.1 of PyPI, read 2026-11"""

SVIX: Final = StandardWebhooks("svix", other_prefix="webhook")
"""https://docs.svix.com/receiving/verifying-payloads/how-manual; svix 2.9 of PyPI, read 2026-11.
Svix's own libraries read the standard's names too."""

STRIPE: Final = HmacScheme(
    header="Stripe-Signature",
    layout=KeyedSignature(),
    signed="{timestamp}.{body}",
    id_field="id",
)
"""https://docs.stripe.com/webhooks#verify-manually, read 2026-11"""

GITHUB: Final = HmacScheme(
    header="X-Hub-Signature-256",
    layout=BareSignature("sha256="),
    id_header="X-GitHub-Delivery",
    type_header="X-GitHub-Event",
)
"""https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries, read 2026-11"""

SLACK: Final = HmacScheme(
    header="X-Slack-Signature",
    layout=BareSignature("v0="),
    signed="v0:{timestamp}:{body}",
    timestamp_header="X-Slack-Request-Timestamp",
    id_field="event_id",
    challenge="url_verification",
)
"""The Events API. https://docs.slack.dev/authentication/verifying-requests-from-slack;
slack_sdk 3.47 of PyPI, read 2026-11"""

SLACK_FORMS: Final = HmacScheme(
    header="X-Slack-Signature",
    layout=BareSignature("v0="),
    signed="v0:{timestamp}:{body}",
    timestamp_header="X-Slack-Request-Timestamp",
    body_format="form",
)
"""Slash commands and interactivity: Slack sends forms, and signs them in the same way as events."""

SHOPIFY: Final = HmacScheme(
    header="X-Shopify-Hmac-SHA256",
    encoding="base64",
    id_header="X-Shopify-Webhook-Id",
    type_header="X-Shopify-Topic",
    header_aliases=(
        ("X-Shopify-Hmac-SHA256", "Shopify-Hmac-SHA256"),
        ("X-Shopify-Webhook-Id", "Shopify-Webhook-Id"),
        ("X-Shopify-Topic", "Shopify-Topic"),
    ),
)
"""https://shopify.dev/docs/apps/build/webhooks/verify-deliveries, read 2026-11"""

TWILIO: Final = TwilioScheme()
"""https://www.twilio.com/docs/usage/webhooks/webhooks-security; twilio-python 9.13, read 2026-11"""

TWILIO_JSON: Final = TwilioScheme(body_format="json")
"""Twilio's products that post JSON, with `bodySHA256` in the URL's query."""

LINEAR: Final = HmacScheme(
    header="Linear-Signature",
    timestamp_field="webhookTimestamp",
    timestamp_unit="milliseconds",
    tolerance=timedelta(minutes=1),
    id_header="Linear-Delivery",
)
"""https://linear.app/developers/webhooks"""

ZOOM: Final = HmacScheme(
    header="x-zm-signature",
    layout=BareSignature("v0="),
    signed="v0:{timestamp}:{body}",
    timestamp_header="x-zm-request-timestamp",
    challenge="endpoint.url_validation",
)
"""https://developers.zoom.us/docs/api/webhooks/#verify-webhook-events"""

META: Final = HmacScheme(
    header="X-Hub-Signature-256",
    layout=BareSignature("sha256="),
    split_field="entry",
    challenge="hub.challenge",
)
"""https://developers.facebook.com/docs/graph-api/webhooks/getting-started, read 2026-11"""

MICROSOFT_GRAPH: Final = MicrosoftGraphScheme()
"""https://learn.microsoft.com/graph/change-notifications-delivery-webhooks"""
