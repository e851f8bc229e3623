"""Identity providers: Google, Microsoft, Okta, Auth0 and the like."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from msgspec.structs import replace

from igniter_connectors.core.catalogue.account_paths import AccountPaths
from igniter_connectors.core.catalogue.known_provider import KnownProvider, TenantValue, seen

_OPENID: Final = AccountPaths("sub", "name", "email")

# Google grants `email` and `profile` by their long names.
_GOOGLE_SCOPES: Final = {
    "https://www.googleapis.com/auth/userinfo.email": ("email",),
    "email": ("https://www.googleapis.com/auth/userinfo.email",),
    "https://www.googleapis.com/auth/userinfo.profile": ("profile",),
    "profile": ("https://www.googleapis.com/auth/userinfo.profile",),
    "https://www.googleapis.com/auth/*": ("https://www.googleapis.com/auth/*.readonly",),
}

# A scope of Microsoft Graph is granted with or without the resource in front.
_MICROSOFT_SCOPES: Final = {
    "https://graph.microsoft.com/*": ("*",),
    "*": ("https://graph.microsoft.com/*",),
    "*.ReadWrite": ("*.Read",),
    "*.ReadWrite.All": ("*.Read.All",),
}

google: Final = KnownProvider(
    key="google",
    name="Google",
    documentation="https://developers.google.com/identity/protocols/oauth2/web-server",
    checked_on=date(2026, 11, 23),
    seen_on=seen(date(2026, 11, 28), "authorization_parameters", "issuer", "oauth_scope_includes"),
    evidence="client library",
    authorization_url="https://accounts.google.com/o/oauth2/v2/auth",
    token_url="https://oauth2.googleapis.com/token",
    userinfo_url="https://openidconnect.googleapis.com/v1/userinfo",
    userinfo_scopes=("openid",),
    account=_OPENID,
    revocation_url="https://oauth2.googleapis.com/revoke",
    revocation_ends="grant",
    device_authorization_url="https://oauth2.googleapis.com/device/code",
    jwks_url="https://www.googleapis.com/oauth2/v3/certs",
    issuer="https://accounts.google.com",
    oauth_scope_includes=_GOOGLE_SCOPES,
    client_authentications=("client_secret_post", "client_secret_basic"),
    pkce="supported",
    authorization_parameters={"access_type": "offline", "prompt": "consent"},
    rotates_refresh_tokens=False,
    access_token_lifetime=timedelta(hours=1),
    notes=(
        "Only the first consent returns a refresh token, hence prompt=consent.",
        (
            "Refresh tokens expire after six months without use, or seven days after consent "
            "while the consent screen is in testing."
        ),
    ),
)

microsoft: Final = KnownProvider(
    key="microsoft",
    name="Microsoft",
    documentation="https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow",
    checked_on=date(2026, 11, 23),
    seen_on=seen(date(2026, 11, 28), "oauth_scope_includes"),
    evidence="documentation",
    authorization_url="https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
    token_url="https://login.microsoftonline.com/common/oauth2/v2.0/token",
    userinfo_url="https://graph.microsoft.com/oidc/userinfo",
    userinfo_scopes=("openid", "User.Read"),
    account=_OPENID,
    device_authorization_url="https://login.microsoftonline.com/common/oauth2/v2.0/devicecode",
    oauth_scope_includes=_MICROSOFT_SCOPES,
    client_authentications=("client_secret_post", "client_secret_basic", "private_key_jwt"),
    dead_grant_errors=frozenset({"invalid_grant", "interaction_required"}),
    pkce="supported",
    offline_scopes=("offline_access",),
    rotates_refresh_tokens=True,
    reuse_grace=timedelta(days=30),
    refresh_token_lifetime=timedelta(days=90),
    notes=(
        (
            "A spent refresh token is not revoked: it works until its 90 days end. The declared "
            "grace period is the maximum."
        ),
        "Refresh tokens of single-page applications and of one-time passcode users live 24 hours.",
        "Tokens of `common` have the user's own tenant as issuer, so no issuer is declared.",
        "User info requires a token for Microsoft Graph, so the scope User.Read.",
    ),
)

microsoft_tenant: Final = replace(
    microsoft,
    key="microsoft_tenant",
    name="Microsoft, one tenant",
    variant_of="microsoft",
    authorization_url="https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize",
    token_url="https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
    device_authorization_url="https://login.microsoftonline.com/{tenant}/oauth2/v2.0/devicecode",
    tenant_values=(
        TenantValue(
            placeholder="tenant",
            description="The directory's tenant ID, or `organizations` or `consumers`",
            example="00001111-aaaa-2222-bbbb-3333cccc4444",
        ),
    ),
)

okta: Final = KnownProvider(
    key="okta",
    name="Okta",
    documentation="https://developer.okta.com/docs/guides/refresh-tokens/main/",
    checked_on=date(2026, 11, 23),
    evidence="client library",
    authorization_url="https://{domain}/oauth2/v1/authorize",
    token_url="https://{domain}/oauth2/v1/token",
    userinfo_url="https://{domain}/oauth2/v1/userinfo",
    userinfo_scopes=("openid",),
    account=_OPENID,
    revocation_url="https://{domain}/oauth2/v1/revoke",
    device_authorization_url="https://{domain}/oauth2/v1/device/authorize",
    jwks_url="https://{domain}/oauth2/v1/keys",
    issuer="https://{domain}",
    client_authentications=("client_secret_basic", "client_secret_post", "private_key_jwt", "none"),
    pkce="supported",
    offline_scopes=("offline_access",),
    refresh_token_lifetime=timedelta(days=90),
    tenant_values=(
        TenantValue(
            placeholder="domain",
            description="The Okta organization's domain",
            example="acme.okta.com",
        ),
    ),
    notes=("The application's settings decide on rotation and its grace period.",),
)

okta_custom_server: Final = replace(
    okta,
    key="okta_custom_server",
    name="Okta, custom authorization server",
    variant_of="okta",
    authorization_url="https://{domain}/oauth2/{server}/v1/authorize",
    token_url="https://{domain}/oauth2/{server}/v1/token",
    userinfo_url="https://{domain}/oauth2/{server}/v1/userinfo",
    revocation_url="https://{domain}/oauth2/{server}/v1/revoke",
    device_authorization_url="https://{domain}/oauth2/{server}/v1/device/authorize",
    jwks_url="https://{domain}/oauth2/{server}/v1/keys",
    issuer="https://{domain}/oauth2/{server}",
    refresh_token_lifetime=None,
    tenant_values=(
        *okta.tenant_values,
        TenantValue(
            placeholder="server",
            description="The authorization server's ID, `default` for the first one",
            example="default",
        ),
    ),
)

auth0: Final = KnownProvider(
    key="auth0",
    name="Auth0",
    documentation="https://auth0.com/docs/secure/tokens/refresh-tokens/configure-refresh-token-rotation",
    checked_on=date(2026, 11, 23),
    evidence="client library",
    authorization_url="https://{domain}/authorize",
    token_url="https://{domain}/oauth/token",
    userinfo_url="https://{domain}/userinfo",
    userinfo_scopes=("openid",),
    account=_OPENID,
    revocation_url="https://{domain}/oauth/revoke",
    revocation_ends="grant",
    device_authorization_url="https://{domain}/oauth/device/code",
    jwks_url="https://{domain}/.well-known/jwks.json",
    issuer="https://{domain}/",
    client_authentications=("client_secret_post", "client_secret_basic", "private_key_jwt", "none"),
    pkce="supported",
    offline_scopes=("offline_access",),
    tenant_values=(
        TenantValue(
            placeholder="domain",
            description="The Auth0 tenant's domain, or the custom one",
            example="acme.eu.auth0.com",
        ),
    ),
    notes=(
        (
            "Rotation, the overlap during which the previous refresh token works, and lifetimes "
            "are the application's settings."
        ),
        "A token for your own API requires the parameter `audience`.",
    ),
)

yahoo: Final = KnownProvider(
    key="yahoo",
    name="Yahoo",
    documentation="https://developer.yahoo.com/oauth2/guide/",
    checked_on=date(2026, 11, 23),
    evidence="client library",
    authorization_url="https://api.login.yahoo.com/oauth2/request_auth",
    token_url="https://api.login.yahoo.com/oauth2/get_token",
    userinfo_url="https://api.login.yahoo.com/openid/v1/userinfo",
    userinfo_scopes=("openid",),
    account=_OPENID,
    jwks_url="https://api.login.yahoo.com/openid/v1/certs",
    issuer="https://api.login.yahoo.com",
    client_authentications=("client_secret_basic", "client_secret_post"),
)

amazon: Final = KnownProvider(
    key="amazon",
    name="Login with Amazon",
    documentation="https://developer.amazon.com/docs/login-with-amazon/authorization-code-grant.html",
    checked_on=date(2026, 11, 23),
    evidence="client library",
    authorization_url="https://www.amazon.com/ap/oa",
    token_url="https://api.amazon.com/auth/o2/token",
    userinfo_url="https://api.amazon.com/user/profile",
    userinfo_scopes=("profile",),
    account=AccountPaths("user_id", "name", "email"),
    client_authentications=("client_secret_post",),
)

cognito: Final = KnownProvider(
    key="cognito",
    name="Amazon Cognito",
    documentation=(
        "https://docs.aws.amazon.com/cognito/latest/developerguide/"
        "cognito-userpools-server-contract-reference.html"
    ),
    checked_on=date(2026, 11, 23),
    evidence="client library",
    authorization_url="https://{domain}.auth.{region}.amazoncognito.com/oauth2/authorize",
    token_url="https://{domain}.auth.{region}.amazoncognito.com/oauth2/token",
    client_authentications=("client_secret_basic", "none"),
    pkce="supported",
    tenant_values=(
        TenantValue(
            placeholder="domain",
            description="The user pool's domain prefix",
            example="acme",
            suffix=".amazoncognito.com",
        ),
        TenantValue(
            placeholder="region",
            description="The user pool's region",
            example="eu-west-1",
            suffix=".amazoncognito.com",
        ),
    ),
    notes=(
        "The app client's settings decide on rotation, with a grace period of up to 60 seconds.",
    ),
)

kakao: Final = KnownProvider(
    key="kakao",
    name="Kakao",
    documentation="https://developers.kakao.com/docs/latest/en/kakaologin/rest-api",
    checked_on=date(2026, 11, 23),
    seen_on=seen(date(2026, 11, 28), "account", "userinfo_url"),
    evidence="client library",
    authorization_url="https://kauth.kakao.com/oauth/authorize",
    token_url="https://kauth.kakao.com/oauth/token",
    oauth_scope_separator=",",
    userinfo_url="https://kapi.kakao.com/v2/user/me",
    account=AccountPaths("id", "properties.nickname", "kakao_account.email"),
    client_authentications=("client_secret_post",),
)

yandex: Final = KnownProvider(
    key="yandex",
    name="Yandex",
    documentation="https://yandex.com/dev/id/doc/en/",
    checked_on=date(2026, 11, 23),
    evidence="client library",
    authorization_url="https://oauth.yandex.com/authorize",
    token_url="https://oauth.yandex.com/token",
    client_authentications=("client_secret_basic", "client_secret_post"),
)

PROVIDERS: Final = (
    amazon, auth0, cognito, google, kakao, microsoft, microsoft_tenant, okta,
    okta_custom_server, yahoo, yandex,
)  # fmt: skip
