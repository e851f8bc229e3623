"""Token extras that several providers send under the same names."""

from __future__ import annotations

import msgspec


class ApiDomain(msgspec.Struct, frozen=True):
    """The base URL of the account's API, as Pipedrive and Zoho send it."""

    api_domain: str | None = None


class RefreshExpiry(msgspec.Struct, frozen=True):
    """Seconds until the refresh token expires, as GitHub, LinkedIn, Shopify and others send it."""

    refresh_token_expires_in: int | None = None
