"""An OAuth 2.0 provider as data: endpoints, client, and how it differs from the rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec

from igniter_connectors.core.connection import UpstreamAccount
from igniter_connectors.core.fields import JsonValue
from igniter_connectors.core.secret import Secret
from igniter_connectors.core.url import is_loopback

ClientAuthentication = Literal["client_secret_basic", "client_secret_post", "none"]

RESERVED: Final = frozenset(
    {
        "response_type", "response_mode", "client_id", "client_secret", "redirect_uri", "scope",
        "state", "nonce", "code", "code_challenge", "code_challenge_method", "code_verifier",
        "grant_type", "refresh_token", "client_assertion", "client_assertion_type", "request",
        "request_uri", "iss", "error",
    }
)  # fmt: skip
"""Parameters that carry the flow's safety: no extra parameter may name one."""


class OAuthProvider(msgspec.Struct, frozen=True, kw_only=True):
    """A provider and the application's client there.

    Attributes:
        authorization_url: Where the browser goes; https, or http on a loopback host.
        token_url: Where codes and refresh tokens are exchanged; the same rule.
        client_id: As registered.
        client_secret: None for a public client, which PKCE alone protects.
        client_authentication: How the client proves itself at the token endpoint; None
            means basic with a secret and none without.
        oauth_scopes: What is asked for, in order.
        oauth_scope_separator: A space by RFC 6749 section 3.3; some say a comma.
        userinfo_url: Where the account behind a token is told; None leaves it unknown.
        issuer: The authorization server's identifier; when given, an `iss` in the answer
            must equal it (RFC 9207).
        sends_issuer: Whether this server is known to send `iss`; then one must come.
        token_types: What `token_type` may say, in lower case; absent counts as bearer.
        authorization_parameters: Sent along to the authorization endpoint.
        token_parameters: Sent along to the token endpoint.
        dead_grant_errors: The token endpoint's errors that mean the grant is gone.
        parse_token: For answers that the field detection cannot read: the decoded answer
            to one with the names of RFC 6749 section 5.1.
        parse_userinfo: For user info whose subject is not at a usual name.
    """

    authorization_url: str
    token_url: str
    client_id: str
    client_secret: Secret | None = None
    client_authentication: ClientAuthentication | None = None
    oauth_scopes: tuple[str, ...] = ()
    oauth_scope_separator: str = " "
    userinfo_url: str | None = None
    revocation_url: str | None = None
    issuer: str | None = None
    sends_issuer: bool = False
    token_types: frozenset[str] = frozenset({"bearer"})
    authorization_parameters: Mapping[str, str] = {}
    token_parameters: Mapping[str, str] = {}
    dead_grant_errors: frozenset[str] = frozenset({"invalid_grant"})
    parse_token: Callable[[dict[str, JsonValue]], dict[str, JsonValue]] | None = None
    parse_userinfo: Callable[[dict[str, JsonValue]], UpstreamAccount] | None = None


def authentication_of(provider: OAuthProvider) -> ClientAuthentication:
    """How the client authenticates: as declared, else basic with a secret, none without."""
    if provider.client_authentication is not None:
        return provider.client_authentication
    return "none" if provider.client_secret is None else "client_secret_basic"


def provider_fault(provider: OAuthProvider) -> str | None:
    """What makes a provider unusable or unsafe; None where nothing does."""
    urls = {
        "authorization_url": provider.authorization_url,
        "token_url": provider.token_url,
        "userinfo_url": provider.userinfo_url,
        "revocation_url": provider.revocation_url,
    }
    for name, url in urls.items():
        if url is not None and not _is_safe_endpoint(url):
            return f"{name} is https, or http on a loopback host, without user or fragment"
    if not provider.client_id:
        return "client_id is empty"
    if provider.client_secret == Secret(""):
        return "client_secret is empty"
    needs_secret = authentication_of(provider) != "none"
    if needs_secret != (provider.client_secret is not None):
        return "client_authentication and client_secret do not go together"
    for parameters in (provider.authorization_parameters, provider.token_parameters):
        reserved = sorted(RESERVED & parameters.keys())
        if reserved:
            return f"extra parameters may not name {', '.join(reserved)}"
    if provider.sends_issuer and provider.issuer is None:
        return "sends_issuer needs issuer"
    return None


def _is_safe_endpoint(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or "@" in parts.netloc or parts.fragment or not url.isprintable() or " " in url:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
