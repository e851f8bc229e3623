"""Finishing an authorization: the browser is back from the provider."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from typing_extensions import TypeVar

from igniter_connectors.core.connection import (
    ConnectionKey,
    ConnectionRecord,
    Grant,
    UpstreamAccount,
)
from igniter_connectors.core.connector import OAuthConnector
from igniter_connectors.core.event import (
    AuthorizationCompleted,
    AuthorizationFailed,
    Connected,
)
from igniter_connectors.core.http import HttpResponse
from igniter_connectors.core.oauth.authorize import (
    judge_callback,
    parse_callback,
    with_problem,
)
from igniter_connectors.core.oauth.exchange import exchange_request
from igniter_connectors.core.oauth.state import (
    AuthorizationPayload,
    browser_binding,
    clear_cookie,
    cookie_name,
    cookie_value,
    state_hash,
)
from igniter_connectors.core.oauth.token import TokenSet, judge_token
from igniter_connectors.core.oauth.userinfo import judge_userinfo, userinfo_request
from igniter_connectors.core.problem import (
    CallbackProblem,
    Conflict,
    DatabaseFailed,
    EncryptFailed,
    ExchangeProblem,
    IdentityMismatch,
    OAuthStateInvalid,
    ProviderUnreachable,
    UserInfoMalformed,
)
from igniter_connectors.core.schema import decode_json
from igniter_connectors.core.url import BaseUrl, callback_url
from igniter_connectors.flows.authorize import redirect, take
from igniter_connectors.flows.connect import address
from igniter_connectors.flows.runtime import Runtime
from igniter_connectors.flows.seal import place_of, seal_config, seal_tokens
from igniter_connectors.ports import StoreUnavailable

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")

_SAVE_TRIES: Final = 5


async def finish(
    runtime: Runtime,
    base: BaseUrl,
    connector: OAuthConnector[Conf, Ctx, Any],
    *,
    query: str,
    cookies: str | None,
    subject: str,
) -> Result[HttpResponse, OAuthStateInvalid]:
    """Judges the callback and connects.

    A state that is not this browser's and subject's is `OAuthStateInvalid`, and nothing is
    sent or written. Once the state was taken, the browser is sent to where it began, with
    the outcome in its query: `connected=<connector>`, or `error=<our code>`.
    """
    callback = parse_callback(query)
    if callback is None:
        return Failure(OAuthStateInvalid(connector.key))
    name = cookie_name(callback.state, secure=base.is_secure)
    nonce = cookie_value(cookies, name)
    if nonce is None:
        return Failure(OAuthStateInvalid(connector.key))
    taken = await take(
        runtime,
        connector.key,
        state_hash(callback.state),
        browser_binding(nonce, subject),
    )
    if not is_successful(taken):
        return Failure(taken.failure())
    key, payload = taken.unwrap()
    judged = judge_callback(callback, connector.provider, connector=connector.key)
    problem: CallbackProblem | None
    if is_successful(judged):
        problem = await _connect(runtime, base, connector, key, payload, judged.unwrap())
    else:
        problem = judged.failure()
    now = runtime.clock.now()
    if problem is None:
        runtime.announcer.tell(AuthorizationCompleted(at=now, **address(key)))
        runtime.announcer.tell(Connected(at=now, **address(key)))
        outcome = {"connected": connector.key}
    else:
        runtime.logger.warning("%s: authorization failed: %s", connector.key, problem.code)
        runtime.announcer.tell(AuthorizationFailed(at=now, code=problem.code, **address(key)))
        outcome = {"error": problem.code}
    cookie = clear_cookie(name, secure=base.is_secure)
    return Success(redirect(with_problem(payload.return_to or "/", outcome), cookie))


async def _connect(
    runtime: Runtime,
    base: BaseUrl,
    connector: OAuthConnector[Conf, Ctx, Any],
    key: ConnectionKey,
    payload: AuthorizationPayload,
    code: str,
) -> CallbackProblem | None:
    try:
        # Looked at before the code is spent: a grant that nobody can store is none to ask for.
        known = await runtime.store.find(key)
        if _grant_id(known) != payload.expected_grant:
            return Conflict(connector.key, known.version if known else None)
        tokens = await _exchange(runtime, base, connector, payload, code)
        if not is_successful(tokens):
            return tokens.failure()
        account = await _account(runtime, connector, tokens.unwrap())
        if not is_successful(account):
            return account.failure()
        return await _save(
            runtime, connector, key, payload, known, tokens.unwrap(), account.unwrap()
        )
    except StoreUnavailable as error:
        runtime.logger.error("the database failed: %s", error.reason)
        return DatabaseFailed()


async def _exchange(
    runtime: Runtime,
    base: BaseUrl,
    connector: OAuthConnector[Conf, Ctx, Any],
    payload: AuthorizationPayload,
    code: str,
) -> Result[TokenSet, ExchangeProblem]:
    answer = await runtime.http.send(
        exchange_request(
            connector.provider,
            code=code,
            verifier=payload.verifier,
            redirect_uri=callback_url(base, connector.key),
        )
    )
    if not is_successful(answer):
        return Failure(ProviderUnreachable(connector.key))
    return judge_token(
        answer.unwrap(),
        connector.provider,
        connector=connector.key,
        received_at=runtime.clock.now(),
    )


async def _account(
    runtime: Runtime, connector: OAuthConnector[Conf, Ctx, Any], tokens: TokenSet
) -> Result[UpstreamAccount | None, ProviderUnreachable | UserInfoMalformed]:
    url = connector.provider.userinfo_url
    if url is None:
        return Success(None)
    answer = await runtime.http.send(userinfo_request(url, tokens))
    if not is_successful(answer):
        return Failure(ProviderUnreachable(connector.key))
    return judge_userinfo(answer.unwrap(), connector.provider, connector=connector.key)


async def _save(
    runtime: Runtime,
    connector: OAuthConnector[Conf, Ctx, Any],
    key: ConnectionKey,
    payload: AuthorizationPayload,
    known: ConnectionRecord | None,
    tokens: TokenSet,
    account: UpstreamAccount | None,
) -> CallbackProblem | None:
    earlier = known.grant if known is not None else None
    subject = account.subject if account is not None else None
    if earlier is not None and earlier.subject != subject and not payload.replace_account:
        return IdentityMismatch(connector.key)
    config = decode_json(payload.config, connector.schema.kind)
    if not is_successful(config):
        return OAuthStateInvalid(connector.key)
    for _ in range(_SAVE_TRIES):
        row = known.id if known is not None else runtime.new_id()
        sealed = seal_config(runtime, connector, config.unwrap(), place_of("config", key, row))
        if not is_successful(sealed):
            return sealed.failure()
        generation = known.grant.generation + 1 if known is not None and known.grant else 1
        granted = _grant(runtime, connector, key, row, generation, tokens, account)
        if not is_successful(granted):
            return granted.failure()
        now = runtime.clock.now()
        public_config, sealed_config = sealed.unwrap()
        record = ConnectionRecord(
            key=key,
            id=row,
            public_config=public_config,
            sealed_config=sealed_config,
            enabled=True,
            version=1,
            created_at=now,
            updated_at=now,
            grant=granted.unwrap(),
        )
        if await runtime.store.save_authorized(record, expected_grant=payload.expected_grant):
            return None
        # A refresh of the very grant that this one replaces may have raised the generation
        # meanwhile: that is no reason to throw an authorization away.
        known = await runtime.store.find(key)
        if known is None or _grant_id(known) != payload.expected_grant:
            break
    return Conflict(connector.key, known.version if known is not None else None)


def _grant(
    runtime: Runtime,
    connector: OAuthConnector[Conf, Ctx, Any],
    key: ConnectionKey,
    row: str,
    generation: int,
    tokens: TokenSet,
    account: UpstreamAccount | None,
) -> Result[Grant, EncryptFailed]:
    sealed = seal_tokens(runtime, tokens, key, row=row, generation=generation)
    if not is_successful(sealed):
        return Failure(sealed.failure())
    asked = connector.provider.oauth_scopes
    return Success(
        Grant(
            sealed_tokens=sealed.unwrap(),
            generation=generation,
            grant_id=runtime.new_id(),
            oauth_scopes=asked if tokens.oauth_scopes is None else tokens.oauth_scopes,
            refreshable=tokens.refresh_token is not None,
            refreshed_at=runtime.clock.now(),
            expires_at=tokens.expires_at,
            subject=account.subject if account is not None else None,
            profile=msgspec.json.encode(account),
        )
    )


def _grant_id(record: ConnectionRecord | None) -> str | None:
    return record.grant.grant_id if record is not None and record.grant is not None else None
