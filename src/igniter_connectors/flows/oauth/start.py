"""Beginning an authorization: a ticket for the application, then a state for the browser."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from typing_extensions import TypeVar

from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.connector.definition import OAuthConnector
from igniter_connectors.core.connector.validation import decode_json, encode_json_to_seal
from igniter_connectors.core.event import AuthorizationStarted
from igniter_connectors.core.http.base64url import encode_base64url
from igniter_connectors.core.http.messages import HttpResponse
from igniter_connectors.core.http.routes import callback_url, start_url
from igniter_connectors.core.http.safe_url import is_safe_return_path
from igniter_connectors.core.oauth.authorization_request import (
    AuthorizationRequest,
    authorization_url,
)
from igniter_connectors.core.oauth.pkce import new_verifier
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.pushed_authorization import (
    judge_push,
    push_request,
    pushed_authorization_url,
)
from igniter_connectors.core.oauth.state import (
    LIFETIME,
    AuthorizationPayload,
    PendingAuthorization,
    browser_binding,
    state_hash,
    subject_binding,
    ticket_hash,
)
from igniter_connectors.core.oauth.state_cookie import cookie_name, set_cookie
from igniter_connectors.core.oauth.tenant_provider import provider_for
from igniter_connectors.core.problem import (
    AuthorizationDenied,
    ConfigInvalid,
    EncryptFailed,
    NotConnected,
    OAuthStateInvalid,
    ProviderAnswerMalformed,
    ProviderUnreachable,
    ReauthorizeProblem,
    ReturnToInvalid,
    StartProblem,
)
from igniter_connectors.flows.connections.connect import accept_config, address
from igniter_connectors.flows.engine import Engine, base_url_of
from igniter_connectors.flows.sealing import (
    NotOpened,
    open_bytes,
    open_config,
    place_of,
    seal_bytes,
)

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")


class AuthorizationOptions(msgspec.Struct, frozen=True):
    """What an authorization is begun with, beside the config.

    `oauth_scopes` are asked for beyond those that the provider's definition names.
    """

    subject: str
    return_to: str = ""
    oauth_scopes: tuple[str, ...] = ()
    replace_account: bool = False
    keeps_config: bool = False


async def begin_again(
    engine: Engine,
    connector: OAuthConnector[Conf, Ctx, Any],
    key: ConnectionKey,
    options: AuthorizationOptions,
) -> Result[AuthorizationRequest, ReauthorizeProblem]:
    """As `begin`, with the config that is stored, and the scopes that were granted already."""
    record = await engine.store.find(key)
    if record is None or record.grant is None:
        return Failure(NotConnected(connector.key, key.account))
    try:
        config = open_config(engine, connector, record)
    except NotOpened as error:
        return Failure(error.problem)
    scopes = tuple(dict.fromkeys((*record.grant.oauth_scopes, *options.oauth_scopes)))
    wider = replace(options, oauth_scopes=scopes, keeps_config=True)
    return await begin(engine, connector, key, config, wider)


async def begin(
    engine: Engine,
    connector: OAuthConnector[Conf, Ctx, Any],
    key: ConnectionKey,
    config: Conf,
    options: AuthorizationOptions,
) -> Result[AuthorizationRequest, ConfigInvalid | EncryptFailed | ReturnToInvalid]:
    """Keeps what the callback will need, and gives the address of our own start route."""
    base = base_url_of(engine)
    begun = await new_payload(engine, connector, key, config, options)
    if not is_successful(begun):
        return Failure(begun.failure())
    ticket = encode_base64url(engine.entropy.octets(32))
    kept = await _keep(
        engine, ticket_hash(ticket), subject_binding(options.subject), key, begun.unwrap()
    )
    if not is_successful(kept):
        return Failure(kept.failure())
    return Success(AuthorizationRequest(start_url(base, connector.key, ticket)))


async def new_payload(
    engine: Engine,
    connector: OAuthConnector[Conf, Ctx, Any],
    key: ConnectionKey,
    config: Conf,
    options: AuthorizationOptions,
) -> Result[AuthorizationPayload, ConfigInvalid | EncryptFailed | ReturnToInvalid]:
    """What the callback will need.

    The tenant, the config and the subject are recorded here and come from nowhere else.
    """
    return_to = options.return_to
    if return_to and not is_safe_return_path(return_to) and return_to not in engine.return_urls:
        return Failure(ReturnToInvalid(connector.key))
    accepted = await accept_config(engine, connector, key, config)
    if not is_successful(accepted):
        return Failure(accepted.failure())
    encoded = encode_json_to_seal(accepted.unwrap())
    if not is_successful(encoded):
        fault = encoded.failure()
        return Failure(ConfigInvalid(connector.key, fault.path, fault.reason))
    asked = dict.fromkeys((*connector.provider.oauth_scopes, *options.oauth_scopes))
    return Success(
        AuthorizationPayload(
            subject=options.subject,
            config=encoded.unwrap(),
            oauth_scopes=tuple(asked),
            return_to=return_to,
            expected_grant=await engine.store.last_grant(key),
            replace_account=options.replace_account,
            keeps_config=options.keeps_config,
        )
    )


async def start(
    engine: Engine,
    connector: OAuthConnector[Conf, Ctx, Any],
    ticket: str,
    subject: str,
) -> Result[HttpResponse, StartProblem]:
    """Opens a ticket: gives this browser its nonce and sends it to the provider."""
    taken = await take(engine, connector.key, ticket_hash(ticket), subject_binding(subject))
    if not is_successful(taken):
        return Failure(taken.failure())
    key, payload = taken.unwrap()
    nonce = encode_base64url(engine.entropy.octets(32))
    binding = browser_binding(nonce, subject)
    sent = await at_provider(engine, connector, key, payload, binding_hash=binding)
    if not is_successful(sent):
        return Failure(sent.failure())
    url, state = sent.unwrap()
    is_secure = base_url_of(engine).is_secure
    name = cookie_name(state, secure=is_secure)
    return Success(redirect(url, set_cookie(name, nonce, secure=is_secure)))


async def at_provider(
    engine: Engine,
    connector: OAuthConnector[Conf, Ctx, Any],
    key: ConnectionKey,
    payload: AuthorizationPayload,
    *,
    binding_hash: bytes,
) -> Result[tuple[str, str], StartProblem]:
    """The provider's address to open, and the state in it, for whoever the binding names."""
    opened = open_payload(connector, payload)
    if not is_successful(opened):
        return Failure(opened.failure())
    _, provider = opened.unwrap()
    state = encode_base64url(engine.entropy.octets(32))
    verifier = new_verifier(engine.entropy.octets(32))
    kept = await _keep(
        engine, state_hash(state), binding_hash, key, replace(payload, verifier=verifier)
    )
    if not is_successful(kept):
        return Failure(kept.failure())
    url = await _authorization_url(engine, provider, connector.key, state, verifier)
    if not is_successful(url):
        return Failure(url.failure())
    engine.event_bus.publish(AuthorizationStarted(at=engine.clock.now(), **address(key)))
    return Success((url.unwrap(), state))


async def _authorization_url(
    engine: Engine,
    provider: OAuthProvider,
    connector: str,
    state: str,
    verifier: str,
) -> Result[str, ProviderUnreachable | ProviderAnswerMalformed | AuthorizationDenied]:
    """Where to send the browser; where the provider takes it, the request is pushed first."""
    redirect_uri = callback_url(base_url_of(engine), connector)
    request = push_request(
        provider,
        redirect_uri=redirect_uri,
        state=state,
        verifier=verifier,
        signing=engine.new_moment(),
    )
    if request is None:
        return Success(
            authorization_url(provider, redirect_uri=redirect_uri, state=state, verifier=verifier)
        )
    answer = await engine.http.send(request)
    if not is_successful(answer):
        return Failure(ProviderUnreachable(connector))
    now = engine.clock.now()
    pushed = judge_push(answer.unwrap(), connector=connector, received_at=now)
    return pushed.map(lambda one: pushed_authorization_url(provider, one))


async def take(
    engine: Engine, connector: str, handle_hash: bytes, binding_hash: bytes
) -> Result[tuple[ConnectionKey, AuthorizationPayload], OAuthStateInvalid]:
    """Takes an authorization that has begun: once, and by whom it is bound to alone."""
    pending = await engine.store.take_authorization(handle_hash, binding_hash)
    if pending is None or pending.key.connector != connector:
        return Failure(OAuthStateInvalid(connector))
    place = place_of("authorization", pending.key, pending.id)
    opened = open_bytes(engine, pending.sealed_payload, place)
    if not is_successful(opened):
        return Failure(OAuthStateInvalid(connector))
    payload = decode_json(opened.unwrap(), AuthorizationPayload)
    if not is_successful(payload):
        return Failure(OAuthStateInvalid(connector))
    return Success((pending.key, payload.unwrap()))


def open_payload(
    connector: OAuthConnector[Conf, Ctx, Any], payload: AuthorizationPayload
) -> Result[tuple[Conf, OAuthProvider], OAuthStateInvalid]:
    """The config that an authorization began with, and the provider as that config has it."""
    config = decode_json(payload.config, connector.schema.kind)
    if not is_successful(config):
        return Failure(OAuthStateInvalid(connector.key))
    provider = provider_for(connector.provider, config.unwrap(), connector=connector.key)
    if not is_successful(provider):
        return Failure(OAuthStateInvalid(connector.key))
    wider = replace(provider.unwrap(), oauth_scopes=payload.oauth_scopes)
    return Success((config.unwrap(), wider))


def redirect(url: str, cookie: str) -> HttpResponse:
    """A 303 that no cache keeps and that tells the next page nothing of this address."""
    return HttpResponse(
        303,
        (
            ("Location", url),
            ("Set-Cookie", cookie),
            ("Cache-Control", "no-store"),
            ("Referrer-Policy", "no-referrer"),
        ),
    )


async def _keep(
    engine: Engine,
    handle_hash: bytes,
    binding_hash: bytes,
    key: ConnectionKey,
    payload: AuthorizationPayload,
) -> Result[None, EncryptFailed]:
    row = engine.new_id()
    sealed = seal_bytes(engine, msgspec.json.encode(payload), place_of("authorization", key, row))
    if not is_successful(sealed):
        return Failure(sealed.failure())
    pending = PendingAuthorization(handle_hash, binding_hash, row, key, sealed.unwrap())
    await engine.store.add_authorization(pending, lifetime=LIFETIME)
    return Success(None)
