"""Webhooks: the schemes that verify them, a preset for each known provider, limits and retries."""

from __future__ import annotations

from igniter_connectors.core.webhook.challenge import hub_verify_token
from igniter_connectors.core.webhook.endpoint import EndpointSummary, WebhookEndpoint, WrongRoute
from igniter_connectors.core.webhook.inbox import EventState, WebhookEvent
from igniter_connectors.core.webhook.presets import (
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
)
from igniter_connectors.core.webhook.retry_policy import Delivery, DeliveryLimits, Retries
from igniter_connectors.core.webhook.schemes import (
    AcceptUnsignedEvents,
    BareSignature,
    BodyFormat,
    Challenge,
    CustomVerification,
    HmacScheme,
    KeyedSignature,
    MicrosoftGraphScheme,
    OpenChallenge,
    StandardWebhooks,
    TwilioScheme,
    Verification,
)
from igniter_connectors.core.webhook.verified import BatchItem, VerificationFailure, Verified
from igniter_connectors.core.webhook.webhook import Webhook, WebhookCall
from igniter_connectors.manager.webhooks import ConnectionWebhooks

__all__ = [
    "GITHUB",
    "LINEAR",
    "META",
    "MICROSOFT_GRAPH",
    "SHOPIFY",
    "SLACK",
    "SLACK_FORMS",
    "STANDARD_WEBHOOKS",
    "STRIPE",
    "SVIX",
    "TWILIO",
    "TWILIO_JSON",
    "ZOOM",
    "AcceptUnsignedEvents",
    "BareSignature",
    "BatchItem",
    "BodyFormat",
    "Challenge",
    "ConnectionWebhooks",
    "CustomVerification",
    "Delivery",
    "DeliveryLimits",
    "EndpointSummary",
    "EventState",
    "HmacScheme",
    "KeyedSignature",
    "MicrosoftGraphScheme",
    "OpenChallenge",
    "Retries",
    "StandardWebhooks",
    "TwilioScheme",
    "Verification",
    "VerificationFailure",
    "Verified",
    "Webhook",
    "WebhookCall",
    "WebhookEndpoint",
    "WebhookEvent",
    "WrongRoute",
    "hub_verify_token",
]
