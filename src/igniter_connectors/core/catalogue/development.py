"""Software development: code hosts, clouds, alerts, questions."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import msgspec
from msgspec.structs import replace

from igniter_connectors.core.catalogue.account_paths import AccountPaths
from igniter_connectors.core.catalogue.known_provider import KnownProvider, TenantValue, seen
from igniter_connectors.core.catalogue.token_extras import RefreshExpiry


class DigitalOceanAccount(msgspec.Struct, frozen=True):
    """The account that authorized."""

    uuid: str | None = None
    name: str | None = None
    email: str | None = None
    team_uuid: str | None = None
    team_name: str | None = None


class DigitalOceanExtras(msgspec.Struct, frozen=True):
    """What DigitalOcean sends with the tokens."""

    info: DigitalOceanAccount | None = None


# "Scopes for OAuth apps", docs.github.com: which scope includes which.
_GITHUB_SCOPES: Final = {
    "repo": ("repo:status", "repo_deployment", "public_repo", "repo:invite", "security_events"),
    "user": ("read:user", "user:email", "user:follow"),
    "project": ("read:project",),
    "admin:*": ("write:*", "read:*"),
    "write:*": ("read:*",),
}

github: Final = KnownProvider(
    key="github",
    name="GitHub",
    documentation=(
        "https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps"
    ),
    checked_on=date(2026, 11, 23),
    seen_on=seen(date(2026, 11, 28), "client_authentications", "oauth_scope_includes"),
    evidence="documentation",
    authorization_url="https://github.com/login/oauth/authorize",
    token_url="https://github.com/login/oauth/access_token",
    userinfo_url="https://api.github.com/user",
    account=AccountPaths("id", "login", "email"),
    device_authorization_url="https://github.com/login/device/code",
    oauth_scope_includes=_GITHUB_SCOPES,
    client_authentications=("client_secret_post",),
    pkce="supported",
    notes=(
        "Tokens of OAuth apps do not expire, and there is no refresh token.",
        "Errors have status 200.",
        "Revocation uses its own API (DELETE), not RFC 7009.",
        "Requests to the API without a User-Agent are answered 403.",
    ),
)

github_app: Final = replace(
    github,
    key="github_app",
    name="GitHub App, on behalf of a user",
    documentation=(
        "https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/"
        "refreshing-user-access-tokens"
    ),
    variant_of="github",
    token_extras=RefreshExpiry,
    dead_grant_errors=frozenset({"invalid_grant", "bad_refresh_token"}),
    rotates_refresh_tokens=True,
    access_token_lifetime=timedelta(hours=8),
    refresh_token_lifetime=timedelta(days=180),
    notes=(
        "Permissions are set in the app; scopes are not requested.",
        "A refresh invalidates the old refresh token and the old access token at once.",
        "Errors have status 200.",
    ),
)

gitlab: Final = KnownProvider(
    key="gitlab",
    name="GitLab",
    documentation="https://docs.gitlab.com/api/oauth2/",
    checked_on=date(2026, 11, 23),
    evidence="documentation",
    authorization_url="https://gitlab.com/oauth/authorize",
    token_url="https://gitlab.com/oauth/token",
    userinfo_url="https://gitlab.com/oauth/userinfo",
    userinfo_scopes=("openid",),
    account=AccountPaths("sub", "name", "email"),
    revocation_url="https://gitlab.com/oauth/revoke",
    device_authorization_url="https://gitlab.com/oauth/authorize_device",
    jwks_url="https://gitlab.com/oauth/discovery/keys",
    issuer="https://gitlab.com",
    client_authentications=("client_secret_post", "client_secret_basic", "none"),
    pkce="supported",
    rotates_refresh_tokens=True,
    access_token_lifetime=timedelta(hours=2),
)

gitlab_self_hosted: Final = replace(
    gitlab,
    key="gitlab_self_hosted",
    name="GitLab, self-hosted",
    variant_of="gitlab",
    authorization_url="https://{host}/oauth/authorize",
    token_url="https://{host}/oauth/token",
    userinfo_url="https://{host}/oauth/userinfo",
    revocation_url="https://{host}/oauth/revoke",
    device_authorization_url="https://{host}/oauth/authorize_device",
    jwks_url="https://{host}/oauth/discovery/keys",
    issuer="https://{host}",
    tenant_values=(
        TenantValue(
            placeholder="host",
            description="The host name of the GitLab installation",
            example="gitlab.example.com",
        ),
    ),
)

bitbucket: Final = KnownProvider(
    key="bitbucket",
    name="Bitbucket Cloud",
    documentation="https://developer.atlassian.com/cloud/bitbucket/oauth-2/",
    checked_on=date(2026, 11, 23),
    seen_on=seen(date(2026, 11, 28), "dead_grant_texts"),
    evidence="documentation",
    authorization_url="https://bitbucket.org/site/oauth2/authorize",
    token_url="https://bitbucket.org/site/oauth2/access_token",
    userinfo_url="https://api.bitbucket.org/2.0/user",
    userinfo_scopes=("account",),
    account=AccountPaths("uuid", "display_name"),
    client_authentications=("client_secret_basic",),
    dead_grant_texts=frozenset({"invalid refresh_token"}),
    access_token_lifetime=timedelta(hours=2),
    notes=("Scopes are set in the consumer; the response names them `scopes`.",),
)

digitalocean: Final = KnownProvider(
    key="digitalocean",
    name="DigitalOcean",
    documentation="https://docs.digitalocean.com/reference/api/oauth/",
    checked_on=date(2026, 11, 23),
    seen_on=seen(date(2026, 11, 28), "account", "userinfo_url"),
    evidence="documentation",
    authorization_url="https://cloud.digitalocean.com/v1/oauth/authorize",
    token_url="https://cloud.digitalocean.com/v1/oauth/token",
    userinfo_url="https://api.digitalocean.com/v2/account",
    account=AccountPaths("account.uuid", "account.name", "account.email"),
    client_authentications=("client_secret_post", "none"),
    pkce="supported",
    token_extras=DigitalOceanExtras,
)

heroku: Final = KnownProvider(
    key="heroku",
    name="Heroku",
    documentation="https://devcenter.heroku.com/articles/oauth",
    checked_on=date(2026, 11, 23),
    evidence="client library",
    authorization_url="https://id.heroku.com/oauth/authorize",
    token_url="https://id.heroku.com/oauth/token",
    client_authentications=("client_secret_post",),
    notes=("The account endpoint requires its own media type, so user info is not requested.",),
)

pagerduty: Final = KnownProvider(
    key="pagerduty",
    name="PagerDuty",
    documentation="https://developer.pagerduty.com/docs/oauth-functionality",
    checked_on=date(2026, 11, 23),
    seen_on=seen(date(2026, 11, 28), "revocation_ends", "revocation_url"),
    evidence="client library",
    authorization_url="https://identity.pagerduty.com/oauth/authorize",
    token_url="https://identity.pagerduty.com/oauth/token",
    userinfo_url="https://api.pagerduty.com/users/me",
    userinfo_scopes=("users.read",),
    account=AccountPaths("user.id", "user.name", "user.email"),
    revocation_url="https://identity.pagerduty.com/oauth/revoke",
    revocation_ends="grant",
    client_authentications=("client_secret_post", "none"),
    pkce="supported",
    notes=("For apps with scoped OAuth; classic apps used app.pagerduty.com.",),
)

stackexchange: Final = KnownProvider(
    key="stackexchange",
    name="Stack Exchange",
    documentation="https://api.stackexchange.com/docs/authentication",
    checked_on=date(2026, 11, 23),
    evidence="client library",
    authorization_url="https://stackoverflow.com/oauth",
    token_url="https://stackoverflow.com/oauth/access_token/json",
    client_authentications=("client_secret_post",),
    notes=("There is no refresh token; with the scope `no_expiry`, tokens do not expire.",),
)

PROVIDERS: Final = (
    bitbucket, digitalocean, github, github_app, gitlab, gitlab_self_hosted, heroku,
    pagerduty, stackexchange,
)  # fmt: skip
