"""The client credentials grant: tokens for the client itself, without a user. RFC 6749 section 4.4.

Such a grant has no refresh token. To renew the access token, the client requests a new one
(section 4.4.3), so a lost answer loses nothing.
"""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace
from returns.result import Result

from igniter_connectors.core.connection.record import Grant
from igniter_connectors.core.http.messages import HttpFailed, HttpRequest, HttpResponse
from igniter_connectors.core.oauth.client_assertion import SigningContext
from igniter_connectors.core.oauth.client_authentication import token_request
from igniter_connectors.core.oauth.code_exchange import judge_exchange
from igniter_connectors.core.oauth.provider import OAuthProvider, authentication_of
from igniter_connectors.core.oauth.refresh import (
    DefiniteFailure,
    Refreshed,
    RefreshOutcome,
    judge_refresh,
)
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.core.problem import TokenMalformed, TokenRefused


def client_credentials_request(
    provider: OAuthProvider, *, signing: SigningContext | None = None
) -> HttpRequest:
    """The request for a token in the client's own name, with the declared scopes.

    Raises:
        ValueError: The client is public, so it cannot authenticate.
    """
    if authentication_of(provider) == "none":
        raise ValueError("client credentials are for a client that authenticates")
    fields = {"grant_type": "client_credentials"}
    if provider.oauth_scopes:
        fields["scope"] = provider.oauth_scope_separator.join(provider.oauth_scopes)
    return token_request(provider, fields, signing=signing)


def judge_client_credentials(
    response: HttpResponse,
    provider: OAuthProvider,
    *,
    connector: str,
    received_at: datetime,
) -> Result[TokenSet, TokenRefused | TokenMalformed]:
    """The client's token. The problems are those of `code_exchange.judge_exchange`.

    A refresh token in the answer is dropped (section 4.4.3): a new request does the same.
    """
    judged = judge_exchange(response, provider, connector=connector, received_at=received_at)
    return judged.map(lambda read: replace(read, refresh_token=None, refresh_expires_at=None))


def uses_client_credentials(grant: Grant, tokens: TokenSet, provider: OAuthProvider) -> bool:
    """Whether a stored grant is renewed by a client credentials request.

    True for a refreshable grant without a refresh token. False if the client has become
    public since, because it can no longer authenticate.
    """
    return (
        grant.refreshable and tokens.refresh_token is None and authentication_of(provider) != "none"
    )


def judge_client_credentials_refresh(
    answer: HttpResponse | HttpFailed,
    provider: OAuthProvider,
    former: TokenSet,
    *,
    connector: str,
    received_at: datetime,
) -> RefreshOutcome:
    """The outcome of a `client_credentials_request` that renews a token.

    Either `Refreshed` or `DefiniteFailure`: repeating the request does no harm, and a user
    cannot repair an error of the client by authorizing again.
    """
    outcome = judge_refresh(answer, provider, former, connector=connector, received_at=received_at)
    if isinstance(outcome, Refreshed):
        # Drop a refresh token: a new request does the same.
        tokens = replace(outcome.tokens, refresh_token=None, refresh_expires_at=None)
        return Refreshed(tokens)
    return outcome if isinstance(outcome, DefiniteFailure) else DefiniteFailure()
