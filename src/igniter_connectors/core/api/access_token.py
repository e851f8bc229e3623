"""The access token of a connection, as a handler sees it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from igniter_connectors.core.secret import Secret


class AccessToken(msgspec.Struct, frozen=True):
    """The token that authenticates calls of the provider. The refresh token is never exposed.

    `expires_at` is None if the provider did not say. `dpop_key` is the private key, as a JWK,
    that the token is bound to (RFC 9449); None for an ordinary bearer token.
    """

    value: Secret
    token_type: str
    oauth_scopes: tuple[str, ...]
    expires_at: datetime | None
    dpop_key: Secret | None = None

    def authorization_header(self) -> tuple[str, str]:
        """The `Authorization` header to send (RFC 6750 section 2.1).

        A token that is bound to a key also needs a proof, which `call.http` adds
        (RFC 9449 section 7.1).
        """
        scheme = "Bearer" if self.dpop_key is None else "DPoP"
        return ("Authorization", f"{scheme} {self.value.reveal()}")
