"""An authorization server's own description. RFC 8414 and OpenID Connect Discovery 1.0."""

from __future__ import annotations

import msgspec
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from igniter_connectors.core.http import HttpRequest, HttpResponse
from igniter_connectors.core.problem import DiscoveryFailed
from igniter_connectors.core.schema import decode_json


class ServerMetadata(msgspec.Struct, frozen=True):
    """The members that a client needs (RFC 8414 section 2); None where not published."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str | None = None
    revocation_endpoint: str | None = None
    authorization_response_iss_parameter_supported: bool = False


def discovery_request(issuer: str) -> HttpRequest:
    """The request for an OpenID provider's configuration (OpenID Connect Discovery section 4)."""
    url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    return HttpRequest("GET", url, (("Accept", "application/json"),))


def judge_discovery(response: HttpResponse, issuer: str) -> Result[ServerMetadata, DiscoveryFailed]:
    """The metadata, where the document is the asked issuer's own.

    Returns:
        It, or `DiscoveryFailed`: not 200, not such a document, or another issuer's, which
        would send the application's secret to whom it did not choose (RFC 8414 section 3.3).
    """
    if response.status != 200:
        return Failure(DiscoveryFailed(issuer, "the document is not there"))
    metadata = decode_json(response.body, ServerMetadata)
    if not is_successful(metadata):
        return Failure(DiscoveryFailed(issuer, f"the document lacks {metadata.failure().path}"))
    if metadata.unwrap().issuer != issuer:
        return Failure(DiscoveryFailed(issuer, "the document names another issuer"))
    return Success(metadata.unwrap())
