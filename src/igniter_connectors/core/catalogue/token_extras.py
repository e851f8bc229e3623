"""What several providers tell beside the tokens, under the same names."""

from __future__ import annotations

import msgspec


class ApiDomain(msgspec.Struct, frozen=True):
    """Where the account's API is called, as Pipedrive and Zoho say it."""

    api_domain: str | None = None


class RefreshExpiry(msgspec.Struct, frozen=True):
    """Seconds until the refresh token ends, as GitHub, LinkedIn, Shopify and others say it."""

    refresh_token_expires_in: int | None = None
