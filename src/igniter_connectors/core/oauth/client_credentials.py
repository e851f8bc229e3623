"""Tokens for the client itself, where no user is asked. RFC 6749 section 4.4."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace
from returns.result import Result

from igniter_connectors.core.http.messages import HttpRequest, HttpResponse
from igniter_connectors.core.oauth.client_assertion import Moment
from igniter_connectors.core.oauth.client_authentication import token_request
from igniter_connectors.core.oauth.code_exchange import judge_exchange
from igniter_connectors.core.oauth.provider import OAuthProvider, authentication_of
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.core.problem import TokenMalformed, TokenRefused


def client_credentials_request(
    provider: OAuthProvider, *, moment: Moment | None = None
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
    return token_request(provider, fields, moment=moment)


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
