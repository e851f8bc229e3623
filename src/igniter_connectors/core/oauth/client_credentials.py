"""Tokens for the client itself, where no user is asked. RFC 6749 section 4.4."""

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
    """The request that asks for a token in the client's own name, with the declared scopes.

    Raises:
        ValueError: a public client, which has nothing to prove itself with.
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
    """The client's token; problems are those of `exchange.judge_exchange`.

    A refresh token beside it is left aside (section 4.4.3): asking anew is as good.
    """
    judged = judge_exchange(response, provider, connector=connector, received_at=received_at)
    return judged.map(lambda read: replace(read, refresh_token=None, refresh_expires_at=None))


def uses_client_credentials(grant: Grant, tokens: TokenSet, provider: OAuthProvider) -> bool:
    """Whether a grant is the client's own: to be renewed, and by no refresh token.

    Never so for a client that became public: it has nothing to prove itself with any more.
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
    """What the answer to `client_credentials_request` means where a token is to be replaced.

    Either `Refreshed`, or a `DefiniteFailure`: asking once more does no harm, and no tenant
    could mend by authorizing what the provider holds against the client.
    """
    outcome = judge_refresh(answer, provider, former, connector=connector, received_at=received_at)
    if isinstance(outcome, Refreshed):
        # One beside a client's token is left aside: asking anew is as good.
        tokens = replace(outcome.tokens, refresh_token=None, refresh_expires_at=None)
        return Refreshed(tokens)
    return outcome if isinstance(outcome, DefiniteFailure) else DefiniteFailure()
