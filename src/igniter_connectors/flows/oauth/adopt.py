"""Taking over tokens that the application had before it had this library."""

from __future__ import annotations

from typing import Any

import msgspec
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from typing_extensions import TypeVar

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.connector.definition import OAuthConnector
from igniter_connectors.core.event import Connected
from igniter_connectors.core.oauth.adopted_tokens import AdoptedTokens
from igniter_connectors.core.oauth.tenant_provider import provider_for
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.core.problem import (
    AccountProblem,
    ConfigInvalid,
    Conflict,
    EncryptFailed,
    IdentityMismatch,
)
from igniter_connectors.flows.connections.connect import accept_config, address
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.oauth.find_account import find_account
from igniter_connectors.flows.oauth.save_grant import Authorized, save_authorized

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")


async def adopt(
    engine: Engine,
    connector: OAuthConnector[Conf, Ctx, Any],
    key: ConnectionKey,
    config: Conf,
    adopted: AdoptedTokens,
    *,
    is_shared: bool,
) -> Result[
    ConnectionRecord,
    ConfigInvalid | EncryptFailed | AccountProblem | IdentityMismatch | Conflict,
]:
    """Connects with tokens at hand; whose they are is asked and judged before anything is kept."""
    accepted = await accept_config(engine, connector, key, config)
    if not is_successful(accepted):
        return Failure(accepted.failure())
    resolved = provider_for(connector.provider, accepted.unwrap(), connector=connector.key)
    if not is_successful(resolved):
        fault = resolved.failure()
        return Failure(ConfigInvalid(connector.key, f"$.{fault.field}", fault.reason))
    provider = resolved.unwrap()
    expected = await engine.store.last_grant(key)
    tokens = TokenSet(
        adopted.access_token,
        # What somebody else refreshes would be spent under their hands.
        None if is_shared else adopted.refresh_token,
        adopted.token_type,
        adopted.expires_at,
        adopted.oauth_scopes,
    )
    account = await find_account(engine, provider, tokens, connector=connector.key)
    if not is_successful(account):
        return Failure(account.failure())
    authorized = Authorized(
        config=accepted.unwrap(),
        provider=provider,
        tokens=tokens,
        account=account.unwrap(),
        expected_grant=expected,
        replace_account=False,
        is_shared=is_shared,
    )
    saved = await save_authorized(engine, connector, key, authorized)
    if not is_successful(saved):
        return Failure(saved.failure())
    engine.event_bus.publish(Connected(at=engine.clock.now(), **address(key)))
    return Success(saved.unwrap())
