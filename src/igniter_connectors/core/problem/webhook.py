"""Webhooks."""

from __future__ import annotations

from typing import ClassVar, final

from igniter_connectors.core.problem.base import Problem


@final
class WebhookNotConfigured(Problem, frozen=True, tag="CONNECTOR_WEBHOOK_NOT_CONFIGURED"):
    """The connector takes no webhooks."""

    connector: str
    says: ClassVar[str] = "{connector} takes no webhooks"


@final
class WebhookNotFound(Problem, frozen=True, tag="CONNECTOR_WEBHOOK_NOT_FOUND"):
    """No such webhook endpoint; or the connection behind it is gone."""

    says: ClassVar[str] = "no such webhook endpoint"


@final
class WebhookTooLarge(Problem, frozen=True, tag="CONNECTOR_WEBHOOK_TOO_LARGE"):
    """The body is over the cap."""

    limit_bytes: int
    says: ClassVar[str] = "a webhook's body has at most {limit_bytes} bytes"


@final
class WebhookSecretInvalid(Problem, frozen=True, tag="CONNECTOR_WEBHOOK_SECRET_INVALID"):
    """A signing secret that is not of the form the scheme signs with."""

    connector: str
    says: ClassVar[str] = "{connector}: the signing secret is not of the scheme's form"


@final
class WebhookVerificationFailed(Problem, frozen=True, tag="CONNECTOR_WEBHOOK_VERIFICATION_FAILED"):
    """The signature is missing, malformed, too old, or does not match. Nothing was decoded."""

    connector: str
    says: ClassVar[str] = "{connector}: the webhook's signature is not accepted"


@final
class WebhookPayloadInvalid(Problem, frozen=True, tag="CONNECTOR_WEBHOOK_VALIDATION_FAILED"):
    """A genuine webhook whose payload does not fit the connector's type."""

    connector: str
    path: str
    reason: str
    says: ClassVar[str] = "{connector}: webhook payload at {path}: {reason}"


@final
class WebhookFailed(Problem, frozen=True, tag="CONNECTOR_WEBHOOK_FAILED"):
    """The handler said so, raised, or took too long; it is tried again after a pause.

    Or, returned where a webhook comes in, its route raised, and the provider comes again.
    """

    connector: str
    reason: str
    says: ClassVar[str] = "{connector}: the webhook's handler failed: {reason}"


@final
class WebhookOverloaded(Problem, frozen=True, tag="CONNECTOR_WEBHOOK_OVERLOADED"):
    """More deliveries came at once than may wait; the provider is asked to come again."""

    retry_after_seconds: int
    says: ClassVar[str] = "too many webhooks at once: try again in {retry_after_seconds} s"


@final
class WebhookEventNotFound(Problem, frozen=True, tag="CONNECTOR_WEBHOOK_EVENT_NOT_FOUND"):
    """No event of this connection has this id; or it is forgotten."""

    connector: str
    says: ClassVar[str] = "{connector}: no such webhook event"


@final
class WebhookEventNotReplayable(Problem, frozen=True, tag="CONNECTOR_WEBHOOK_EVENT_NOT_REPLAYABLE"):
    """The event's body was cleared away, or it is being handled."""

    connector: str
    reason: str
    says: ClassVar[str] = "{connector}: the event cannot be replayed: {reason}"
