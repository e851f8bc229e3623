"""Exchanges an authorization code for tokens. RFC 6749 section 4.1.3, RFC 7636 section 4.5."""

from __future__ import annotations

from datetime import datetime

from returns.pipeline import is_successful
from returns.result import Failure, Result

from igniter_connectors.core.http.messages import HttpRequest, HttpResponse
from igniter_connectors.core.oauth.client_assertion import SigningContext
from igniter_connectors.core.oauth.client_authentication import token_request
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.provider_response import decode_response
from igniter_connectors.core.oauth.token_extras import read_extras
from igniter_connectors.core.oauth.token_response import TokenSet, judge_token
from igniter_connectors.core.problem import TokenMalformed, TokenRefused


def exchange_request(
    provider: OAuthProvider,
    *,
    code: str,
    verifier: str,
    redirect_uri: str,
    signing: SigningContext | None = None,
) -> HttpRequest:
    """The request that exchanges a code. `judge_exchange` judges the answer.

    `redirect_uri` must be byte for byte the one of the authorization request. `signing` is
    required for `private_key_jwt`.
    """
    fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    if provider.pkce:
        fields["code_verifier"] = verifier
    return token_request(provider, fields, signing=signing)


def judge_exchange(
    response: HttpResponse,
    provider: OAuthProvider,
    *,
    connector: str,
    received_at: datetime,
) -> Result[TokenSet, TokenRefused | TokenMalformed]:
    """The tokens that a provider granted for a code, with the declared extras.

    Arguments and problems are those of `token_response.judge_token`. In addition, missing or
    invalid extras are `TokenMalformed`: nothing is connected yet that could be lost.
    """
    judged = judge_token(response, provider, connector=connector, received_at=received_at)
    if provider.token_extras is None or not is_successful(judged):
        return judged
    read = read_extras(decode_response(response) or {}, provider.token_extras)
    if not is_successful(read):
        return Failure(TokenMalformed(connector, read.failure().path))
    return judged
