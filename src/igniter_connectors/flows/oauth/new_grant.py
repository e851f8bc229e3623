"""A provider's tokens as the grant that a row holds."""

from __future__ import annotations

import msgspec
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from igniter_connectors.core.connection.record import ConnectionKey, Grant
from igniter_connectors.core.connection.view import UpstreamAccount
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.core.problem import EncryptFailed
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.sealing import seal_tokens


def new_grant(
    engine: Engine,
    provider: OAuthProvider,
    tokens: TokenSet,
    account: UpstreamAccount | None,
    *,
    key: ConnectionKey,
    row: str,
    generation: int,
    is_client_credentials: bool = False,
) -> Result[Grant, EncryptFailed]:
    """A grant with an id of its own. The provider says what was asked and by which client.

    `is_client_credentials`: tokens of the client itself, asked for again when they expire.
    """
    sealed = seal_tokens(engine, tokens, key, row=row, generation=generation)
    if not is_successful(sealed):
        return Failure(sealed.failure())
    now = engine.clock.now()
    asked = provider.oauth_scopes
    return Success(
        Grant(
            sealed_tokens=sealed.unwrap(),
            generation=generation,
            grant_id=engine.new_id(),
            oauth_scopes=asked if tokens.oauth_scopes is None else tokens.oauth_scopes,
            refreshable=is_client_credentials or tokens.refresh_token is not None,
            refreshed_at=now,
            expires_at=tokens.expires_at,
            subject=account.subject if account is not None else None,
            profile=msgspec.json.encode(account),
            client_id=provider.client_id,
            token_url=provider.token_url,
            refresh_expires_at=tokens.refresh_expires_at,
        )
    )
