"""From tokens just granted to a connection: whose they are is found and judged first."""

from __future__ import annotations

from typing import Any, Generic

import msgspec
from returns.pipeline import is_successful
from returns.result import Failure, Result
from typing_extensions import TypeVar

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.connector.definition import OAuthConnector
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.core.problem import (
    AccountProblem,
    ConfigInvalid,
    Conflict,
    EncryptFailed,
    IdentityMismatch,
)
from igniter_connectors.core.secret import Secret
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.oauth.find_account import find_account
from igniter_connectors.flows.oauth.save_grant import Authorized, abandon, save_authorized

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")


class Granted(msgspec.Struct, Generic[Conf], frozen=True, kw_only=True):
    """Tokens of a person's grant, and what their authorization began with.

    `id_token` came beside them; `nonce` is what it must repeat, None where the authorization
    had none to give. The rest is as in `Authorized`.
    """

    config: Conf
    provider: OAuthProvider
    tokens: TokenSet
    id_token: Secret | None
    nonce: str | None
    expected_grant: str | None
    replace_account: bool = False
    keeps_config: bool = False


async def connect_granted(
    engine: Engine,
    connector: OAuthConnector[Conf, Ctx, Any],
    key: ConnectionKey,
    granted: Granted[Conf],
) -> Result[
    ConnectionRecord,
    AccountProblem | IdentityMismatch | ConfigInvalid | EncryptFailed | Conflict,
]:
    """Stores the tokens; where that may not be, hands them over: nobody else knows them."""
    provider, config, tokens = granted.provider, granted.config, granted.tokens
    account = await find_account(
        engine,
        provider,
        tokens,
        connector=connector.key,
        id_token=granted.id_token,
        nonce=granted.nonce,
    )
    if not is_successful(account):
        await abandon(engine, connector, provider, key, config, tokens, None)
        return Failure(account.failure())
    authorized = Authorized(
        config=config,
        provider=provider,
        tokens=tokens,
        account=account.unwrap(),
        expected_grant=granted.expected_grant,
        replace_account=granted.replace_account,
        keeps_config=granted.keeps_config,
    )
    saved = await save_authorized(engine, connector, key, authorized)
    if not is_successful(saved):
        await abandon(engine, connector, provider, key, config, tokens, account.unwrap())
        return Failure(saved.failure())
    return saved


async def conflict(engine: Engine, key: ConnectionKey) -> Conflict:
    """Something else was authorized or disconnected meanwhile; with the version there is now."""
    known = await engine.store.find(key)
    return Conflict(key.connector, known.version if known is not None else None)
