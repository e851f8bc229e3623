"""Problems of receiving, handling and replaying webhooks."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, final

from igniter_connectors.core.problem.problem import Problem


@final
class WebhookNotConfigured(Problem, frozen=True, tag="CONNECTOR_WEBHOOK_NOT_CONFIGURED"):
    """The connector has no webhook."""

    connector: str
    template: ClassVar[str] = "{connector} has no webhook"


@final
class WebhookNotFound(Problem, frozen=True, tag="CONNECTOR_WEBHOOK_NOT_FOUND"):
    """There is no such webhook endpoint, or its connection was deleted."""

    template: ClassVar[str] = "there is no such webhook endpoint"


@final
class WebhookTooLarge(Problem, frozen=True, tag="CONNECTOR_WEBHOOK_TOO_LARGE"):
    """The body is larger than the limit."""

    limit_bytes: int
    template: ClassVar[str] = "a webhook's body must have at most {limit_bytes} bytes"


@final
class WebhookSecretInvalid(Problem, frozen=True, tag="CONNECTOR_WEBHOOK_SECRET_INVALID"):
    """The signing secret is too short, badly pasted, or not in the format of the scheme."""

    connector: str
    reason: str = "does not have the scheme's format"
    template: ClassVar[str] = "{connector}: the signing secret {reason}"


@final
class WebhookVerificationFailed(Problem, frozen=True, tag="CONNECTOR_WEBHOOK_VERIFICATION_FAILED"):
    """The signature is missing, malformed, too old, or does not match. The body was not decoded."""

    connector: str
    template: ClassVar[str] = "{connector}: the webhook's signature is not valid"


@final
class WebhookPayloadInvalid(Problem, frozen=True, tag="CONNECTOR_WEBHOOK_VALIDATION_FAILED"):
    """The signature is valid, but the payload does not match the connector's type."""

    connector: str
    path: str
    reason: str
    template: ClassVar[str] = "{connector}: invalid webhook payload at {path}: {reason}"


@final
class WebhookFailed(Problem, frozen=True, tag="CONNECTOR_WEBHOOK_FAILED"):
    """The handler returned a failure, raised, or timed out. It is retried after a pause.

    While a webhook is received: the connector's `route` raised. The provider retries.
    `retry_at` is when a retry makes sense; None if the handler did not say.
    """

    connector: str
    reason: str
    retry_at: datetime | None = None
    template: ClassVar[str] = "{connector}: the webhook's handler failed: {reason}"


@final
class WebhookProcessEnded(Problem, frozen=True, tag="CONNECTOR_WEBHOOK_PROCESS_ENDED"):
    """The process ended during the last attempt of an event, while nothing else ran in it.

    For example it was killed because it needed too much memory. The event is a dead letter.
    """

    connector: str
    template: ClassVar[str] = "{connector}: the process ended during the webhook's handler"


@final
class WebhookOverloaded(Problem, frozen=True, tag="CONNECTOR_WEBHOOK_OVERLOADED"):
    """Too many deliveries arrived at the same time. The provider is asked to retry."""

    retry_after_seconds: int
    template: ClassVar[str] = "too many webhooks at the same time: retry in {retry_after_seconds} s"


@final
class WebhookEventNotFound(Problem, frozen=True, tag="CONNECTOR_WEBHOOK_EVENT_NOT_FOUND"):
    """The connection has no event with this id, or the event was purged."""

    connector: str
    template: ClassVar[str] = "{connector}: there is no such webhook event"


@final
class WebhookEventNotReplayable(Problem, frozen=True, tag="CONNECTOR_WEBHOOK_EVENT_NOT_REPLAYABLE"):
    """The event's body was purged, or the event is being handled."""

    connector: str
    reason: str
    template: ClassVar[str] = "{connector}: the event cannot be replayed: {reason}"
