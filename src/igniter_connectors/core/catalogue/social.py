"""Social networks, video, music and fitness."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from igniter_connectors.core.catalogue.account_paths import AccountPaths
from igniter_connectors.core.catalogue.known_provider import KnownProvider, seen
from igniter_connectors.core.catalogue.token_extras import RefreshExpiry

discord: Final = KnownProvider(
    key="discord",
    name="Discord",
    documentation="https://discord.com/developers/docs/topics/oauth2",
    checked_on=date(2026, 11, 23),
    seen_on=seen(
        date(2026, 11, 28),
        "access_token_lifetime",
        "client_authentications",
        "pkce",
        "revocation_url",
    ),
    evidence="documentation",
    authorization_url="https://discord.com/oauth2/authorize",
    token_url="https://discord.com/api/oauth2/token",
    userinfo_url="https://discord.com/api/users/@me",
    userinfo_scopes=("identify",),
    account=AccountPaths("id", "username", "email"),
    revocation_url="https://discord.com/api/oauth2/token/revoke",
    revocation_ends="grant",
    pkce="supported",
    client_authentications=("client_secret_basic", "client_secret_post"),
    access_token_lifetime=timedelta(days=7),
    notes=("Requests without a User-Agent are blocked.",),
)

facebook: Final = KnownProvider(
    key="facebook",
    name="Facebook",
    documentation="https://developers.facebook.com/documentation/facebook-login/guides/advanced/manual-flow",
    checked_on=date(2026, 11, 23),
    evidence="documentation",
    authorization_url="https://www.facebook.com/v22.0/dialog/oauth",
    token_url="https://graph.facebook.com/v22.0/oauth/access_token",
    userinfo_url="https://graph.facebook.com/v22.0/me?fields=id,name,email",
    account=AccountPaths("id", "name", "email"),
    oauth_scope_separator=",",
    client_authentications=("client_secret_post",),
    notes=(
        (
            "There is no refresh token. Longer-lived access tokens require a grant type of "
            "Facebook, which is not supported."
        ),
        "The version in the URLs is supported for about two years after its release.",
    ),
)

linkedin: Final = KnownProvider(
    key="linkedin",
    name="LinkedIn",
    documentation="https://learn.microsoft.com/en-us/linkedin/shared/authentication/programmatic-refresh-tokens",
    checked_on=date(2026, 11, 23),
    seen_on=seen(
        date(2026, 11, 28),
        "access_token_lifetime",
        "client_authentications",
        "issuer",
        "pkce",
        "refresh_token_lifetime",
        "rotates_refresh_tokens",
        "userinfo_url",
    ),
    evidence="client library",
    authorization_url="https://www.linkedin.com/oauth/v2/authorization",
    token_url="https://www.linkedin.com/oauth/v2/accessToken",
    userinfo_url="https://api.linkedin.com/v2/userinfo",
    userinfo_scopes=("openid", "profile"),
    account=AccountPaths("sub", "name", "email"),
    pkce="refused",
    issuer="https://www.linkedin.com/oauth",
    rotates_refresh_tokens=False,
    client_authentications=("client_secret_post",),
    token_extras=RefreshExpiry,
    access_token_lifetime=timedelta(days=60),
    refresh_token_lifetime=timedelta(days=365),
    notes=(
        "Only approved partners get refresh tokens. Their year begins with the authorization.",
        (
            "A code_verifier is answered with 401 invalid_client, so no PKCE is sent. State, the"
            " browser's cookie and the issuer protect the code."
        ),
        "The ID token does not repeat the nonce, so it is not read.",
    ),
)

patreon: Final = KnownProvider(
    key="patreon",
    name="Patreon",
    documentation="https://docs.patreon.com/#oauth",
    checked_on=date(2026, 11, 23),
    seen_on=seen(date(2026, 11, 28), "revocation_ends", "revocation_url"),
    evidence="client library",
    authorization_url="https://www.patreon.com/oauth2/authorize",
    token_url="https://www.patreon.com/api/oauth2/token",
    userinfo_url="https://www.patreon.com/api/oauth2/v2/identity",
    userinfo_scopes=("identity",),
    account=AccountPaths("data.id"),
    revocation_url="https://www.patreon.com/oauth2/revoke",
    revocation_ends="grant",
    client_authentications=("client_secret_post",),
)

pinterest: Final = KnownProvider(
    key="pinterest",
    name="Pinterest",
    documentation="https://developers.pinterest.com/docs/getting-started/set-up-authentication-and-authorization/",
    checked_on=date(2026, 11, 23),
    seen_on=seen(date(2026, 11, 28), "access_token_lifetime"),
    evidence="documentation",
    authorization_url="https://www.pinterest.com/oauth/",
    token_url="https://api.pinterest.com/v5/oauth/token",
    userinfo_url="https://api.pinterest.com/v5/user_account",
    userinfo_scopes=("user_accounts:read",),
    account=AccountPaths("id", "username"),
    oauth_scope_separator=",",
    access_token_lifetime=timedelta(days=30),
    client_authentications=("client_secret_basic",),
    token_extras=RefreshExpiry,
)

reddit: Final = KnownProvider(
    key="reddit",
    name="Reddit",
    documentation="https://github.com/reddit-archive/reddit/wiki/OAuth2",
    checked_on=date(2026, 11, 23),
    evidence="client library",
    authorization_url="https://www.reddit.com/api/v1/authorize",
    token_url="https://www.reddit.com/api/v1/access_token",
    userinfo_url="https://oauth.reddit.com/api/v1/me",
    userinfo_scopes=("identity",),
    account=AccountPaths("id", "name"),
    revocation_url="https://www.reddit.com/api/v1/revoke_token",
    client_authentications=("client_secret_basic",),
    authorization_parameters={"duration": "permanent"},
    notes=(
        "Refresh tokens work until they are revoked.",
        (
            "Requests without a User-Agent of the application's own are answered 429: set "
            "`with_user_agent`."
        ),
    ),
)

spotify: Final = KnownProvider(
    key="spotify",
    name="Spotify",
    documentation="https://developer.spotify.com/documentation/web-api/tutorials/refreshing-tokens",
    checked_on=date(2026, 11, 23),
    evidence="documentation",
    authorization_url="https://accounts.spotify.com/authorize",
    token_url="https://accounts.spotify.com/api/token",
    userinfo_url="https://api.spotify.com/v1/me",
    account=AccountPaths("id", "display_name", "email"),
    client_authentications=("client_secret_basic", "none"),
    pkce="supported",
    access_token_lifetime=timedelta(hours=1),
    refresh_token_lifetime=timedelta(days=180),
    notes=(
        (
            "Refresh tokens expire six months after the authorization (since 18 June 2026 for new "
            "apps, 20 July 2026 for others); a refresh does not extend that."
        ),
    ),
)

strava: Final = KnownProvider(
    key="strava",
    name="Strava",
    documentation="https://developers.strava.com/docs/authentication/",
    checked_on=date(2026, 11, 23),
    seen_on=seen(
        date(2026, 11, 28),
        "dead_grant_errors",
        "revocation_body",
        "revocation_ends",
        "revocation_url",
    ),
    evidence="client library",
    authorization_url="https://www.strava.com/oauth/authorize",
    token_url="https://www.strava.com/oauth/token",
    userinfo_url="https://www.strava.com/api/v3/athlete",
    userinfo_scopes=("read",),
    account=AccountPaths("id", "username"),
    oauth_scope_separator=",",
    revocation_url="https://www.strava.com/oauth/deauthorize",
    revocation_body="access_token",
    revocation_ends="grant",
    client_authentications=("client_secret_post",),
    dead_grant_errors=frozenset({"invalid_grant", "refresh_token.invalid"}),
    access_token_lifetime=timedelta(hours=6),
    notes=(
        "A user can deselect requested scopes.",
        "The callback, not the token response, names the granted scopes.",
    ),
)

twitch: Final = KnownProvider(
    key="twitch",
    name="Twitch",
    documentation="https://dev.twitch.tv/docs/authentication/refresh-tokens/",
    checked_on=date(2026, 11, 23),
    seen_on=seen(
        date(2026, 11, 28),
        "client_authentications",
        "dead_grant_texts",
        "request_headers",
        "revocation_body",
    ),
    evidence="documentation",
    authorization_url="https://id.twitch.tv/oauth2/authorize",
    token_url="https://id.twitch.tv/oauth2/token",
    userinfo_url="https://id.twitch.tv/oauth2/userinfo",
    userinfo_scopes=("openid",),
    account=AccountPaths("sub", "preferred_username", "email"),
    revocation_url="https://id.twitch.tv/oauth2/revoke",
    jwks_url="https://id.twitch.tv/oauth2/keys",
    issuer="https://id.twitch.tv/oauth2",
    request_headers={"Client-Id": "{client_id}"},
    client_authentications=("client_secret_post",),
    dead_grant_texts=frozenset({"invalid refresh token"}),
    notes=(
        "The response has the scopes as a list.",
        "Only access tokens can be revoked.",
        "Apps must validate their tokens every hour.",
    ),
)

x: Final = KnownProvider(
    key="x",
    name="X",
    documentation="https://docs.x.com/fundamentals/authentication/oauth-2-0/authorization-code",
    checked_on=date(2026, 11, 23),
    seen_on=seen(
        date(2026, 11, 28),
        "access_token_lifetime",
        "client_authentications",
        "dead_grant_texts",
        "offline_scopes",
        "pkce",
        "revocation_url",
        "rotates_refresh_tokens",
    ),
    evidence="documentation",
    authorization_url="https://x.com/i/oauth2/authorize",
    token_url="https://api.x.com/2/oauth2/token",
    userinfo_url="https://api.x.com/2/users/me",
    userinfo_scopes=("users.read", "tweet.read"),
    account=AccountPaths("data.id", "data.username"),
    revocation_url="https://api.x.com/2/oauth2/revoke",
    revocation_ends="grant",
    rotates_refresh_tokens=True,
    client_authentications=("client_secret_basic", "none"),
    dead_grant_texts=frozenset({"value passed for the token was invalid"}),
    pkce="required",
    offline_scopes=("offline.access",),
    access_token_lifetime=timedelta(hours=2),
    notes=("A code is valid for 30 seconds.",),
)

PROVIDERS: Final = (
    discord, facebook, linkedin, patreon, pinterest, reddit, spotify, strava, twitch, x,
)  # fmt: skip
