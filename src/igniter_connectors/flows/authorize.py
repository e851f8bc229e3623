"""Beginning an authorization: a ticket for the application, then a state for the browser."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from typing_extensions import TypeVar

from igniter_connectors.core.connection import ConnectionKey
from igniter_connectors.core.connector import OAuthConnector
from igniter_connectors.core.event import AuthorizationStarted
from igniter_connectors.core.http import HttpResponse
from igniter_connectors.core.oauth.authorize import authorization_url
from igniter_connectors.core.oauth.pkce import new_verifier
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.state import (
    LIFETIME,
    AuthorizationPayload,
    AuthorizationRequest,
    PendingAuthorization,
    browser_binding,
    cookie_name,
    set_cookie,
    state_hash,
    subject_binding,
    ticket_hash,
)
from igniter_connectors.core.problem import (
    ConfigInvalid,
    EncryptFailed,
    OAuthStateInvalid,
    ReturnToInvalid,
)
from igniter_connectors.core.schema import decode_json, encode_json_to_seal
from igniter_connectors.core.url import (
    BaseUrl,
    callback_url,
    is_own_path,
    start_url,
    url_safe,
)
from igniter_connectors.flows.connect import accept_config, address
from igniter_connectors.flows.runtime import Runtime
from igniter_connectors.flows.seal import open_bytes, place_of, seal_bytes

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")


async def begin(
    runtime: Runtime,
    base: BaseUrl,
    connector: OAuthConnector[Conf, Ctx, Any],
    key: ConnectionKey,
    config: Conf,
    *,
    subject: str,
    return_to: str,
    replace_account: bool,
) -> Result[AuthorizationRequest, ConfigInvalid | EncryptFailed | ReturnToInvalid]:
    """Keeps what the callback will need, and gives the address of our own start route.

    The tenant, the config and the subject are recorded here and come from nowhere else.
    """
    if return_to and not is_own_path(return_to) and return_to not in runtime.return_urls:
        return Failure(ReturnToInvalid(connector.key))
    accepted = await accept_config(runtime, connector, key, config)
    if not is_successful(accepted):
        return Failure(accepted.failure())
    encoded = encode_json_to_seal(accepted.unwrap())
    if not is_successful(encoded):
        misfit = encoded.failure()
        return Failure(ConfigInvalid(connector.key, misfit.path, misfit.reason))
    known = await runtime.store.find(key)
    payload = AuthorizationPayload(
        subject=subject,
        config=encoded.unwrap(),
        return_to=return_to,
        expected_grant=known.grant.grant_id if known is not None and known.grant else None,
        replace_account=replace_account,
    )
    ticket = url_safe(runtime.entropy.octets(32))
    kept = await _keep(runtime, ticket_hash(ticket), subject_binding(subject), key, payload)
    if not is_successful(kept):
        return Failure(kept.failure())
    return Success(AuthorizationRequest(start_url(base, connector.key, ticket)))


async def start(
    runtime: Runtime,
    base: BaseUrl,
    connector: str,
    provider: OAuthProvider,
    ticket: str,
    subject: str,
) -> Result[HttpResponse, OAuthStateInvalid | EncryptFailed]:
    """Opens a ticket: gives this browser its nonce and sends it to the provider."""
    taken = await take(runtime, connector, ticket_hash(ticket), subject_binding(subject))
    if not is_successful(taken):
        return Failure(taken.failure())
    key, payload = taken.unwrap()
    state, nonce = (
        url_safe(runtime.entropy.octets(32)),
        url_safe(runtime.entropy.octets(32)),
    )
    verifier = new_verifier(runtime.entropy.octets(32))
    kept = await _keep(
        runtime,
        state_hash(state),
        browser_binding(nonce, subject),
        key,
        replace(payload, verifier=verifier),
    )
    if not is_successful(kept):
        return Failure(kept.failure())
    url = authorization_url(
        provider,
        redirect_uri=callback_url(base, connector),
        state=state,
        verifier=verifier,
    )
    name = cookie_name(state, secure=base.is_secure)
    runtime.announcer.tell(AuthorizationStarted(at=runtime.clock.now(), **address(key)))
    return Success(redirect(url, set_cookie(name, nonce, secure=base.is_secure)))


async def take(
    runtime: Runtime, connector: str, handle_hash: bytes, binding_hash: bytes
) -> Result[tuple[ConnectionKey, AuthorizationPayload], OAuthStateInvalid]:
    """Takes an authorization that has begun: once, and by whom it is bound to alone."""
    pending = await runtime.store.take_authorization(handle_hash, binding_hash)
    if pending is None or pending.key.connector != connector:
        return Failure(OAuthStateInvalid(connector))
    place = place_of("authorization", pending.key, pending.id)
    opened = open_bytes(runtime, pending.sealed_payload, place)
    if not is_successful(opened):
        return Failure(OAuthStateInvalid(connector))
    payload = decode_json(opened.unwrap(), AuthorizationPayload)
    if not is_successful(payload):
        return Failure(OAuthStateInvalid(connector))
    return Success((pending.key, payload.unwrap()))


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
    runtime: Runtime,
    handle_hash: bytes,
    binding_hash: bytes,
    key: ConnectionKey,
    payload: AuthorizationPayload,
) -> Result[None, EncryptFailed]:
    row = runtime.new_id()
    sealed = seal_bytes(runtime, msgspec.json.encode(payload), place_of("authorization", key, row))
    if not is_successful(sealed):
        return Failure(sealed.failure())
    pending = PendingAuthorization(handle_hash, binding_hash, row, key, sealed.unwrap())
    await runtime.store.add_authorization(pending, lifetime=LIFETIME)
    return Success(None)
