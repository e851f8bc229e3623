"""`demo --issuer`: a real provider, from its own description."""

from __future__ import annotations

import msgspec

from igniter_connectors.core.http.messages import HttpClient
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.problem import BuildInvalid, WrongWiring, value_or_raise
from igniter_connectors.core.secret import Secret
from igniter_connectors.discovery import discover_provider


class RealProvider(msgspec.Struct, frozen=True):
    """What the command line says of it."""

    issuer: str
    client_id: str
    client_secret: str | None
    scopes: tuple[str, ...]

    def __repr__(self) -> str:
        return f"RealProvider({self.issuer!r}, …)"


async def discover(real: RealProvider, http: HttpClient) -> OAuthProvider:
    """The provider as its issuer describes it.

    Raises:
        ConnectorError: the description cannot be had, or is not the issuer's own.
    """
    found = await discover_provider(
        real.issuer,
        client_id=real.client_id,
        client_secret=Secret(real.client_secret) if real.client_secret else None,
        oauth_scopes=real.scopes,
        http=http,
    )
    provider = value_or_raise(found)
    if provider.userinfo_url is None:
        raise WrongWiring(BuildInvalid(f"{real.issuer} publishes no user info endpoint"))
    return provider
