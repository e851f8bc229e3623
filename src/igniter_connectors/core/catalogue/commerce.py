"""Shops and payments."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import msgspec
from msgspec.structs import replace

from igniter_connectors.core.catalogue.account_paths import AccountPaths
from igniter_connectors.core.catalogue.known_provider import KnownProvider, TenantValue, seen
from igniter_connectors.core.catalogue.token_extras import RefreshExpiry


class SquareExtras(msgspec.Struct, frozen=True):
    """What Square sends with the tokens: the seller, and whether the tokens live only a day."""

    merchant_id: str | None = None
    short_lived: bool | None = None


class StripeExtras(msgspec.Struct, frozen=True):
    """What Stripe sends with the tokens: the connected account."""

    stripe_user_id: str | None = None
    stripe_publishable_key: str | None = None
    livemode: bool | None = None


etsy: Final = KnownProvider(
    key="etsy",
    name="Etsy",
    documentation="https://developers.etsy.com/documentation/essentials/authentication/",
    checked_on=date(2026, 11, 23),
    evidence="documentation",
    authorization_url="https://www.etsy.com/oauth/connect",
    token_url="https://api.etsy.com/v3/public/oauth/token",
    client_authentications=("none",),
    pkce="required",
    notes=(
        "The client is the API key's keystring, without a secret.",
        "The API also requires that key, so user info is not requested.",
    ),
)

paypal: Final = KnownProvider(
    key="paypal",
    name="Log in with PayPal",
    documentation="https://developer.paypal.com/docs/log-in-with-paypal/integrate/",
    checked_on=date(2026, 11, 23),
    evidence="documentation",
    authorization_url="https://www.paypal.com/signin/authorize",
    token_url="https://api-m.paypal.com/v1/oauth2/token",
    userinfo_url="https://api-m.paypal.com/v1/identity/oauth2/userinfo?schema=paypalv1.1",
    userinfo_scopes=("openid",),
    account=AccountPaths("user_id", "name"),
    client_authentications=("client_secret_basic",),
    authorization_parameters={"flowEntry": "static"},
)

paypal_sandbox: Final = replace(
    paypal,
    key="paypal_sandbox",
    name="Log in with PayPal, sandbox",
    variant_of="paypal",
    authorization_url="https://www.sandbox.paypal.com/signin/authorize",
    token_url="https://api-m.sandbox.paypal.com/v1/oauth2/token",
    userinfo_url="https://api-m.sandbox.paypal.com/v1/identity/oauth2/userinfo?schema=paypalv1.1",
)

shopify: Final = KnownProvider(
    key="shopify",
    name="Shopify",
    documentation=(
        "https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/"
        "offline-access-tokens"
    ),
    checked_on=date(2026, 11, 23),
    seen_on=seen(
        date(2026, 11, 28),
        "access_token_lifetime",
        "oauth_scope_includes",
        "oauth_scope_separator",
        "refresh_token_lifetime",
    ),
    evidence="client library",
    authorization_url="https://{shop}.myshopify.com/admin/oauth/authorize",
    token_url="https://{shop}.myshopify.com/admin/oauth/access_token",
    oauth_scope_separator=",",
    oauth_scope_includes={"write_*": ("read_*",)},
    refresh_token_lifetime=timedelta(days=90),
    client_authentications=("client_secret_post",),
    token_extras=RefreshExpiry,
    token_parameters={"expiring": "1"},
    rotates_refresh_tokens=True,
    access_token_lifetime=timedelta(hours=1),
    tenant_values=(
        TenantValue(
            placeholder="shop",
            description="The shop's name in its myshopify.com domain",
            example="acme",
            suffix=".myshopify.com",
        ),
    ),
    notes=(
        (
            "Public apps created since 1 April 2026 must use expiring tokens, all others from "
            "1 January 2027; hence expiring=1."
        ),
        (
            "Since 28 August 2026, the old refresh token works until the new one is used, which "
            "is not a fixed time, so no grace period is declared."
        ),
        "Calls send the token in X-Shopify-Access-Token, so user info is not requested.",
    ),
)

square: Final = KnownProvider(
    key="square",
    name="Square",
    documentation="https://developer.squareup.com/reference/square/o-auth/obtain-token",
    checked_on=date(2026, 11, 23),
    seen_on=seen(date(2026, 11, 28), "dead_grant_texts"),
    evidence="documentation",
    authorization_url="https://connect.squareup.com/oauth2/authorize",
    token_url="https://connect.squareup.com/oauth2/token",
    client_authentications=("client_secret_post", "none"),
    dead_grant_texts=frozenset({"invalid refresh token"}),
    token_body="json",
    token_extras=SquareExtras,
    expires_at_member="expires_at",
    refresh_expires_at_member="refresh_token_expires_at",
    authorization_parameters={"session": "false"},
    rotates_refresh_tokens=False,
    access_token_lifetime=timedelta(days=30),
    notes=(
        (
            "A client without a secret uses PKCE. Only its refresh tokens rotate, and only "
            "they have an expiry."
        ),
        "Its revocation endpoint requires its own authorization scheme.",
    ),
)

square_sandbox: Final = replace(
    square,
    key="square_sandbox",
    name="Square sandbox",
    variant_of="square",
    authorization_url="https://connect.squareupsandbox.com/oauth2/authorize",
    token_url="https://connect.squareupsandbox.com/oauth2/token",
    authorization_parameters={},
)

stripe: Final = KnownProvider(
    key="stripe",
    name="Stripe Connect",
    documentation="https://docs.stripe.com/connect/oauth-standard-accounts",
    checked_on=date(2026, 11, 23),
    evidence="client library",
    authorization_url="https://connect.stripe.com/oauth/authorize",
    token_url="https://connect.stripe.com/oauth/token",
    client_authentications=("client_secret_post",),
    token_extras=StripeExtras,
    notes=(
        "The client secret is the platform's secret API key.",
        "Access tokens do not expire.",
        "Deauthorization names the account, not a token, so nothing is revoked.",
    ),
)

PROVIDERS: Final = (
    etsy, paypal, paypal_sandbox, shopify, square, square_sandbox, stripe,
)  # fmt: skip
