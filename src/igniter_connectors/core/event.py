"""What happened, told to subscribers and telemetry. An event never holds a secret."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", gc=False):
    """The base of all events; `type` in JSON, `name` here.

    The four that address a connection are "" where an event has no tenant: an action on
    a connector's default config.
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
    """A tenant connected, or connected anew."""


class Disconnected(Event, frozen=True, kw_only=True, tag="connector.disconnected"):
    """A tenant's connection is gone, its secrets with it."""


class Enabled(Event, frozen=True, kw_only=True, tag="connector.enabled"):
    """A connection was switched on."""


class DisabledEvent(Event, frozen=True, kw_only=True, tag="connector.disabled"):
    """A connection was switched off."""


class Updated(Event, frozen=True, kw_only=True, tag="connector.updated"):
    """A connection's config was replaced."""


class AuthorizationStarted(Event, frozen=True, kw_only=True, tag="oauth.started"):
    """A browser was sent to the provider."""


class AuthorizationCompleted(Event, frozen=True, kw_only=True, tag="oauth.completed"):
    """The provider granted tokens and they are stored."""


class AuthorizationFailed(Event, frozen=True, kw_only=True, tag="oauth.failed"):
    """An authorization ended without tokens. `code` is the problem's."""

    code: str


class TokenRefreshed(Event, frozen=True, kw_only=True, tag="oauth.refreshed"):
    """New tokens are stored. `generation` counts the token sets of the connection."""

    generation: int


class TokenRefreshFailed(Event, frozen=True, kw_only=True, tag="oauth.refresh_failed"):
    """A refresh did not bring tokens; the grant may be alive."""

    retry_at: datetime | None


class NeedsReauthEvent(Event, frozen=True, kw_only=True, tag="oauth.needs_reauth"):
    """The grant is dead: the tenant has to authorize again. `reason` is the status."""

    reason: str


class Recovered(Event, frozen=True, kw_only=True, tag="oauth.recovered"):
    """A connection that needed attention works again."""


class ActionStarted(Event, frozen=True, kw_only=True, tag="action.started"):
    """An action's handler is about to run."""

    action: str


class ActionCompleted(Event, frozen=True, kw_only=True, tag="action.completed"):
    """An action returned a value that fits its type."""

    action: str
    duration: timedelta


class ActionFailedEvent(Event, frozen=True, kw_only=True, tag="action.failed"):
    """An action returned a problem. `code` is the problem's."""

    action: str
    duration: timedelta
    code: str


class WebhookReceived(Event, frozen=True, kw_only=True, tag="webhook.received"):
    """A webhook was verified, fits its type and is recorded; told once, duplicates aside.

    `event_id` is "" where the scheme has none.
    """

    event_id: str


class WebhookUnrouted(Event, frozen=True, kw_only=True, tag="webhook.unrouted"):
    """A webhook for the application was genuine and nobody's here: answered, and not stored."""

    event_id: str


class WebhookProcessed(Event, frozen=True, kw_only=True, tag="webhook.processed"):
    """A webhook's handler succeeded."""

    event_id: str
    duration: timedelta


class WebhookFailedEvent(Event, frozen=True, kw_only=True, tag="webhook.failed"):
    """A webhook was refused or its handler failed. `code` is the problem's."""

    event_id: str
    code: str


class WebhookDeadLettered(Event, frozen=True, kw_only=True, tag="webhook.dead_lettered"):
    """An event was given up after its last attempt; it stays to be replayed."""

    event_id: str
    code: str
    attempts: int


class ErrorOccurred(Event, frozen=True, kw_only=True, tag="connector.error"):
    """A user's handler or hook raised.

    `error` is the exception's type, `frames` its innermost frames as `file:line function`,
    `text` its message after every secret of the call was replaced.
    """

    where: str
    error: str
    text: str
    frames: tuple[str, ...] = ()
