"""Accounting, payroll and time tracking."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import msgspec
from msgspec.structs import replace

from igniter_connectors.core.catalogue.account_paths import AccountPaths
from igniter_connectors.core.catalogue.known_provider import KnownProvider, seen


class QuickBooksExtras(msgspec.Struct, frozen=True):
    """What Intuit sends with the tokens: seconds until the refresh token expires."""

    x_refresh_token_expires_in: int | None = None


xero: Final = KnownProvider(
    key="xero",
    name="Xero",
    documentation="https://developer.xero.com/faq/oauth2",
    checked_on=date(2026, 11, 23),
    evidence="client library",
    authorization_url="https://login.xero.com/identity/connect/authorize",
    token_url="https://identity.xero.com/connect/token",
    userinfo_url="https://identity.xero.com/connect/userinfo",
    userinfo_scopes=("openid",),
    account=AccountPaths("sub", "name", "email"),
    revocation_url="https://identity.xero.com/connect/revocation",
    revocation_ends="grant",
    jwks_url="https://identity.xero.com/.well-known/openid-configuration/jwks",
    issuer="https://identity.xero.com",
    client_authentications=("client_secret_basic", "client_secret_post", "none"),
    pkce="supported",
    offline_scopes=("offline_access",),
    rotates_refresh_tokens=True,
    reuse_grace=timedelta(minutes=30),
    access_token_lifetime=timedelta(minutes=30),
    refresh_token_lifetime=timedelta(days=60),
    notes=("A grant covers several organisations; https://api.xero.com/connections lists them.",),
)

quickbooks: Final = KnownProvider(
    key="quickbooks",
    name="QuickBooks Online",
    documentation=(
        "https://developer.intuit.com/app/developer/qbo/docs/develop/"
        "authentication-and-authorization/oauth-2.0"
    ),
    checked_on=date(2026, 11, 23),
    seen_on=seen(date(2026, 11, 28), "revocation_body", "revocation_ends", "revocation_url"),
    evidence="client library",
    authorization_url="https://appcenter.intuit.com/connect/oauth2",
    token_url="https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer",
    userinfo_url="https://accounts.platform.intuit.com/v1/openid_connect/userinfo",
    userinfo_scopes=("openid",),
    account=AccountPaths("sub", "givenName", "email"),
    revocation_url="https://developer.api.intuit.com/v2/oauth2/tokens/revoke",
    revocation_body="json",
    revocation_ends="grant",
    client_authentications=("client_secret_basic",),
    token_extras=QuickBooksExtras,
    rotates_refresh_tokens=True,
    reuse_grace=timedelta(hours=24),
    access_token_lifetime=timedelta(hours=1),
    refresh_token_lifetime=timedelta(days=100),
    notes=(
        "The refresh token changes about once a day; the previous one works for 24 more hours.",
        "No refresh token lives longer than five years (since 2025).",
        "The company (`realmId`) is a parameter of the callback.",
    ),
)

quickbooks_sandbox: Final = replace(
    quickbooks,
    key="quickbooks_sandbox",
    name="QuickBooks Online sandbox",
    variant_of="quickbooks",
    userinfo_url="https://sandbox-accounts.platform.intuit.com/v1/openid_connect/userinfo",
)

freshbooks: Final = KnownProvider(
    key="freshbooks",
    name="FreshBooks",
    documentation="https://www.freshbooks.com/api/authentication",
    checked_on=date(2026, 11, 23),
    evidence="client library",
    authorization_url="https://auth.freshbooks.com/oauth/authorize",
    token_url="https://api.freshbooks.com/auth/oauth/token",
    userinfo_url="https://api.freshbooks.com/auth/api/v1/users/me",
    userinfo_scopes=("user:profile:read",),
    account=AccountPaths("response.id", "response.first_name", "response.email"),
    client_authentications=("client_secret_post",),
    rotates_refresh_tokens=True,
    access_token_lifetime=timedelta(hours=12),
    notes=("A refresh token works once.",),
)

wave: Final = KnownProvider(
    key="wave",
    name="Wave",
    documentation="https://developer.waveapps.com/hc/en-us/articles/360019493652-OAuth-Guide",
    checked_on=date(2026, 11, 23),
    evidence="client library",
    authorization_url="https://api.waveapps.com/oauth2/authorize/",
    token_url="https://api.waveapps.com/oauth2/token/",
    client_authentications=("client_secret_post",),
    notes=("The account is only available by GraphQL, so user info is not requested.",),
)

gusto: Final = KnownProvider(
    key="gusto",
    name="Gusto",
    documentation="https://docs.gusto.com/embedded-payroll/reference/refresh-access-token",
    checked_on=date(2026, 11, 23),
    evidence="documentation",
    authorization_url="https://api.gusto.com/oauth/authorize",
    token_url="https://api.gusto.com/oauth/token",
    client_authentications=("client_secret_post",),
    rotates_refresh_tokens=True,
    notes=(
        (
            "The spent refresh token works until the new access token is first used, "
            "which is not a fixed time, so no grace period is declared."
        ),
    ),
)

gusto_demo: Final = replace(
    gusto,
    key="gusto_demo",
    name="Gusto demo",
    variant_of="gusto",
    authorization_url="https://api.gusto-demo.com/oauth/authorize",
    token_url="https://api.gusto-demo.com/oauth/token",
)

harvest: Final = KnownProvider(
    key="harvest",
    name="Harvest",
    documentation="https://help.getharvest.com/api-v2/authentication-api/authentication/authentication/",
    checked_on=date(2026, 11, 23),
    evidence="client library",
    authorization_url="https://id.getharvest.com/oauth2/authorize",
    token_url="https://id.getharvest.com/api/v2/oauth2/token",
    userinfo_url="https://id.getharvest.com/api/v2/accounts",
    account=AccountPaths("user.id", "user.first_name", "user.email"),
    client_authentications=("client_secret_post",),
    notes=(
        (
            "Requests without a User-Agent are answered 400. Set `with_user_agent` to the "
            "application's name and an address."
        ),
        (
            "Requests to the API need Harvest-Account-Id; "
            "https://id.getharvest.com/api/v2/accounts lists the accounts."
        ),
    ),
)

PROVIDERS: Final = (
    freshbooks, gusto, gusto_demo, harvest, quickbooks, quickbooks_sandbox, wave, xero,
)  # fmt: skip
