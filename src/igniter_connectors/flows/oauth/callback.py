"""Finishing an authorization: the browser is back from the provider."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from typing_extensions import TypeVar

from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.connector.definition import OAuthConnector
from igniter_connectors.core.event import (
    AuthorizationCompleted,
    AuthorizationFailed,
    Connected,
)
from igniter_connectors.core.http.messages import HttpResponse
from igniter_connectors.core.http.routes import callback_url
from igniter_connectors.core.oauth.callback import (
    Callback,
    judge_callback,
    parse_callback,
    with_problem,
)
from igniter_connectors.core.oauth.code_exchange import exchange_request, judge_exchange
from igniter_connectors.core.oauth.dpop import KEY_OCTETS, new_dpop_key
from igniter_connectors.core.oauth.id_token import id_token_of, nonce_of
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.state import (
    AuthorizationPayload,
    browser_binding,
    state_hash,
    unbound_browser,
)
from igniter_connectors.core.oauth.state_cookie import clear_cookie, cookie_name, cookie_value
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.core.problem import (
    CallbackProblem,
    DatabaseFailed,
    ExchangeProblem,
    OAuthStateInvalid,
    ProviderUnreachable,
)
from igniter_connectors.core.secret import Secret
from igniter_connectors.flows.connections.connect import address
from igniter_connectors.flows.engine import Engine, base_url_of
from igniter_connectors.flows.oauth.connect_granted import Granted, conflict, connect_granted
from igniter_connectors.flows.oauth.dpop_request import send_bound
from igniter_connectors.flows.oauth.save_grant import marked_pending
from igniter_connectors.flows.oauth.start import open_payload, redirect, take
from igniter_connectors.ports import StoreUnavailable

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")


async def finish(
    engine: Engine,
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
    is_secure = base_url_of(engine).is_secure
    name = cookie_name(callback.state, secure=is_secure)
    nonce = cookie_value(cookies, name)
    binding = unbound_browser(subject) if nonce is None else browser_binding(nonce, subject)
    taken = await take(engine, connector.key, state_hash(callback.state), binding)
    if not is_successful(taken):
        return Failure(taken.failure())
    key, payload = taken.unwrap()
    problem = await _judge(engine, connector, key, payload, callback)
    now = engine.clock.now()
    if problem is None:
        engine.event_bus.publish(AuthorizationCompleted(at=now, **address(key)))
        engine.event_bus.publish(Connected(at=now, **address(key)))
        outcome = {"connected": connector.key}
    else:
        engine.logger.warning("%s: authorization failed: %s", connector.key, problem.code)
        engine.event_bus.publish(AuthorizationFailed(at=now, code=problem.code, **address(key)))
        outcome = {"error": problem.code}
    cookie = clear_cookie(name, secure=is_secure)
    return Success(redirect(with_problem(payload.return_to or "/", outcome), cookie))


async def _judge(
    engine: Engine,
    connector: OAuthConnector[Conf, Ctx, Any],
    key: ConnectionKey,
    payload: AuthorizationPayload,
    callback: Callback,
) -> CallbackProblem | None:
    opened = open_payload(connector, payload)
    if not is_successful(opened):
        return opened.failure()
    config, provider = opened.unwrap()
    judged = judge_callback(callback, provider, connector=connector.key)
    if not is_successful(judged):
        return judged.failure()
    try:
        # Looked at before the code is spent: a grant that nobody can store is none to ask for.
        if await engine.store.last_grant(key) != payload.expected_grant:
            return await conflict(engine, key)
        async with marked_pending(engine, key, provider):
            tokens = await _exchange(engine, provider, key, payload, judged.unwrap())
            if not is_successful(tokens):
                return tokens.failure()
            granted, id_token = tokens.unwrap()
            connected = await connect_granted(
                engine,
                connector,
                key,
                Granted(
                    config=config,
                    provider=provider,
                    tokens=granted,
                    id_token=id_token,
                    nonce=nonce_of(payload.verifier),
                    expected_grant=payload.expected_grant,
                    replace_account=payload.replace_account,
                    keeps_config=payload.keeps_config,
                ),
            )
    except StoreUnavailable as error:
        engine.logger.error("the database failed: %s", error.reason)
        return DatabaseFailed()
    return None if is_successful(connected) else connected.failure()


async def _exchange(
    engine: Engine,
    provider: OAuthProvider,
    key: ConnectionKey,
    payload: AuthorizationPayload,
    code: str,
) -> Result[tuple[TokenSet, Secret | None], ExchangeProblem]:
    """The tokens for a code, and the ID token beside them."""
    bound_to = new_dpop_key(engine.entropy.octets(KEY_OCTETS)) if provider.dpop else None
    request = exchange_request(
        provider,
        code=code,
        verifier=payload.verifier,
        redirect_uri=callback_url(base_url_of(engine), key.connector),
        signing=engine.new_moment(),
    )
    answer = await send_bound(engine, request, bound_to)
    if not is_successful(answer):
        return Failure(ProviderUnreachable(key.connector))
    response, now = answer.unwrap(), engine.clock.now()
    judged = judge_exchange(response, provider, connector=key.connector, received_at=now)
    if not is_successful(judged):
        return Failure(judged.failure())
    return Success((replace(judged.unwrap(), dpop_key=bound_to), id_token_of(response)))
