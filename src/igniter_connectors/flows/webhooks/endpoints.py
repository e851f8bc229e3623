"""Webhook endpoints of a connection: create, list, rotate, retire, and replace a signing secret."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Never, TypeAlias

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
from igniter_connectors.core.webhook.endpoint import (
    EndpointRecord,
    EndpointSummary,
    WebhookEndpoint,
    token_hash,
)
from igniter_connectors.core.webhook.signing_keys import new_signing_secret, signing_secret_fault
from igniter_connectors.flows.engine import Engine, base_url_of
from igniter_connectors.flows.sealing import place_of, seal_bytes
from igniter_connectors.flows.store_errors import returns_database_failed

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")

_NotCreated: TypeAlias = NotConnected | WebhookNotConfigured | WebhookSecretInvalid | EncryptFailed


@returns_database_failed
async def create_endpoint(
    engine: Engine,
    connector: Definition[Conf, Ctx, Any],
    key: ConnectionKey,
    signing_secret: Secret | None,
) -> Result[WebhookEndpoint, _NotCreated]:
    """Creates an endpoint, in addition to the existing ones. Its URL is shown only this once."""
    return await _create(engine, connector, key, signing_secret)


async def _create(
    engine: Engine,
    connector: Definition[Conf, Ctx, Any],
    key: ConnectionKey,
    signing_secret: Secret | None,
) -> Result[WebhookEndpoint, _NotCreated]:
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
    await engine.store.add_endpoint(
        EndpointRecord(token_hash(token), row, key, record.id, sealed.unwrap(), engine.clock.now())
    )
    return Success(WebhookEndpoint(row, Secret(webhook_url(base, connector.key, token)), secret))


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
    """Replaces an endpoint's signing secret. Some providers issue one when a URL is registered."""
    if connector.webhook is None:
        return Failure(WebhookNotConfigured(connector.key))
    sealed = _seal_secret(engine, connector, key, endpoint, secret)
    if not is_successful(sealed):
        return Failure(sealed.failure())
    saved = await engine.store.save_endpoint_secret(
        key, endpoint=endpoint, sealed_secret=sealed.unwrap(), overlap=overlap
    )
    return Success(None) if saved else Failure(WebhookNotFound())


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
    """Replaces an endpoint with a new one. The old one stays valid for the overlap."""
    known = await engine.store.list_endpoints(key)
    if all(one.id != endpoint for one in known):
        return Failure(WebhookNotFound())
    created = await _create(engine, connector, key, signing_secret)
    if is_successful(created):
        _ = await engine.store.retire_endpoint(key, endpoint=endpoint, overlap=overlap)
    return created


@returns_database_failed
async def retire_endpoint(
    engine: Engine, key: ConnectionKey, endpoint: str, *, overlap: timedelta
) -> Result[None, WebhookNotFound]:
    """Ends an endpoint after the overlap. Its URL then returns 404."""
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
            EndpointSummary(one.id, one.created_at, one.valid_until, one.previous_until)
            for one in known
        )
    )


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
