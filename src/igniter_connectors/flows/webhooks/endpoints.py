"""Webhook endpoints of a connection: create, list, rotate, retire, and replace a signing secret."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from functools import partial
from hmac import compare_digest
from typing import Any, Final, Never, TypeAlias

import msgspec
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from typing_extensions import TypeVar

from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.connector.definition import Definition
from igniter_connectors.core.http.base64url import encode_base64url
from igniter_connectors.core.http.routes import webhook_url
from igniter_connectors.core.problem import (
    EncryptFailed,
    NotConnected,
    WebhookNotConfigured,
    WebhookNotFound,
    WebhookSecretInvalid,
)
from igniter_connectors.core.secret import Secret
from igniter_connectors.core.storable_text import is_storable
from igniter_connectors.core.webhook.endpoint import (
    EndpointRecord,
    EndpointSummary,
    WebhookEndpoint,
    token_hash,
)
from igniter_connectors.core.webhook.signing_keys import new_signing_secret, signing_secret_fault
from igniter_connectors.flows.engine import Engine, base_url_of
from igniter_connectors.flows.sealing import open_bytes, place_of, seal_bytes
from igniter_connectors.flows.store_errors import repeated, returns_database_failed
from igniter_connectors.ports import StoreUnavailable

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")

_REMOVE_TRIES: Final = 10
_REMOVE_PAUSE_SECONDS: Final = 1.0

_NotCreated: TypeAlias = NotConnected | WebhookNotConfigured | WebhookSecretInvalid | EncryptFailed


@returns_database_failed
async def create_endpoint(
    engine: Engine,
    connector: Definition[Conf, Ctx, Any],
    key: ConnectionKey,
    signing_secret: Secret | None,
) -> Result[WebhookEndpoint, _NotCreated]:
    """Creates an endpoint, in addition to the existing ones. Its URL is shown only this once.

    If the database does not answer, nobody learns the URL. So an endpoint that was stored anyway
    is deleted as soon as the database answers again, and the caller can simply try again.
    """
    made = await _new_endpoint(engine, connector, key, signing_secret)
    if not is_successful(made):
        return Failure(made.failure())
    record, shown = made.unwrap()
    try:
        await repeated(lambda: engine.store.add_endpoint(record))
    except StoreUnavailable:
        _ = engine.owned_tasks.start(_remove_unknown(engine, record))
        raise
    return Success(shown)


async def _remove_unknown(engine: Engine, record: EndpointRecord) -> None:
    for _ in range(_REMOVE_TRIES):
        with suppress(StoreUnavailable):
            _ = await engine.store.remove_endpoint(record.key, endpoint=record.id)
            return
        await engine.clock.sleep(_REMOVE_PAUSE_SECONDS)


async def _new_endpoint(
    engine: Engine,
    connector: Definition[Conf, Ctx, Any],
    key: ConnectionKey,
    signing_secret: Secret | None,
) -> Result[tuple[EndpointRecord, WebhookEndpoint], _NotCreated]:
    """An endpoint to store, and what its creator is shown of it."""
    base, webhook = base_url_of(engine), connector.webhook
    if webhook is None:
        return Failure(WebhookNotConfigured(connector.key))
    record = await engine.store.find(key)
    if record is None:
        return Failure(NotConnected(connector.key, key.account))
    secret = signing_secret
    if secret is None:
        secret = new_signing_secret(webhook.verification, engine.entropy.octets(32))
    row = engine.new_id()
    sealed = _seal_secret(engine, connector, key, row, secret)
    if not is_successful(sealed):
        return Failure(sealed.failure())
    token = encode_base64url(engine.entropy.octets(32))
    now = engine.clock.now()
    endpoint = EndpointRecord(token_hash(token), row, key, record.id, sealed.unwrap(), now)
    shown = WebhookEndpoint(row, Secret(webhook_url(base, connector.key, token)), secret)
    return Success((endpoint, shown))


@returns_database_failed
async def replace_secret(
    engine: Engine,
    connector: Definition[Conf, Ctx, Any],
    key: ConnectionKey,
    endpoint: str,
    secret: Secret,
    *,
    overlap: timedelta,
) -> Result[None, WebhookNotConfigured | WebhookNotFound | WebhookSecretInvalid | EncryptFailed]:
    """Replaces an endpoint's signing secret. Some providers issue one when a URL is registered.

    The same secret again is the same change: the secret before it stays accepted until its
    overlap ends, or until this overlap ends if that is sooner.
    """
    if connector.webhook is None:
        return Failure(WebhookNotConfigured(connector.key))
    sealed = _seal_secret(engine, connector, key, endpoint, secret)
    if not is_successful(sealed):
        return Failure(sealed.failure())
    while True:
        known = {one.id: one for one in await engine.store.list_endpoints(key)}.get(endpoint)
        if known is None:
            return Failure(WebhookNotFound())
        if _has_secret(engine, known, secret):
            _ = await engine.store.end_previous_secret(key, endpoint=endpoint, overlap=overlap)
            return Success(None)
        # If another secret came in between, this one may be it.
        if await engine.store.save_endpoint_secret(
            key,
            endpoint=endpoint,
            sealed_secret=sealed.unwrap(),
            overlap=overlap,
            expected=known.sealed_secret,
        ):
            return Success(None)


@returns_database_failed
async def rotate_endpoint(
    engine: Engine,
    connector: Definition[Conf, Ctx, Any],
    key: ConnectionKey,
    endpoint: str,
    signing_secret: Secret | None,
    *,
    overlap: timedelta,
) -> Result[WebhookEndpoint, _NotCreated | WebhookNotFound]:
    """Replaces an endpoint with a new one. The old one stays valid for the overlap.

    If the endpoint was replaced before, its latest successor is: the answer of that rotation may
    have been lost. So one endpoint stays, however often it is rotated.
    """
    while True:
        known = {one.id: one for one in await engine.store.list_endpoints(key)}
        if endpoint not in known:
            return Failure(WebhookNotFound())
        latest = endpoint
        while (successor := known[latest].replaced_by) is not None and successor in known:
            latest = successor
        made = await _new_endpoint(engine, connector, key, signing_secret)
        if not is_successful(made):
            return Failure(made.failure())
        record, shown = made.unwrap()
        rotate = partial(engine.store.rotate_endpoint, record, replaces=latest, overlap=overlap)
        if not await repeated(rotate):
            continue  # another rotation came in between
        if latest != endpoint:
            _ = await engine.store.retire_endpoint(key, endpoint=endpoint, overlap=overlap)
        return Success(shown)


@returns_database_failed
async def retire_endpoint(
    engine: Engine, key: ConnectionKey, endpoint: str, *, overlap: timedelta
) -> Result[None, WebhookNotFound]:
    """Ends an endpoint after the overlap. Its URL then returns 404."""
    if not is_storable(endpoint):  # no database takes it, so it names nothing
        return Failure(WebhookNotFound())
    ends = await engine.store.retire_endpoint(key, endpoint=endpoint, overlap=overlap)
    return Success(None) if ends else Failure(WebhookNotFound())


@returns_database_failed
async def list_endpoints(
    engine: Engine, key: ConnectionKey
) -> Result[tuple[EndpointSummary, ...], Never]:
    """A connection's endpoints, oldest first, ended ones too."""
    known = await engine.store.list_endpoints(key)
    return Success(
        tuple(
            EndpointSummary(
                one.id, one.created_at, one.valid_until, one.previous_until, one.replaced_by
            )
            for one in known
        )
    )


def _has_secret(engine: Engine, endpoint: EndpointRecord, secret: Secret) -> bool:
    """Whether this is the endpoint's current signing secret."""
    place = place_of("webhook", endpoint.key, endpoint.id)
    opened = open_bytes(engine, endpoint.sealed_secret, place)
    return is_successful(opened) and compare_digest(opened.unwrap(), secret.reveal().encode())


def _seal_secret(
    engine: Engine,
    connector: Definition[Conf, Ctx, Any],
    key: ConnectionKey,
    endpoint: str,
    secret: Secret,
) -> Result[bytes, WebhookSecretInvalid | EncryptFailed]:
    webhook = connector.webhook
    if webhook is None:
        return Failure(WebhookSecretInvalid(connector.key))
    fault = signing_secret_fault(webhook.verification, secret)
    if fault is not None:
        return Failure(WebhookSecretInvalid(connector.key, fault))
    return seal_bytes(engine, secret.reveal().encode(), place_of("webhook", key, endpoint))
