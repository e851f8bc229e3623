"""`demo --issuer`: the endpoints of a real provider, from its own description."""

from __future__ import annotations

import msgspec
from returns.pipeline import is_successful

from igniter_connectors.core.http import HttpClient
from igniter_connectors.core.oauth.discovery import discovery_request, judge_discovery
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.problem import (
    BuildInvalid,
    DiscoveryFailed,
    WrongWiring,
    value_or_raise,
)
from igniter_connectors.core.secret import Secret


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
    request = discovery_request(real.issuer)
    answer = await http.send(request)
    if not is_successful(answer):
        raise WrongWiring(DiscoveryFailed(real.issuer, "cannot be reached"))
    metadata = value_or_raise(judge_discovery(answer.unwrap(), real.issuer))
    if metadata.userinfo_endpoint is None:
        raise WrongWiring(BuildInvalid(f"{real.issuer} publishes no user info endpoint"))
    return OAuthProvider(
        authorization_url=metadata.authorization_endpoint,
        token_url=metadata.token_endpoint,
        userinfo_url=metadata.userinfo_endpoint,
        revocation_url=metadata.revocation_endpoint,
        client_id=real.client_id,
        client_secret=Secret(real.client_secret) if real.client_secret else None,
        oauth_scopes=real.scopes,
        issuer=metadata.issuer,
        sends_issuer=metadata.authorization_response_iss_parameter_supported,
    )
