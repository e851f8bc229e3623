"""Tokens that an application brings with it, from before it had this library."""

from __future__ import annotations

from datetime import datetime

import msgspec

from igniter_connectors.core.secret import Secret


class AdoptedTokens(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of the connector's own client, granted earlier.

    Attributes:
        access_token: As the provider gave it.
        refresh_token: None where there is none, or nobody is to use it.
        expires_at: Aware; None where it is not known, and then the token is used until it is
            refused.
        oauth_scopes: What was granted; None means what the provider's definition asks for.
        token_type: In lower case.
    """

    access_token: Secret
    refresh_token: Secret | None = None
    expires_at: datetime | None = None
    oauth_scopes: tuple[str, ...] | None = None
    token_type: str = "bearer"  # noqa: S105  # a kind of token, not a token
