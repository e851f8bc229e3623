"""CRM, support desks and campaigns."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import msgspec
from msgspec.structs import replace

from igniter_connectors.core.catalogue.account_paths import AccountPaths
from igniter_connectors.core.catalogue.known_provider import KnownProvider, TenantValue, seen
from igniter_connectors.core.catalogue.token_extras import ApiDomain
from igniter_connectors.core.json_value import JsonValue


class SalesforceExtras(msgspec.Struct, frozen=True):
    """What Salesforce sends with the tokens: `instance_url` is the base URL of its API."""

    instance_url: str
    id: str | None = None
    issued_at: str | None = None
    signature: str | None = None


def drop_zero_expiry(answer: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Drops Mailchimp's `expires_in` of 0, which means that the token never expires."""
    if answer.get("expires_in") != 0:
        return answer
    return {name: value for name, value in answer.items() if name != "expires_in"}


salesforce: Final = KnownProvider(
    key="salesforce",
    name="Salesforce",
    documentation="https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_web_server_flow.htm",
    checked_on=date(2026, 11, 23),
    seen_on=seen(
        date(2026, 11, 28),
        "client_authentications",
        "pkce",
        "rotates_refresh_tokens",
        "token_extras",
    ),
    evidence="documentation",
    authorization_url="https://login.salesforce.com/services/oauth2/authorize",
    token_url="https://login.salesforce.com/services/oauth2/token",
    userinfo_url="https://login.salesforce.com/services/oauth2/userinfo",
    userinfo_scopes=("openid",),
    account=AccountPaths("sub", "name", "email"),
    revocation_url="https://login.salesforce.com/services/oauth2/revoke",
    revocation_ends="grant",
    jwks_url="https://login.salesforce.com/id/keys",
    issuer="https://login.salesforce.com",
    rotates_refresh_tokens=True,
    client_authentications=("client_secret_post", "client_secret_basic", "none"),
    pkce="supported",
    offline_scopes=("refresh_token",),
    token_extras=SalesforceExtras,
    notes=(
        "There is no `expires_in`: the session timeout applies, and a 401 shows the expiry.",
        (
            "The app's settings decide whether refresh tokens rotate and expire; partner apps "
            "must rotate. A "
            "rotated one is invalid at once."
        ),
    ),
)


def _salesforce_at(host: str, *, key: str, name: str) -> KnownProvider:
    base = f"https://{host}"
    return replace(
        salesforce,
        key=key,
        name=name,
        variant_of="salesforce",
        authorization_url=f"{base}/services/oauth2/authorize",
        token_url=f"{base}/services/oauth2/token",
        userinfo_url=f"{base}/services/oauth2/userinfo",
        revocation_url=f"{base}/services/oauth2/revoke",
        jwks_url=f"{base}/id/keys",
        issuer=base,
    )


salesforce_sandbox: Final = _salesforce_at(
    "test.salesforce.com", key="salesforce_sandbox", name="Salesforce sandbox"
)
salesforce_my_domain: Final = replace(
    _salesforce_at(
        "{domain}.my.salesforce.com", key="salesforce_my_domain", name="Salesforce, My Domain"
    ),
    tenant_values=(
        TenantValue(
            placeholder="domain",
            description="The organization's My Domain name",
            example="acme",
            suffix=".my.salesforce.com",
        ),
    ),
)

hubspot: Final = KnownProvider(
    key="hubspot",
    name="HubSpot",
    documentation="https://developers.hubspot.com/docs/api-reference/auth-oauth-v3/guide",
    checked_on=date(2026, 11, 23),
    seen_on=seen(
        date(2026, 11, 28), "dead_grant_errors", "revocation_ends", "revocation_url", "token_url"
    ),
    evidence="documentation",
    authorization_url="https://app.hubspot.com/oauth/authorize",
    token_url="https://api.hubapi.com/oauth/2026-03/token",
    revocation_url="https://api.hubapi.com/oauth/2026-03/token/revoke",
    revocation_ends="grant",
    client_authentications=("client_secret_post",),
    dead_grant_errors=frozenset({"invalid_grant", "bad_refresh_token"}),
    pkce="supported",
    access_token_lifetime=timedelta(minutes=30),
    notes=(
        (
            "Version 1 of the token endpoint ends on 16 February 2027. It reports a dead refresh"
            " token as `status`."
        ),
    ),
)

pipedrive: Final = KnownProvider(
    key="pipedrive",
    name="Pipedrive",
    documentation="https://pipedrive.readme.io/docs/marketplace-oauth-authorization",
    checked_on=date(2026, 11, 23),
    evidence="documentation",
    authorization_url="https://oauth.pipedrive.com/oauth/authorize",
    token_url="https://oauth.pipedrive.com/oauth/token",
    revocation_url="https://oauth.pipedrive.com/oauth/revoke",
    revocation_ends="grant",
    client_authentications=("client_secret_basic",),
    token_extras=ApiDomain,
    notes=(
        "Scopes are set in the app's registration.",
        "A refresh token expires after 60 days without use.",
    ),
)

zoho: Final = KnownProvider(
    key="zoho",
    name="Zoho",
    documentation="https://www.zoho.com/accounts/protocol/oauth/multi-dc/client-authorization.html",
    checked_on=date(2026, 11, 23),
    seen_on=seen(date(2026, 11, 28), "dead_grant_errors", "revocation_url"),
    evidence="documentation",
    authorization_url="https://accounts.zoho.com/oauth/v2/auth",
    token_url="https://accounts.zoho.com/oauth/v2/token",
    revocation_url="https://accounts.zoho.com/oauth/v2/token/revoke",
    revocation_ends="grant",
    client_authentications=("client_secret_post",),
    dead_grant_errors=frozenset({"invalid_grant", "invalid_code"}),
    oauth_scope_separator=",",
    token_extras=ApiDomain,
    authorization_parameters={"access_type": "offline", "prompt": "consent"},
    rotates_refresh_tokens=False,
    access_token_lifetime=timedelta(hours=1),
    notes=(
        (
            "An account belongs to one data centre, where codes are exchanged: choose the variant "
            "of the customer's region. The response's `accounts-server` is ignored."
        ),
        "Errors have status 200.",
    ),
)


def _zoho_in(host: str, *, key: str, region: str) -> KnownProvider:
    return replace(
        zoho,
        key=key,
        name=f"Zoho, {region}",
        variant_of="zoho",
        authorization_url=f"https://{host}/oauth/v2/auth",
        token_url=f"https://{host}/oauth/v2/token",
        revocation_url=f"https://{host}/oauth/v2/token/revoke",
    )


zoho_au: Final = _zoho_in("accounts.zoho.com.au", key="zoho_au", region="Australia")
zoho_ca: Final = _zoho_in("accounts.zohocloud.ca", key="zoho_ca", region="Canada")
zoho_eu: Final = _zoho_in("accounts.zoho.eu", key="zoho_eu", region="Europe")
zoho_in: Final = _zoho_in("accounts.zoho.in", key="zoho_in", region="India")
zoho_jp: Final = _zoho_in("accounts.zoho.jp", key="zoho_jp", region="Japan")
zoho_sa: Final = _zoho_in("accounts.zoho.sa", key="zoho_sa", region="Saudi Arabia")

front: Final = KnownProvider(
    key="front",
    name="Front",
    documentation="https://dev.frontapp.com/docs/oauth",
    checked_on=date(2026, 11, 23),
    evidence="documentation",
    authorization_url="https://app.frontapp.com/oauth/authorize",
    token_url="https://app.frontapp.com/oauth/token",
    client_authentications=("client_secret_basic",),
    notes=("Scopes are set in the app's registration.",),
)

intercom: Final = KnownProvider(
    key="intercom",
    name="Intercom",
    documentation=(
        "https://developers.intercom.com/docs/build-an-integration/learn-more/authentication/"
        "setting-up-oauth"
    ),
    checked_on=date(2026, 11, 23),
    evidence="client library",
    authorization_url="https://app.intercom.com/oauth",
    token_url="https://api.intercom.io/auth/eagle/token",
    userinfo_url="https://api.intercom.io/me",
    account=AccountPaths("id", "name", "email"),
    client_authentications=("client_secret_post",),
    notes=(
        "Access tokens do not expire, and there is no refresh token.",
        "Permissions are set in the app; scopes are not requested.",
    ),
)


def _intercom_in(region: str, *, key: str, name: str) -> KnownProvider:
    return replace(
        intercom,
        key=key,
        name=name,
        variant_of="intercom",
        authorization_url=f"https://app.{region}.intercom.com/oauth",
        token_url=f"https://api.{region}.intercom.io/auth/eagle/token",
        userinfo_url=f"https://api.{region}.intercom.io/me",
    )


intercom_au: Final = _intercom_in("au", key="intercom_au", name="Intercom, Australia")
intercom_eu: Final = _intercom_in("eu", key="intercom_eu", name="Intercom, Europe")

zendesk: Final = KnownProvider(
    key="zendesk",
    name="Zendesk",
    documentation="https://developer.zendesk.com/api-reference/ticketing/oauth/grant_type_tokens/",
    checked_on=date(2026, 11, 23),
    seen_on=seen(date(2026, 11, 28), "token_parameters"),
    evidence="documentation",
    authorization_url="https://{subdomain}.zendesk.com/oauth/authorizations/new",
    token_url="https://{subdomain}.zendesk.com/oauth/tokens",
    userinfo_url="https://{subdomain}.zendesk.com/api/v2/users/me.json",
    userinfo_scopes=("read",),
    account=AccountPaths("user.id", "user.name", "user.email"),
    token_parameters={"expires_in": "1800"},
    client_authentications=("client_secret_post", "none"),
    pkce="supported",
    rotates_refresh_tokens=True,
    tenant_values=(
        TenantValue(
            placeholder="subdomain",
            description="The account's subdomain",
            example="acme",
            suffix=".zendesk.com",
        ),
    ),
    notes=(
        "A refresh deletes the previous access token and refresh token.",
        (
            "Clients made before 30 April 2026 get no refresh token without `expires_in`, hence "
            "the parameter. It takes 300 or more."
        ),
        "An app for several Zendesk accounts needs a global OAuth client.",
    ),
)

mailchimp: Final = KnownProvider(
    key="mailchimp",
    name="Mailchimp",
    documentation="https://mailchimp.com/developer/marketing/guides/access-user-data-oauth-2/",
    checked_on=date(2026, 11, 23),
    evidence="client library",
    authorization_url="https://login.mailchimp.com/oauth2/authorize",
    token_url="https://login.mailchimp.com/oauth2/token",
    client_authentications=("client_secret_post",),
    parse_token=drop_zero_expiry,
    notes=(
        "Access tokens do not expire, there is no refresh token, and there are no scopes.",
        "https://login.mailchimp.com/oauth2/metadata names the data centre of the account's API.",
    ),
)

PROVIDERS: Final = (
    front, hubspot, intercom, intercom_au, intercom_eu, mailchimp, pipedrive, salesforce,
    salesforce_my_domain, salesforce_sandbox, zendesk, zoho, zoho_au, zoho_ca, zoho_eu,
    zoho_in, zoho_jp, zoho_sa,
)  # fmt: skip
