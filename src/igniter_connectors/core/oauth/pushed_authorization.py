"""Pushed authorization requests: sent directly from client to provider. RFC 9126."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec
from returns.result import Failure, Result, Success

from igniter_connectors.core.http.messages import HttpRequest, HttpResponse
from igniter_connectors.core.oauth.authorization_request import authorization_fields, with_query
from igniter_connectors.core.oauth.client_assertion import SigningContext
from igniter_connectors.core.oauth.client_authentication import client_request
from igniter_connectors.core.oauth.error_answer import error_of
from igniter_connectors.core.oauth.expiry import seconds_of
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.provider_response import (
    decode_response,
    public_authorization_error,
)
from igniter_connectors.core.problem import AuthorizationDenied, ProviderAnswerMalformed

_MAX_REQUEST_URI_CHARS: Final = 2048


class PushedRequest(msgspec.Struct, frozen=True):
    """A pushed request: its reference, which can be used once, and its expiry."""

    request_uri: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"PushedRequest(expires_at={self.expires_at.isoformat()})"


def push_request(
    provider: OAuthProvider,
    *,
    redirect_uri: str,
    state: str,
    verifier: str,
    signing: SigningContext | None = None,
) -> HttpRequest | None:
    """The request that pushes an authorization request (section 2.1).

    None if the provider has no endpoint for it. The client authenticates as at the token
    endpoint; `signing` is required for `private_key_jwt`.
    """
    if provider.pushed_authorization_url is None:
        return None
    fields = authorization_fields(
        provider, redirect_uri=redirect_uri, state=state, verifier=verifier
    )
    return client_request(provider, provider.pushed_authorization_url, fields, signing=signing)


def judge_push(
    response: HttpResponse, *, connector: str, received_at: datetime
) -> Result[PushedRequest, AuthorizationDenied | ProviderAnswerMalformed]:
    """The reference that the provider returned.

    Returns:
        The reference, or
        - `AuthorizationDenied`: an `error`, or a status other than 201 (section 2.3).
        - `ProviderAnswerMalformed`: a 201 without a `request_uri` of at most 2,048 printable
          characters, or without a positive lifetime (section 2.2).
    """
    answer = decode_response(response) or {}
    error = error_of(response)
    if response.status != 201 or error is not None:
        codes = () if error is None else error.codes
        return Failure(AuthorizationDenied(connector, public_authorization_error(codes)))
    reference = answer.get("request_uri")
    if (
        not isinstance(reference, str)
        or not 0 < len(reference) <= _MAX_REQUEST_URI_CHARS
        or not (reference.isascii() and reference.isprintable())
    ):
        return Failure(ProviderAnswerMalformed(connector, "$.request_uri"))
    life = seconds_of(answer.get("expires_in"))
    if not life:
        return Failure(ProviderAnswerMalformed(connector, "$.expires_in"))
    return Success(PushedRequest(reference, received_at + life))


def pushed_authorization_url(provider: OAuthProvider, pushed: PushedRequest) -> str:
    """The URL to send the browser to. It contains only the client and the reference (section 4)."""
    asked = {"client_id": provider.client_id, "request_uri": pushed.request_uri}
    return with_query(provider.authorization_url, asked)
