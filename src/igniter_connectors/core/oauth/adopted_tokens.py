"""Tokens that an application obtained before it used this library, and now imports."""

from __future__ import annotations

from datetime import datetime

import msgspec

from igniter_connectors.core.secret import Secret


class AdoptedTokens(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens that a provider granted earlier to the connector's own client.

    Attributes:
        access_token: As the provider issued it.
        refresh_token: None if there is none, or if it must not be used.
        expires_at: Aware; None if unknown. Then the token is used until the provider refuses it.
        oauth_scopes: The granted scopes; None means the scopes of the provider's definition.
        token_type: In lower case.
    """

    access_token: Secret
    refresh_token: Secret | None = None
    expires_at: datetime | None = None
    oauth_scopes: tuple[str, ...] | None = None
    token_type: str = "bearer"  # noqa: S105  # a kind of token, not a token
