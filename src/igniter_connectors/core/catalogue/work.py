"""Work management: tasks, issues, boards, tables, notes."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import msgspec

from igniter_connectors.core.catalogue.account_paths import AccountPaths
from igniter_connectors.core.catalogue.known_provider import KnownProvider, seen


class AirtableExtras(msgspec.Struct, frozen=True):
    """What Airtable sends with the tokens: seconds until the refresh token expires."""

    refresh_expires_in: int | None = None


class AsanaUser(msgspec.Struct, frozen=True):
    """Who authorized; `gid` identifies."""

    gid: str | None = None
    name: str | None = None
    email: str | None = None


class AsanaExtras(msgspec.Struct, frozen=True):
    """What Asana sends with the tokens."""

    data: AsanaUser | None = None


class NotionExtras(msgspec.Struct, frozen=True):
    """What Notion sends with the tokens: the workspace, and the bot of the grant."""

    bot_id: str | None = None
    workspace_id: str | None = None
    workspace_name: str | None = None
    workspace_icon: str | None = None
    duplicated_template_id: str | None = None


airtable: Final = KnownProvider(
    key="airtable",
    name="Airtable",
    documentation="https://airtable.com/developers/web/api/oauth-reference",
    checked_on=date(2026, 11, 23),
    evidence="client library",
    authorization_url="https://airtable.com/oauth2/v1/authorize",
    token_url="https://airtable.com/oauth2/v1/token",
    userinfo_url="https://api.airtable.com/v0/meta/whoami",
    account=AccountPaths("id", None, "email"),
    client_authentications=("client_secret_basic", "none"),
    pkce="required",
    token_extras=AirtableExtras,
    rotates_refresh_tokens=True,
    access_token_lifetime=timedelta(hours=1),
    refresh_token_lifetime=timedelta(days=60),
)

asana: Final = KnownProvider(
    key="asana",
    name="Asana",
    documentation="https://developers.asana.com/docs/oauth",
    checked_on=date(2026, 11, 23),
    evidence="documentation",
    authorization_url="https://app.asana.com/-/oauth_authorize",
    token_url="https://app.asana.com/-/oauth_token",
    userinfo_url="https://app.asana.com/api/1.0/users/me",
    userinfo_scopes=("users:read",),
    account=AccountPaths("data.gid", "data.name", "data.email"),
    revocation_url="https://app.asana.com/-/oauth_revoke",
    revocation_ends="grant",
    client_authentications=("client_secret_post",),
    pkce="supported",
    token_extras=AsanaExtras,
    access_token_lifetime=timedelta(hours=1),
)

atlassian: Final = KnownProvider(
    key="atlassian",
    name="Atlassian",
    documentation="https://developer.atlassian.com/cloud/oauth/getting-started/refresh-tokens/",
    checked_on=date(2026, 11, 23),
    seen_on=seen(date(2026, 11, 28), "dead_grant_texts", "rotates_refresh_tokens"),
    evidence="client library",
    authorization_url="https://auth.atlassian.com/authorize",
    token_url="https://auth.atlassian.com/oauth/token",
    userinfo_url="https://api.atlassian.com/me",
    userinfo_scopes=("read:me",),
    account=AccountPaths("account_id", "name", "email"),
    client_authentications=("client_secret_post",),
    dead_grant_texts=frozenset({"refresh_token is invalid", "invalid refresh token"}),
    offline_scopes=("offline_access",),
    authorization_parameters={"audience": "api.atlassian.com", "prompt": "consent"},
    rotates_refresh_tokens=True,
    access_token_lifetime=timedelta(hours=1),
    notes=(
        "Sources disagree about a reuse interval of ten minutes, so none is declared.",
        (
            "The sites of a grant are listed by "
            "https://api.atlassian.com/oauth/token/accessible-resources."
        ),
    ),
)

clickup: Final = KnownProvider(
    key="clickup",
    name="ClickUp",
    documentation="https://developer.clickup.com/docs/authentication",
    checked_on=date(2026, 11, 23),
    seen_on=seen(date(2026, 11, 28), "account", "userinfo_url"),
    evidence="client library",
    authorization_url="https://app.clickup.com/api",
    token_url="https://api.clickup.com/api/v2/oauth/token",
    userinfo_url="https://api.clickup.com/api/v2/user",
    account=AccountPaths("user.id", "user.username", "user.email"),
    client_authentications=("client_secret_post",),
    notes=("There are no scopes, and there is no refresh token.",),
)

linear: Final = KnownProvider(
    key="linear",
    name="Linear",
    documentation="https://linear.app/developers/oauth-2-0-authentication",
    checked_on=date(2026, 11, 23),
    seen_on=seen(
        date(2026, 11, 28),
        "access_token_lifetime",
        "account",
        "client_authentications",
        "oauth_scope_separator",
        "pkce",
        "revocation_body",
        "revocation_url",
        "rotates_refresh_tokens",
        "userinfo_graphql",
        "userinfo_url",
    ),
    evidence="documentation",
    authorization_url="https://linear.app/oauth/authorize",
    token_url="https://api.linear.app/oauth/token",
    revocation_url="https://api.linear.app/oauth/revoke",
    revocation_ends="grant",
    oauth_scope_separator=",",
    userinfo_url="https://api.linear.app/graphql",
    userinfo_graphql="{ viewer { id name email } }",
    account=AccountPaths("data.viewer.id", "data.viewer.name", "data.viewer.email"),
    revocation_body="kind",
    pkce="supported",
    access_token_lifetime=timedelta(hours=24),
    client_authentications=("client_secret_post", "none"),
    rotates_refresh_tokens=True,
    notes=("Apps made before October 2025 may have tokens without an end, and no refresh token.",),
)

monday: Final = KnownProvider(
    key="monday",
    name="monday.com",
    documentation="https://developer.monday.com/apps/docs/oauth-2-1",
    checked_on=date(2026, 11, 23),
    seen_on=seen(
        date(2026, 11, 28),
        "account",
        "authorization_url",
        "evidence",
        "pkce",
        "token_url",
        "userinfo_graphql",
        "userinfo_scopes",
        "userinfo_url",
    ),
    evidence="documentation",
    authorization_url="https://auth.monday.com/oauth2/authorize",
    token_url="https://auth.monday.com/oauth_ms/oauth/token",
    pkce="supported",
    userinfo_url="https://api.monday.com/v2",
    userinfo_graphql="{ me { id name email } }",
    userinfo_scopes=("me:read",),
    account=AccountPaths("data.me.id", "data.me.name", "data.me.email"),
    client_authentications=("client_secret_post",),
    notes=(
        (
            "Apps made before OAuth 2.1 became the default exchange codes at "
            "https://auth.monday.com/oauth2/token. Their tokens do not expire, and the API "
            "refuses them from version 2027-04."
        ),
        "An administrator must have installed the app.",
    ),
)

notion: Final = KnownProvider(
    key="notion",
    name="Notion",
    documentation="https://developers.notion.com/reference/create-a-token",
    checked_on=date(2026, 11, 23),
    seen_on=seen(
        date(2026, 11, 28),
        "request_headers",
        "revocation_body",
        "revocation_url",
        "rotates_refresh_tokens",
    ),
    evidence="documentation",
    authorization_url="https://api.notion.com/v1/oauth/authorize",
    token_url="https://api.notion.com/v1/oauth/token",
    request_headers={"Notion-Version": "2025-09-03"},
    revocation_url="https://api.notion.com/v1/oauth/revoke",
    revocation_body="json",
    client_authentications=("client_secret_basic",),
    token_body="json",
    token_extras=NotionExtras,
    authorization_parameters={"owner": "user"},
    rotates_refresh_tokens=True,
    notes=("There are no scopes: capabilities are set for the connection.",),
)

smartsheet: Final = KnownProvider(
    key="smartsheet",
    name="Smartsheet",
    documentation="https://developers.smartsheet.com/api/smartsheet/guides/advanced-topics/oauth",
    checked_on=date(2026, 11, 23),
    evidence="client library",
    authorization_url="https://app.smartsheet.com/b/authorize",
    token_url="https://api.smartsheet.com/2.0/token",
    client_authentications=("client_secret_post",),
    notes=("Regions (Europe, Gov) have their own hosts and tokens.",),
)

todoist: Final = KnownProvider(
    key="todoist",
    name="Todoist",
    documentation="https://developer.todoist.com/api/v1/#tag/Authorization",
    checked_on=date(2026, 11, 23),
    seen_on=seen(
        date(2026, 11, 28),
        "client_authentications",
        "revocation_body",
        "revocation_url",
        "rotates_refresh_tokens",
        "token_url",
    ),
    evidence="client library",
    authorization_url="https://todoist.com/oauth/authorize",
    token_url="https://todoist.com/oauth/access_token",
    oauth_scope_separator=",",
    rotates_refresh_tokens=True,
    revocation_url="https://api.todoist.com/api/v1/revoke",
    revocation_body="json",
    client_authentications=("client_secret_post", "client_secret_basic", "none"),
    notes=("Older apps have tokens without an end, and no refresh token.",),
)

PROVIDERS: Final = (
    airtable, asana, atlassian, clickup, linear, monday, notion, smartsheet, todoist,
)  # fmt: skip
