"""Renewing a token that the client has in its own name: it is asked for anew.

There is no refresh token that could be spent, so no answer can lose anything.
RFC 6749 sections 4.4.3 and 6.
"""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from igniter_connectors.core.connection.record import Grant
from igniter_connectors.core.http.messages import HttpFailed, HttpResponse
from igniter_connectors.core.oauth.provider import OAuthProvider, authentication_of
from igniter_connectors.core.oauth.refresh import (
    DefiniteFailure,
    Outcome,
    Renewed,
    judge_refresh,
)
from igniter_connectors.core.oauth.token_response import TokenSet


def renews_as_client(grant: Grant, tokens: TokenSet, provider: OAuthProvider) -> bool:
    """Whether a grant is the client's own: to be renewed, and by no refresh token.

    Never so for a client that became public: it has nothing to prove itself with any more.
    """
    return (
        grant.refreshable and tokens.refresh_token is None and authentication_of(provider) != "none"
    )


def judge_client_renewal(
    answer: HttpResponse | HttpFailed,
    provider: OAuthProvider,
    former: TokenSet,
    *,
    connector: str,
    received_at: datetime,
) -> Outcome:
    """What the answer to `client_credentials_request` means where a token is to be replaced.

    Either `Renewed`, or a `DefiniteFailure`: asking once more does no harm, and no tenant
    could mend by authorizing what the provider holds against the client.
    """
    outcome = judge_refresh(answer, provider, former, connector=connector, received_at=received_at)
    if isinstance(outcome, Renewed):
        # One beside a client's token is left aside: asking anew is as good.
        tokens = replace(outcome.tokens, refresh_token=None, refresh_expires_at=None)
        return Renewed(tokens)
    return outcome if isinstance(outcome, DefiniteFailure) else DefiniteFailure()
