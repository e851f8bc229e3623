"""Connecting with tokens that the application obtained before it used this library."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from returns.pipeline import is_successful
from returns.result import Failure, Result
from typing_extensions import TypeVar

from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.connection.view import Connection
from igniter_connectors.core.connector.definition import OAuthConnector
from igniter_connectors.core.oauth.adopted_tokens import AdoptedTokens
from igniter_connectors.core.oauth.state import config_digest
from igniter_connectors.core.oauth.tenant_provider import provider_for
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.core.problem import AdoptProblem, ConfigInvalid, TokenMalformed
from igniter_connectors.core.storable_text import is_encodable, is_header_token, storable_scopes
from igniter_connectors.flows.connections.connect import accept_config
from igniter_connectors.flows.connections.read_connection import open_connection
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.oauth.find_account import find_account
from igniter_connectors.flows.oauth.hold_revocations import holding_revocations
from igniter_connectors.flows.oauth.keep_grant import keep_grant
from igniter_connectors.flows.oauth.save_grant import NewGrant
from igniter_connectors.flows.store_errors import returns_database_failed

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")


@returns_database_failed
async def adopt(
    engine: Engine,
    connector: OAuthConnector[Conf, Ctx, Any],
    key: ConnectionKey,
    config: Conf,
    adopted: AdoptedTokens,
    *,
    source: Literal["adopted", "adopted_shared"],
) -> Result[Connection[Conf], AdoptProblem]:
    """Connects with these tokens, after the provider said whose account they are for.

    Shared tokens are stored without their refresh token: others use it, and a refresh here
    could invalidate theirs.
    """
    accepted = await accept_config(engine, connector, key, config)
    if not is_successful(accepted):
        return Failure(accepted.failure())
    if not is_header_token(adopted.access_token.reveal()):
        return Failure(TokenMalformed(connector.key, "$.access_token"))
    if adopted.refresh_token is not None and not is_encodable(adopted.refresh_token.reveal()):
        return Failure(TokenMalformed(connector.key, "$.refresh_token"))
    provider = provider_for(connector.provider, accepted.unwrap(), connector=connector.key)
    if not is_successful(provider):
        fault = provider.failure()
        return Failure(ConfigInvalid(connector.key, f"$.{fault.field}", fault.reason))
    seen = config_digest(await engine.store.find(key))
    expected = await engine.store.last_grant(key)
    tokens = TokenSet(
        adopted.access_token,
        None if source == "adopted_shared" else adopted.refresh_token,
        adopted.token_type,
        adopted.expires_at,
        None if adopted.oauth_scopes is None else storable_scopes(adopted.oauth_scopes),
    )
    # A queued revocation of the same account could end the grant that is adopted.
    async with holding_revocations(engine, key, provider.unwrap()):
        account = await find_account(engine, provider.unwrap(), tokens, key=key)
        if not is_successful(account):
            return Failure(account.failure())
        new = NewGrant(
            config=accepted.unwrap(),
            provider=provider.unwrap(),
            tokens=tokens,
            expected_grant=expected,
            source=source,
            account=account.unwrap(),
            seen_config=seen,
        )
        saved = await keep_grant(engine, connector, key, new)
    if not is_successful(saved):
        return Failure(saved.failure())
    return open_connection(engine, connector, saved.unwrap())
