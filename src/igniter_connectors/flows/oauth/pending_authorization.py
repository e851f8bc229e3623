"""Authorizations that have begun: stored as a hash and a sealed payload, taken once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import msgspec
from msgspec.structs import replace
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from typing_extensions import TypeVar

from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.connector.definition import OAuthConnector
from igniter_connectors.core.connector.validation import decode_json
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.state import (
    LIFETIME,
    AuthorizationPayload,
    PendingAuthorization,
)
from igniter_connectors.core.oauth.tenant_provider import provider_for
from igniter_connectors.core.problem import DecryptFailed, EncryptFailed, OAuthStateInvalid
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.sealing import log_missing_key, open_bytes, place_of, seal_bytes
from igniter_connectors.flows.store_errors import returns_database_failed

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")

_PUT_BACK_FOR: Final = timedelta(minutes=1)
"""How long an authorization that this process cannot open is left to the others."""


async def save_authorization(
    engine: Engine,
    key: ConnectionKey,
    payload: AuthorizationPayload,
    *,
    handle_hash: bytes,
    binding_hash: bytes,
) -> Result[None, EncryptFailed]:
    """Stores an authorization for 10 minutes.

    Args:
        engine: The engine.
        key: The connection to authorize.
        payload: What the next step needs. It is sealed.
        handle_hash: The hash of the ticket or of the state.
        binding_hash: The hash of the browser and subject that may take it.
    """
    row = engine.new_id()
    sealed = seal_bytes(engine, msgspec.json.encode(payload), place_of("authorization", key, row))
    if not is_successful(sealed):
        return Failure(sealed.failure())
    pending = PendingAuthorization(handle_hash, binding_hash, row, key, sealed.unwrap())
    await engine.store.add_authorization(pending, lifetime=LIFETIME)
    return Success(None)


@returns_database_failed
async def take_authorization(
    engine: Engine, connector: str, *, handle_hash: bytes, binding_hash: bytes
) -> Result[tuple[ConnectionKey, AuthorizationPayload], OAuthStateInvalid | DecryptFailed]:
    """Takes an authorization, once.

    Returns:
        What was stored, or
        - `OAuthStateInvalid`: there is none with both hashes. So another browser or another subject
          can neither take it nor burn it.
        - `DecryptFailed`: this process lacks the key. The authorization is put back, for a process
          that has it: while a new secret is rolled out, loading the page again is enough.
    """
    pending = await engine.store.take_authorization(handle_hash, binding_hash)
    if pending is None or pending.key.connector != connector:
        return Failure(OAuthStateInvalid(connector))
    place = place_of("authorization", pending.key, pending.id)
    opened = open_bytes(engine, pending.sealed_payload, place)
    if not is_successful(opened):
        if engine.ciphers.missing_key(pending.sealed_payload) is None:
            return Failure(OAuthStateInvalid(connector))
        log_missing_key(engine, connector, pending.sealed_payload)
        await engine.store.add_authorization(pending, lifetime=_PUT_BACK_FOR)
        return Failure(opened.failure())
    payload = decode_json(opened.unwrap(), AuthorizationPayload)
    if not is_successful(payload):
        return Failure(OAuthStateInvalid(connector))
    return Success((pending.key, payload.unwrap()))


def open_payload(
    connector: OAuthConnector[Conf, Ctx, Any], payload: AuthorizationPayload
) -> Result[tuple[Conf, OAuthProvider], OAuthStateInvalid]:
    """The config of an authorization, and the provider resolved with that config and with the
    requested scopes."""
    config = decode_json(payload.config, connector.schema.kind)
    if not is_successful(config):
        return Failure(OAuthStateInvalid(connector.key))
    provider = provider_for(connector.provider, config.unwrap(), connector=connector.key)
    if not is_successful(provider):
        return Failure(OAuthStateInvalid(connector.key))
    with_scopes = replace(provider.unwrap(), oauth_scopes=payload.oauth_scopes)
    return Success((config.unwrap(), with_scopes))
