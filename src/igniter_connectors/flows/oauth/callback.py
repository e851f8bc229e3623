"""The callback route: the browser is back from the provider, and the connection is made."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from typing_extensions import TypeVar

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.connector.definition import OAuthConnector
from igniter_connectors.core.event import AuthorizationFailed
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
from igniter_connectors.core.oauth.granted_scopes import read_scopes
from igniter_connectors.core.oauth.id_token import id_token_of, nonce_of
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.state import (
    AuthorizationPayload,
    browser_binding,
    state_hash,
    unbound_browser,
)
from igniter_connectors.core.oauth.state_cookie import clear_cookie, cookie_name, cookie_value
from igniter_connectors.core.principal import Principal
from igniter_connectors.core.problem import (
    CallbackProblem,
    CallbackRouteProblem,
    OAuthStateInvalid,
    ProviderUnreachable,
)
from igniter_connectors.core.secret import Secret
from igniter_connectors.flows.engine import Engine, base_url_of
from igniter_connectors.flows.event_bus import event_fields
from igniter_connectors.flows.oauth.client_state import note_exchange
from igniter_connectors.flows.oauth.dpop_request import send_bound
from igniter_connectors.flows.oauth.find_account import find_account
from igniter_connectors.flows.oauth.hold_revocations import holding_revocations
from igniter_connectors.flows.oauth.keep_grant import keep_grant, revoke_unsaved, revoke_unusable
from igniter_connectors.flows.oauth.pending_authorization import open_payload, take_authorization
from igniter_connectors.flows.oauth.save_grant import NewGrant, conflict
from igniter_connectors.flows.oauth.start import oauth_connector, redirect
from igniter_connectors.flows.store_errors import returns_database_failed
from igniter_connectors.flows.tenant_http import oauth_http

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")


async def finish(
    engine: Engine,
    connector: str,
    *,
    query: str,
    cookies: str | None,
    principal: Principal,
) -> Result[HttpResponse, CallbackRouteProblem]:
    """Judges the callback, and connects.

    Args:
        engine: The engine.
        connector: The key in the route.
        query: The query of the request, without "?".
        cookies: The `Cookie` header.
        principal: Who is signed in, after `check_access`.

    Returns:
        A redirect to where the authorization began, with the outcome in its query:
        `connected=<connector>`, or `error=<our code>`. Or, if nothing was sent and nothing
        was written,
        - `ConnectorNotFound`, `OAuthNotConfigured`.
        - `OAuthStateInvalid`: the state does not belong to this browser, tenant and subject.
        - `DecryptFailed`: this process lacks the key of the state, which stays for the others.
        - `DatabaseFailed`: the state could not be looked up.
    """
    # A task of the manager: a browser that goes away must not cost the tokens of its code.
    return await engine.owned_tasks.run(
        _finish(engine, connector, query=query, cookies=cookies, principal=principal)
    )


async def _finish(
    engine: Engine,
    connector: str,
    *,
    query: str,
    cookies: str | None,
    principal: Principal,
) -> Result[HttpResponse, CallbackRouteProblem]:
    found = oauth_connector(engine, connector)
    if not is_successful(found):
        return Failure(found.failure())
    definition = found.unwrap()
    callback = parse_callback(query)
    if callback is None:
        return Failure(OAuthStateInvalid(connector))
    is_secure = base_url_of(engine).is_secure
    name = cookie_name(callback.state, secure=is_secure)
    nonce = cookie_value(cookies, name)
    who = principal.names
    binding = unbound_browser(*who) if nonce is None else browser_binding(nonce, *who)
    taken = await take_authorization(
        engine, connector, handle_hash=state_hash(callback.state), binding_hash=binding
    )
    if not is_successful(taken):
        return Failure(taken.failure())
    key, payload = taken.unwrap()
    connected = await _connect(engine, definition, key, payload, callback)
    if is_successful(connected):
        outcome = {"connected": connector}
    else:
        code = connected.failure().code
        engine.logger.warning("%s: authorization failed: %s", connector, code)
        now = engine.clock.now()
        engine.event_bus.publish(AuthorizationFailed(at=now, code=code, **event_fields(key)))
        outcome = {"error": code}
    cookie = clear_cookie(name, secure=is_secure)
    return Success(redirect(with_problem(payload.return_to or "/", outcome), cookie))


@returns_database_failed
async def _connect(
    engine: Engine,
    connector: OAuthConnector[Conf, Ctx, Any],
    key: ConnectionKey,
    payload: AuthorizationPayload,
    callback: Callback,
) -> Result[ConnectionRecord, CallbackProblem]:
    """Exchanges the code, and saves the grant."""
    opened = open_payload(connector, payload)
    if not is_successful(opened):
        return Failure(opened.failure())
    config, provider = opened.unwrap()
    judged = judge_callback(callback, provider, connector=connector.key)
    if not is_successful(judged):
        return Failure(judged.failure())
    # Check first: if the grant has changed, the tokens could not be stored, so the code is
    # not spent.
    if await engine.store.last_grant(key) != payload.expected_grant:
        return Failure(await conflict(engine, key))
    async with holding_revocations(engine, key, provider):
        sent = await _send_code(engine, provider, key, payload, judged.unwrap())
        if not is_successful(sent):
            return Failure(sent.failure())
        response, dpop_key = sent.unwrap()
        exchanged = judge_exchange(
            response, provider, connector=key.connector, received_at=engine.clock.now()
        )
        note_exchange(engine, provider, key, exchanged)
        if not is_successful(exchanged):
            await revoke_unusable(engine, connector, key, config, provider, response)
            return Failure(exchanged.failure())
        tokens = replace(exchanged.unwrap(), dpop_key=dpop_key)
        if tokens.oauth_scopes is None and callback.scope:
            # Strava names the granted scopes here alone (developers.strava.com, 2026-11).
            tokens = replace(tokens, oauth_scopes=read_scopes(callback.scope, provider))
        new = NewGrant(
            config=config,
            provider=provider,
            tokens=tokens,
            expected_grant=payload.expected_grant,
            may_replace_account=payload.replace_account,
            keep_config=payload.keeps_config,
            seen_config=payload.seen_config,
        )
        account = await find_account(
            engine,
            provider,
            tokens,
            key=key,
            id_token=id_token_of(response),
            nonce=nonce_of(payload.verifier),
        )
        if not is_successful(account):
            await revoke_unsaved(engine, connector, key, new)
            return Failure(account.failure())
        return await keep_grant(engine, connector, key, replace(new, account=account.unwrap()))


async def _send_code(
    engine: Engine,
    provider: OAuthProvider,
    key: ConnectionKey,
    payload: AuthorizationPayload,
    code: str,
) -> Result[tuple[HttpResponse, Secret | None], ProviderUnreachable]:
    """The provider's answer to a code, and the key that the tokens are bound to."""
    dpop_key = new_dpop_key(engine.entropy.octets(KEY_OCTETS)) if provider.dpop else None
    request = exchange_request(
        provider,
        code=code,
        verifier=payload.verifier,
        redirect_uri=callback_url(base_url_of(engine), key.connector),
        signing=engine.signing_context(),
    )
    answer = await send_bound(oauth_http(engine, key), request, dpop_key)
    if not is_successful(answer):
        return Failure(ProviderUnreachable(key.connector))
    return Success((answer.unwrap(), dpop_key))
