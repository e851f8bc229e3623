"""The authorization request: the URL to which the browser is sent. RFC 6749 section 4.1.1."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

from igniter_connectors.core.oauth.id_token import nonce_of
from igniter_connectors.core.oauth.pkce import challenge_of
from igniter_connectors.core.oauth.provider import OAuthProvider, is_openid
from igniter_connectors.core.oauth.state import LIFETIME
from igniter_connectors.core.secret import Secret


def authorization_fields(
    provider: OAuthProvider, *, redirect_uri: str, state: str, verifier: str
) -> dict[str, str]:
    """The parameters of an authorization request, with PKCE unless the provider refuses it.

    Extra parameters of the provider never replace a reserved one. At an OpenID provider, a
    nonce is added that the ID token must repeat (`id_token.nonce_of`).

    RFC 6749 section 4.1.1, RFC 7636 section 4.3, OpenID Connect Core section 3.1.2.1.
    """
    asked: dict[str, str] = dict(provider.authorization_parameters)
    asked |= {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": redirect_uri,
        "state": state,
    }
    if provider.pkce:
        asked |= {"code_challenge": challenge_of(verifier), "code_challenge_method": "S256"}
    if provider.oauth_scopes:
        asked["scope"] = provider.oauth_scope_separator.join(provider.oauth_scopes)
    if is_openid(provider):
        asked["nonce"] = nonce_of(verifier)
    return asked


def authorization_url(
    provider: OAuthProvider, *, redirect_uri: str, state: str, verifier: str
) -> str:
    """The URL to send the browser to, with the whole request in its query.

    RFC 6749 section 4.1.1.
    """
    return with_query(
        provider.authorization_url,
        authorization_fields(provider, redirect_uri=redirect_uri, state=state, verifier=verifier),
    )


def with_query(url: str, asked: Mapping[str, str]) -> str:
    """An endpoint's URL with these parameters added.

    The endpoint's own query is kept (RFC 6749 section 3.1), except parameters of the same
    name: no parameter is sent twice.
    """
    parts = urlsplit(url)
    own = [(name, value) for name, value in parse_qsl(parts.query) if name not in asked]
    return urlunsplit(parts._replace(query=urlencode([*own, *asked.items()])))


class AuthorizationRequest(msgspec.Struct, frozen=True):
    """The URL to send the user's browser to. It can be opened once, within 10 minutes."""

    url: str
    expires_in: timedelta = LIFETIME

    def __repr__(self) -> str:
        return "AuthorizationRequest(url='…')"


class CookieAuthorization(msgspec.Struct, frozen=True):
    """The URL to send the user's browser to, and the cookie to set with that redirect.

    `url` is the provider's. The callback must come within 10 minutes. `set_cookie` is the
    complete value of a `Set-Cookie` header.
    """

    url: str
    set_cookie: Secret
    expires_in: timedelta = LIFETIME

    def __repr__(self) -> str:
        return "CookieAuthorization(url='…')"
