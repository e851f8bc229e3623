"""The callback: the browser returns from the provider. RFC 6749 section 4.1.2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec
from returns.result import Failure, Result, Success

from igniter_connectors.core.oauth.error_answer import error_word
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.provider_response import public_authorization_error
from igniter_connectors.core.problem import (
    AuthorizationDenied,
    IssuerMismatch,
    OAuthStateInvalid,
)

_MAX_CODE_CHARS: Final = 8192


class Callback(msgspec.Struct, frozen=True):
    """The parsed query of a callback. It is not yet judged, so do not trust any part of it."""

    state: str
    code: str | None
    error: str | None
    issuer: str | None
    scope: str | None = None

    def __repr__(self) -> str:
        return "Callback(…)"


def parse_callback(query: str) -> Callback | None:
    """The parameters of a callback; None without a state, or if one is given twice."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=64)
    except ValueError:
        return None
    values: dict[str, str] = {}
    for name, value in pairs:
        if name in values and name in ("state", "code", "error", "iss", "scope"):
            return None
        values[name] = value
    state = values.get("state")
    if not state:
        return None
    return Callback(
        state, values.get("code"), values.get("error"), values.get("iss"), values.get("scope")
    )


def judge_callback(
    callback: Callback, provider: OAuthProvider, *, connector: str
) -> Result[str, OAuthStateInvalid | AuthorizationDenied | IssuerMismatch]:
    """The authorization code, after the state was found to belong to this browser.

    Returns:
        The code, or
        - `IssuerMismatch`: `iss` differs from the provider's issuer, or is missing although
          this server always sends it. Checked first, because an error can be forged too
          (RFC 9207 section 2.4).
        - `AuthorizationDenied`: the provider returned an `error`.
        - `OAuthStateInvalid`: there is neither an error nor a usable code.
    """
    if provider.issuer is not None:
        missing = callback.issuer is None and provider.sends_issuer
        if missing or (callback.issuer is not None and callback.issuer != provider.issuer):
            return Failure(IssuerMismatch(connector))
    if callback.error is not None:
        codes = (error_word(callback.error),)
        return Failure(AuthorizationDenied(connector, public_authorization_error(codes)))
    if not callback.code or len(callback.code) > _MAX_CODE_CHARS:
        return Failure(OAuthStateInvalid(connector))
    return Success(callback.code)


def with_problem(return_to: str, parameters: Mapping[str, str]) -> str:
    """The return URL with our own error parameters in its query, and no text of the provider."""
    parts = urlsplit(return_to)
    own = parse_qsl(parts.query, keep_blank_values=True)
    return urlunsplit(parts._replace(query=urlencode([*own, *parameters.items()])))
