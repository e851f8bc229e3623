"""Events: what happened, for subscribers and telemetry. An event never contains a secret."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", gc=False):
    """The base of all events. `name` is the field `type` in JSON.

    `at` is an aware instant. `scope`, `identity` and `account` are "" if the event has no
    tenant, as for an action on a connector's default config.
    """

    at: datetime
    connector: str
    scope: str = ""
    identity: str = ""
    account: str = ""

    @property
    def name(self) -> str:
        """The stable name, as in `connector.connected`."""
        return str(self.__struct_config__.tag)


class Connected(Event, frozen=True, kw_only=True, tag="connector.connected"):
    """A tenant connected or reconnected."""


class Disconnected(Event, frozen=True, kw_only=True, tag="connector.disconnected"):
    """A tenant's connection and its secrets were deleted."""


class Enabled(Event, frozen=True, kw_only=True, tag="connector.enabled"):
    """A connection was enabled."""


class DisabledEvent(Event, frozen=True, kw_only=True, tag="connector.disabled"):
    """A connection was disabled."""


class Updated(Event, frozen=True, kw_only=True, tag="connector.updated"):
    """A connection's config was replaced."""


class AuthorizationStarted(Event, frozen=True, kw_only=True, tag="oauth.started"):
    """A browser was sent to the provider."""


class AuthorizationCompleted(Event, frozen=True, kw_only=True, tag="oauth.completed"):
    """The provider granted tokens, and they were stored."""


class AuthorizationFailed(Event, frozen=True, kw_only=True, tag="oauth.failed"):
    """An authorization ended without tokens. `code` is the code of the problem."""

    code: str


class TokenRefreshed(Event, frozen=True, kw_only=True, tag="oauth.refreshed"):
    """New tokens were stored. `generation` counts the token sets of the connection."""

    generation: int


class TokenRefreshFailed(Event, frozen=True, kw_only=True, tag="oauth.refresh_failed"):
    """A refresh failed; the grant may still be valid. `retry_at` is None if it is unknown."""

    retry_at: datetime | None


class ClientRefused(Event, frozen=True, kw_only=True, tag="oauth.client_refused"):
    """The provider refuses the application's own OAuth client, so the operator must act.

    Its secret has expired, for example. Published once until the provider accepts the client
    again. `client_id` is the client's; `error` is `invalid_client` or `unauthorized_client`.
    """

    client_id: str
    error: str


class NeedsReauthEvent(Event, frozen=True, kw_only=True, tag="oauth.needs_reauth"):
    """The grant no longer works, so the tenant must authorize again. `reason` is the status."""

    reason: str


class Recovered(Event, frozen=True, kw_only=True, tag="oauth.recovered"):
    """A connection that needed attention works again."""


class ActionStarted(Event, frozen=True, kw_only=True, tag="action.started"):
    """An action's handler is about to run."""

    action: str


class ActionCompleted(Event, frozen=True, kw_only=True, tag="action.completed"):
    """An action returned a valid value."""

    action: str
    duration: timedelta


class ActionFailedEvent(Event, frozen=True, kw_only=True, tag="action.failed"):
    """An action returned a problem. `code` is the code of the problem."""

    action: str
    duration: timedelta
    code: str


class WebhookReceived(Event, frozen=True, kw_only=True, tag="webhook.received"):
    """A webhook was verified, validated and stored. A duplicate causes no second event.

    `event_id` is "" if the scheme has none.
    """

    event_id: str


class WebhookUnrouted(Event, frozen=True, kw_only=True, tag="webhook.unrouted"):
    """A webhook for the application was genuine, but no connection matched: it is not stored."""

    event_id: str


class WebhookUnknownType(Event, frozen=True, kw_only=True, tag="webhook.unknown_type"):
    """A genuine webhook has a type that the connector's payload does not have.

    The provider got a 2xx. `webhook_type` is "" unless it looks like a name. `is_kept`: it is a
    dead letter of the connection, for a replay.
    """

    event_id: str
    webhook_type: str
    is_kept: bool


class WebhookProcessed(Event, frozen=True, kw_only=True, tag="webhook.processed"):
    """A webhook's handler succeeded."""

    event_id: str
    duration: timedelta


class WebhookFailedEvent(Event, frozen=True, kw_only=True, tag="webhook.failed"):
    """A webhook was refused, or its handler failed. `code` is the code of the problem."""

    event_id: str
    code: str


class WebhookDeadLettered(Event, frozen=True, kw_only=True, tag="webhook.dead_lettered"):
    """The last attempt to handle an event failed. It is stored as a dead letter for a replay."""

    event_id: str
    code: str
    attempts: int


class ErrorOccurred(Event, frozen=True, kw_only=True, tag="connector.error"):
    """A handler or hook of the application raised.

    `error` is the type of the exception, `frames` are the innermost frames as
    `file:line function`, and `text` is the message with every secret of the call replaced.
    """

    where: str
    error: str
    text: str
    frames: tuple[str, ...] = ()
