"""Chat, meetings and events."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import msgspec

from igniter_connectors.core.catalogue.account_paths import AccountPaths
from igniter_connectors.core.catalogue.known_provider import KnownProvider, seen
from igniter_connectors.core.catalogue.token_extras import RefreshExpiry
from igniter_connectors.core.secret import Secret


class CalendlyExtras(msgspec.Struct, frozen=True):
    """What Calendly sends with the tokens: user and organization, as URIs."""

    owner: str | None = None
    organization: str | None = None


class SlackTeam(msgspec.Struct, frozen=True):
    """A workspace, or the organization that it belongs to."""

    id: str | None = None
    name: str | None = None


class SlackUser(msgspec.Struct, frozen=True):
    """Who authorized, and the user's own token if user scopes were requested."""

    id: str | None = None
    scope: str | None = None
    access_token: Secret | None = None
    refresh_token: Secret | None = None
    expires_in: int | None = None
    token_type: str | None = None


class SlackWebhook(msgspec.Struct, frozen=True):
    """Where to post to the channel that the user chose. The URL is a secret."""

    url: Secret | None = None
    channel: str | None = None
    channel_id: str | None = None


class SlackExtras(msgspec.Struct, frozen=True):
    """What Slack sends with the bot's tokens."""

    app_id: str | None = None
    bot_user_id: str | None = None
    team: SlackTeam | None = None
    enterprise: SlackTeam | None = None
    authed_user: SlackUser | None = None
    incoming_webhook: SlackWebhook | None = None
    is_enterprise_install: bool | None = None


calendly: Final = KnownProvider(
    key="calendly",
    name="Calendly",
    documentation="https://developer.calendly.com/how-to-access-calendly-data-on-behalf-of-authenticated-users",
    checked_on=date(2026, 11, 23),
    evidence="documentation",
    authorization_url="https://auth.calendly.com/oauth/authorize",
    token_url="https://auth.calendly.com/oauth/token",
    userinfo_url="https://api.calendly.com/users/me",
    userinfo_scopes=("users:read",),
    account=AccountPaths("resource.uri", "resource.name", "resource.email"),
    revocation_url="https://auth.calendly.com/oauth/revoke",
    revocation_ends="grant",
    client_authentications=("client_secret_post",),
    token_extras=CalendlyExtras,
    rotates_refresh_tokens=True,
    access_token_lifetime=timedelta(hours=2),
    notes=("A refresh token does not expire, and works once.",),
)

eventbrite: Final = KnownProvider(
    key="eventbrite",
    name="Eventbrite",
    documentation="https://www.eventbrite.com/platform/api#/introduction/authentication",
    checked_on=date(2026, 11, 23),
    evidence="client library",
    authorization_url="https://www.eventbrite.com/oauth/authorize",
    token_url="https://www.eventbrite.com/oauth/token",
    userinfo_url="https://www.eventbriteapi.com/v3/users/me/",
    account=AccountPaths("id", "name"),
    client_authentications=("client_secret_post",),
    other_sites=frozenset({"eventbriteapi.com"}),
    notes=("There are no scopes, and there is no refresh token.",),
)

slack: Final = KnownProvider(
    key="slack",
    name="Slack",
    documentation="https://docs.slack.dev/authentication/using-token-rotation",
    checked_on=date(2026, 11, 23),
    seen_on=seen(
        date(2026, 11, 28),
        "access_token_lifetime",
        "dead_grant_errors",
        "revocation_body",
        "revocation_url",
    ),
    evidence="documentation",
    authorization_url="https://slack.com/oauth/v2/authorize",
    token_url="https://slack.com/api/oauth.v2.access",
    oauth_scope_separator=",",
    revocation_url="https://slack.com/api/auth.revoke",
    revocation_body="bearer",
    client_authentications=("client_secret_basic", "client_secret_post"),
    dead_grant_errors=frozenset({"invalid_grant", "invalid_refresh_token", "token_revoked"}),
    token_types=frozenset({"bot", "user"}),
    token_extras=SlackExtras,
    rotates_refresh_tokens=True,
    access_token_lifetime=timedelta(hours=12),
    notes=(
        "Tokens expire only if the app enabled token rotation; others have no refresh token.",
        (
            "A spent refresh token works for a short, undocumented time, and at most two "
            "access tokens are valid."
        ),
        (
            "User scopes go into the parameter `user_scope`. A response with only a user's token "
            "has no `access_token` at its top level."
        ),
        "Errors have status 200.",
        "PKCE marks the app as a public client, for ever.",
    ),
)

webex: Final = KnownProvider(
    key="webex",
    name="Webex",
    documentation="https://developer.webex.com/docs/authentication",
    checked_on=date(2026, 11, 23),
    evidence="client library",
    authorization_url="https://webexapis.com/v1/authorize",
    token_url="https://webexapis.com/v1/access_token",
    userinfo_url="https://webexapis.com/v1/people/me",
    userinfo_scopes=("spark:people_read",),
    account=AccountPaths("id", "displayName"),
    client_authentications=("client_secret_post",),
    token_extras=RefreshExpiry,
)

zoom: Final = KnownProvider(
    key="zoom",
    name="Zoom",
    documentation="https://developers.zoom.us/docs/integrations/oauth/",
    checked_on=date(2026, 11, 23),
    seen_on=seen(date(2026, 11, 28), "revocation_ends", "revocation_url", "rotates_refresh_tokens"),
    evidence="client library",
    authorization_url="https://zoom.us/oauth/authorize",
    token_url="https://zoom.us/oauth/token",
    revocation_url="https://zoom.us/oauth/revoke",
    revocation_ends="grant",
    client_authentications=("client_secret_basic",),
    pkce="supported",
    rotates_refresh_tokens=True,
    access_token_lifetime=timedelta(hours=1),
    refresh_token_lifetime=timedelta(days=90),
    notes=("Scopes are set in the app's registration.",),
)

PROVIDERS: Final = (calendly, eventbrite, slack, webex, zoom)
