"""Finds out whose account tokens are for: from the ID token, the user info, or both."""

from __future__ import annotations

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.connection.view import UpstreamAccount
from igniter_connectors.core.oauth.id_token import judge_id_token
from igniter_connectors.core.oauth.jwks import judge_keys, keys_request
from igniter_connectors.core.oauth.provider import OAuthProvider, is_openid
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.core.oauth.userinfo import (
    judge_userinfo,
    storable_account,
    userinfo_request,
)
from igniter_connectors.core.problem import AccountProblem, IdTokenInvalid, ProviderUnreachable
from igniter_connectors.core.secret import Secret
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.oauth.dpop_request import send_bound
from igniter_connectors.flows.tenant_http import oauth_http


async def find_account(
    engine: Engine,
    provider: OAuthProvider,
    tokens: TokenSet,
    *,
    key: ConnectionKey,
    id_token: Secret | None = None,
    nonce: str | None = None,
) -> Result[UpstreamAccount | None, AccountProblem]:
    """The account of new tokens.

    If there is an ID token and user info, both must have the same subject (OpenID Connect
    Core section 5.3.2).

    Args:
        engine: The engine.
        provider: Resolved for this connection.
        tokens: The new tokens.
        key: The connection that the tokens are for.
        id_token: The ID token beside the tokens; None if there was none.
        nonce: What the ID token must repeat; None if the request had no nonce.

    Returns:
        The account; None if the provider does not tell.
    """
    signed: UpstreamAccount | None = None
    if is_openid(provider) and (nonce is not None or id_token is not None):
        judged = await _signed_account(engine, provider, tokens, id_token, nonce, key)
        if not is_successful(judged):
            return Failure(judged.failure())
        signed = judged.unwrap()
    request = userinfo_request(provider, tokens)
    if request is None:
        return Success(signed)
    answer = await send_bound(
        oauth_http(engine, key), request, tokens.dpop_key, access_token=tokens.access_token
    )
    if not is_successful(answer):
        return Failure(ProviderUnreachable(key.connector))
    account = judge_userinfo(answer.unwrap(), provider, connector=key.connector)
    if not is_successful(account):
        return Failure(account.failure())
    if signed is not None and account.unwrap().subject != signed.subject:
        return Failure(IdTokenInvalid(key.connector, "is of another account than the user info"))
    return Success(account.unwrap())


async def _signed_account(
    engine: Engine,
    provider: OAuthProvider,
    tokens: TokenSet,
    id_token: Secret | None,
    nonce: str | None,
    key: ConnectionKey,
) -> Result[UpstreamAccount, AccountProblem]:
    request = keys_request(provider)
    if id_token is None or request is None:
        return Failure(IdTokenInvalid(key.connector, "is missing"))
    answer = await oauth_http(engine, key).send(request)
    if not is_successful(answer):
        return Failure(ProviderUnreachable(key.connector))
    keys = judge_keys(answer.unwrap(), connector=key.connector)
    if not is_successful(keys):
        return Failure(keys.failure())
    judged = judge_id_token(
        id_token,
        keys.unwrap(),
        provider,
        connector=key.connector,
        now=engine.clock.now(),
        nonce=nonce,
        access_token=tokens.access_token,
    )
    if not is_successful(judged):
        return Failure(judged.failure())
    claims = judged.unwrap()
    account = UpstreamAccount(
        claims.sub, claims.name or "", claims.email or "", claims.picture or ""
    )
    return Success(storable_account(account))
