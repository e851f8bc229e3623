"""The access token of a connection, as a handler may see it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from igniter_connectors.core.secret import Secret


class AccessToken(msgspec.Struct, frozen=True):
    """The token to call the provider with. The refresh token stays where it is.

    `expires_at` is None where the provider did not say. `dpop_key` is the private key that the
    token is bound to, as a JWK; None where whoever bears it may use it (RFC 9449).
    """

    value: Secret
    token_type: str
    oauth_scopes: tuple[str, ...]
    expires_at: datetime | None
    dpop_key: Secret | None = None

    def authorization_header(self) -> tuple[str, str]:
        """The `Authorization` header to send (RFC 6750 section 2.1).

        A token that is bound to a key also needs the proof that `call.http` sends beside it
        (RFC 9449 section 7.1).
        """
        scheme = "Bearer" if self.dpop_key is None else "DPoP"
        return ("Authorization", f"{scheme} {self.value.reveal()}")
