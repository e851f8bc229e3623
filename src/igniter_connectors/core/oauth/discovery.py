"""The metadata that an authorization server publishes. RFC 8414, OpenID Connect Discovery 1.0."""

from __future__ import annotations

from typing import Final, Literal
from urllib.parse import urlsplit, urlunsplit

import msgspec
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from igniter_connectors.core.connector.validation import decode_json
from igniter_connectors.core.http.messages import HttpFailed, HttpRequest, HttpResponse, origin_of
from igniter_connectors.core.http.safe_url import is_safe_endpoint
from igniter_connectors.core.http.user_agent import with_default_user_agent
from igniter_connectors.core.oauth.endpoint_template import is_template
from igniter_connectors.core.oauth.provider import (
    AssertionAlgorithm,
    ClientAuthentication,
    OAuthProvider,
)
from igniter_connectors.core.oauth.provider_validation import provider_fault
from igniter_connectors.core.problem import DiscoveryFailed
from igniter_connectors.core.secret import Secret

Document = Literal["openid-configuration", "oauth-authorization-server"]

_TOO_MANY: Final = 429


class ServerMetadata(msgspec.Struct, frozen=True):
    """The metadata that a client needs (RFC 8414 section 2); None if not published."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str | None = None
    revocation_endpoint: str | None = None
    authorization_response_iss_parameter_supported: bool = False
    jwks_uri: str | None = None
    pushed_authorization_request_endpoint: str | None = None
    require_pushed_authorization_requests: bool = False
    device_authorization_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] | None = None
    code_challenge_methods_supported: tuple[str, ...] | None = None


def discovery_requests(issuer: str) -> Result[tuple[HttpRequest, ...], DiscoveryFailed]:
    """The requests for an issuer's metadata, in the order to send them.

    First the OpenID document, which contains most, then those of RFC 8414 section 5.

    Returns:
        Two requests, or three for an issuer with a path. Or `DiscoveryFailed` with the issuer's
        origin: the issuer is not https (or http on a loopback host), or has a user, a query, a
        fragment (RFC 8414 section 2) or a brace.
    """
    if not is_safe_endpoint(issuer):
        reason = "an issuer is https, or http on a loopback host, without user or fragment"
        return Failure(DiscoveryFailed(origin_of(issuer), reason))
    if "?" in issuer or "#" in issuer or is_template(issuer):
        reason = "an issuer has no query, fragment or brace"
        return Failure(DiscoveryFailed(origin_of(issuer), reason))
    below = openid_configuration_request(issuer)
    between = server_metadata_request(issuer)
    openid = server_metadata_request(issuer, document="openid-configuration")
    return Success((below, between) if openid == below else (below, between, openid))


def is_document_missing(answer: HttpResponse) -> bool:
    """Whether there is no document at this URL, so that the next URL should be tried.

    Many servers answer 400, 401 or 403 instead of 404. After 429, a redirect or a server error,
    the next URL is not tried: it could return a less complete document.
    """
    return 400 <= answer.status < 500 and answer.status != _TOO_MANY


def openid_configuration_request(issuer: str) -> HttpRequest:
    """The request for an OpenID provider's configuration, below the issuer's path.

    OpenID Connect Discovery section 4.1.
    """
    return _get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")


def server_metadata_request(
    issuer: str, *, document: Document = "oauth-authorization-server"
) -> HttpRequest:
    """The request for an authorization server's metadata, between the issuer's host and path.

    An OpenID server may also publish its own document there (RFC 8414 sections 3.1 and 5).
    """
    parts = urlsplit(issuer)
    path = f"/.well-known/{document}{parts.path.rstrip('/')}"
    return _get(urlunsplit(parts._replace(path=path)))


def judge_discovery(
    answer: HttpResponse | HttpFailed, issuer: str
) -> Result[ServerMetadata, DiscoveryFailed]:
    """The metadata, if the document belongs to the requested issuer.

    Returns:
        The metadata, or `DiscoveryFailed`: no readable answer, a status other than 200, an
        invalid document, or the document of another issuer, which would receive the
        application's secret (RFC 8414 section 3.3). It contains only the status of the answer.
    """

    def failed(reason: str) -> Result[ServerMetadata, DiscoveryFailed]:
        return Failure(DiscoveryFailed(issuer, reason))

    if isinstance(answer, HttpFailed):
        return failed(
            "the document is too long" if answer.is_too_large else "the server cannot be reached"
        )
    if 300 <= answer.status < 400:
        return failed("the server redirects, which is not followed")
    if answer.status != 200:
        return failed(f"the document is not there: the server answered {answer.status}")
    metadata = decode_json(answer.body, ServerMetadata)
    if not is_successful(metadata):
        path = metadata.failure().path
        return failed(f"the document cannot be read at {path}")
    named = metadata.unwrap().issuer
    if named != issuer:
        is_slash = named.rstrip("/") == issuer.rstrip("/")
        differs = ", by the slash at its end" if is_slash else ""
        return failed(f"the document names another issuer{differs}")
    return Success(metadata.unwrap())


def provider_from(
    metadata: ServerMetadata,
    *,
    client_id: str,
    client_secret: Secret | None = None,
    client_assertion_key: Secret | None = None,
    client_assertion_algorithm: AssertionAlgorithm = "RS256",
    client_assertion_key_id: str | None = None,
    oauth_scopes: tuple[str, ...] = (),
) -> Result[OAuthProvider, DiscoveryFailed]:
    """A provider built from its server's metadata, for a client that is registered there.

    Add what the metadata does not contain (rotation, grace period, quirks) with
    `msgspec.structs.replace`.

    Args:
        metadata: From `judge_discovery`.
        client_secret: None for a public client, and for `private_key_jwt`.
        client_assertion_key: For `private_key_jwt`, with its algorithm and key id.
        oauth_scopes: The scopes to request.

    Returns:
        The provider, or `DiscoveryFailed`: an endpoint is not https (or http on a loopback host
        if the issuer is such), the server supports no authentication method of this client, or
        it does not support PKCE with S256.
    """

    def failed(reason: str) -> Result[OAuthProvider, DiscoveryFailed]:
        return Failure(DiscoveryFailed(metadata.issuer, reason))

    challenges = metadata.code_challenge_methods_supported
    if challenges is not None and "S256" not in challenges:
        return failed("the server does not take PKCE with S256")
    method = _method(
        metadata, has_secret=client_secret is not None, signs=client_assertion_key is not None
    )
    if method is None:
        return failed("the server takes no way to authenticate that this client has")
    endpoints = {
        "authorization_url": metadata.authorization_endpoint,
        "token_url": metadata.token_endpoint,
        "userinfo_url": metadata.userinfo_endpoint,
        "revocation_url": metadata.revocation_endpoint,
        "pushed_authorization_url": metadata.pushed_authorization_request_endpoint,
        "device_authorization_url": metadata.device_authorization_endpoint,
        "jwks_url": metadata.jwks_uri,
        "issuer": metadata.issuer,
    }
    # A brace would make the URL a template that is filled with a tenant's values.
    odd = [name for name, url in endpoints.items() if url is not None and is_template(url)]
    if odd:
        return failed(f"{odd[0]} has a brace in it")
    provider = OAuthProvider(
        authorization_url=metadata.authorization_endpoint,
        token_url=metadata.token_endpoint,
        userinfo_url=metadata.userinfo_endpoint,
        revocation_url=metadata.revocation_endpoint,
        pushed_authorization_url=metadata.pushed_authorization_request_endpoint,
        requires_pushed_authorization=metadata.require_pushed_authorization_requests,
        device_authorization_url=metadata.device_authorization_endpoint,
        jwks_url=metadata.jwks_uri,
        issuer=metadata.issuer,
        sends_issuer=metadata.authorization_response_iss_parameter_supported,
        client_id=client_id,
        client_secret=client_secret,
        client_authentication=method,
        client_assertion_key=client_assertion_key,
        client_assertion_algorithm=client_assertion_algorithm,
        client_assertion_key_id=client_assertion_key_id,
        oauth_scopes=oauth_scopes,
    )
    fault = provider_fault(provider)
    if fault is not None:
        return failed(fault)
    # Only code may name a loopback URL. In a server's document, it would send the client's
    # secret to another program on this machine.
    if not _is_plain(metadata.issuer):
        plain = [name for name, url in endpoints.items() if url is not None and _is_plain(url)]
        if plain:
            return failed(f"{plain[0]} is not https")
    return Success(provider)


def _method(
    metadata: ServerMetadata, *, has_secret: bool, signs: bool
) -> ClientAuthentication | None:
    """The best authentication method that server and client share.

    Without a published list it is basic (RFC 8414 section 2). Servers often leave `none` out of
    the list, so a public client is always accepted.
    """
    taken = metadata.token_endpoint_auth_methods_supported or ("client_secret_basic",)
    if signs:
        return "private_key_jwt" if "private_key_jwt" in taken else None
    if not has_secret:
        return "none"
    if "client_secret_basic" in taken:
        return "client_secret_basic"
    return "client_secret_post" if "client_secret_post" in taken else None


def _is_plain(url: str) -> bool:
    return url.lower().startswith("http:")


def _get(url: str) -> HttpRequest:
    headers = with_default_user_agent((("Accept", "application/json"),))
    return HttpRequest("GET", url, headers)
