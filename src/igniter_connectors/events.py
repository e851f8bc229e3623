"""Events: what happened, for subscribers and telemetry. An event never holds a secret.

Subscribe with `ManagerBuilder.on`, `Connectors.subscribe` or `Scoped.subscribe`.
"""

from __future__ import annotations

from igniter_connectors.core.event import (
    ActionCompleted,
    ActionFailedEvent,
    ActionStarted,
    AuthorizationCompleted,
    AuthorizationFailed,
    AuthorizationStarted,
    ClientRefused,
    Connected,
    DisabledEvent,
    Disconnected,
    Enabled,
    ErrorOccurred,
    Event,
    NeedsReauthEvent,
    Recovered,
    TokenRefreshed,
    TokenRefreshFailed,
    Updated,
    WebhookDeadLettered,
    WebhookFailedEvent,
    WebhookProcessed,
    WebhookReceived,
    WebhookUnknownType,
    WebhookUnrouted,
)
from igniter_connectors.flows.event_bus import Subscriber, Subscription

__all__ = [
    "ActionCompleted",
    "ActionFailedEvent",
    "ActionStarted",
    "AuthorizationCompleted",
    "AuthorizationFailed",
    "AuthorizationStarted",
    "ClientRefused",
    "Connected",
    "DisabledEvent",
    "Disconnected",
    "Enabled",
    "ErrorOccurred",
    "Event",
    "NeedsReauthEvent",
    "Recovered",
    "Subscriber",
    "Subscription",
    "TokenRefreshFailed",
    "TokenRefreshed",
    "Updated",
    "WebhookDeadLettered",
    "WebhookFailedEvent",
    "WebhookProcessed",
    "WebhookReceived",
    "WebhookUnknownType",
    "WebhookUnrouted",
]
