"""The authorization request, and the browser's answer to it. RFC 6749 section 4.1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec
from returns.result import Failure, Result, Success

from igniter_connectors.core.connector.form_fields import JsonValue
from igniter_connectors.core.oauth.id_token import nonce_of
from igniter_connectors.core.oauth.pkce import challenge_of
from igniter_connectors.core.oauth.provider import OAuthProvider, is_openid
from igniter_connectors.core.problem import (
    AuthorizationDenied,
    IssuerMismatch,
    OAuthStateInvalid,
)

_LONGEST_CODE: Final = 8192

# RFC 6749 section 4.1.2.1, RFC 9126, OpenID Connect Core section 3.1.2.6. Any other code is
# the provider's own text, and stays out of problems.
_KNOWN_ERRORS: Final = frozenset(
    {
        "invalid_request", "invalid_client", "unauthorized_client", "access_denied",
        "unsupported_response_type", "invalid_scope", "server_error",
        "temporarily_unavailable", "interaction_required", "login_required",
        "account_selection_required", "consent_required", "invalid_request_uri",
        "invalid_request_object", "request_not_supported", "request_uri_not_supported",
        "registration_not_supported",
    }
)  # fmt: skip


class Callback(msgspec.Struct, frozen=True):
    """The query of a callback, read but not yet judged. No part of it is trusted."""

    state: str
    code: str | None
    error: str | None
    issuer: str | None

    def __repr__(self) -> str:
        return "Callback(…)"


def authorization_fields(
    provider: OAuthProvider, *, redirect_uri: str, state: str, verifier: str
) -> dict[str, str]:
    """The parameters of an authorization request: PKCE always, reserved ones never from extras.

    At an OpenID provider also the nonce that its ID token must repeat, derived from the
    verifier (`id_token.nonce_of`).

    RFC 6749 section 4.1.1, RFC 7636 section 4.3, OpenID Connect Core section 3.1.2.1.
    """
    asked: dict[str, str] = dict(provider.authorization_parameters)
    asked |= {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": redirect_uri,
        "state": state,
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
    }
    if provider.oauth_scopes:
        asked["scope"] = provider.oauth_scope_separator.join(provider.oauth_scopes)
    if is_openid(provider):
        asked["nonce"] = nonce_of(verifier)
    return asked


def authorization_url(
    provider: OAuthProvider, *, redirect_uri: str, state: str, verifier: str
) -> str:
    """Where to send the browser with the whole request in the address.

    RFC 6749 section 4.1.1.
    """
    return with_query(
        provider.authorization_url,
        authorization_fields(provider, redirect_uri=redirect_uri, state=state, verifier=verifier),
    )


def with_query(url: str, asked: Mapping[str, str]) -> str:
    """An endpoint with these parameters. Its own query is kept (RFC 6749 section 3.1), but
    for names among them: no parameter is sent twice."""
    parts = urlsplit(url)
    own = [(name, value) for name, value in parse_qsl(parts.query) if name not in asked]
    return urlunsplit(parts._replace(query=urlencode([*own, *asked.items()])))


def parse_callback(query: str) -> Callback | None:
    """The callback's parameters; None without a state, or with one given twice (section 3.1)."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=64)
    except ValueError:
        return None
    values: dict[str, str] = {}
    for name, value in pairs:
        if name in values and name in ("state", "code", "error", "iss"):
            return None
        values[name] = value
    state = values.get("state")
    if not state:
        return None
    return Callback(state, values.get("code"), values.get("error"), values.get("iss"))


def judge_callback(
    callback: Callback, provider: OAuthProvider, *, connector: str
) -> Result[str, OAuthStateInvalid | AuthorizationDenied | IssuerMismatch]:
    """The code to exchange, once the state was found to be this browser's.

    Returns:
        The code, or
        - `IssuerMismatch`: `iss` differs from the provider's issuer, or is missing from a
          server known to send it. Judged first: an error may be forged too (RFC 9207
          section 2.4).
        - `AuthorizationDenied`: the provider said `error`.
        - `OAuthStateInvalid`: neither error nor a usable code.
    """
    if provider.issuer is not None:
        missing = callback.issuer is None and provider.sends_issuer
        if missing or (callback.issuer is not None and callback.issuer != provider.issuer):
            return Failure(IssuerMismatch(connector))
    if callback.error is not None:
        return Failure(AuthorizationDenied(connector, authorization_error(callback.error)))
    if not callback.code or len(callback.code) > _LONGEST_CODE:
        return Failure(OAuthStateInvalid(connector))
    return Success(callback.code)


def authorization_error(error: JsonValue) -> str:
    """An error that may be told: a code of the RFCs, else `other`."""
    return error if isinstance(error, str) and error in _KNOWN_ERRORS else "other"


def with_problem(return_to: str, parameters: Mapping[str, str]) -> str:
    """The place to return to, with our own code words in its query and no provider's text."""
    parts = urlsplit(return_to)
    own = parse_qsl(parts.query, keep_blank_values=True)
    return urlunsplit(parts._replace(query=urlencode([*own, *parameters.items()])))
