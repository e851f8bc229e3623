"""A provider's tokens as the grant that a row holds."""

from __future__ import annotations

import msgspec
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from igniter_connectors.core.connection import ConnectionKey, Grant, UpstreamAccount
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.token import TokenSet
from igniter_connectors.core.problem import EncryptFailed
from igniter_connectors.flows.runtime import Runtime
from igniter_connectors.flows.seal import seal_tokens


def new_grant(
    runtime: Runtime,
    provider: OAuthProvider,
    tokens: TokenSet,
    account: UpstreamAccount | None,
    *,
    key: ConnectionKey,
    row: str,
    generation: int,
    is_client_s: bool = False,
) -> Result[Grant, EncryptFailed]:
    """A grant with an id of its own. The provider says what was asked and by which client.

    `is_client_s`: tokens in the client's own name, which it asks for anew when they expire.
    """
    sealed = seal_tokens(runtime, tokens, key, row=row, generation=generation)
    if not is_successful(sealed):
        return Failure(sealed.failure())
    now = runtime.clock.now()
    asked = provider.oauth_scopes
    return Success(
        Grant(
            sealed_tokens=sealed.unwrap(),
            generation=generation,
            grant_id=runtime.new_id(),
            oauth_scopes=asked if tokens.oauth_scopes is None else tokens.oauth_scopes,
            refreshable=is_client_s or tokens.refresh_token is not None,
            refreshed_at=now,
            expires_at=tokens.expires_at,
            subject=account.subject if account is not None else None,
            profile=msgspec.json.encode(account),
            client_id=provider.client_id,
            token_url=provider.token_url,
            refresh_expires_at=tokens.refresh_expires_at,
        )
    )
