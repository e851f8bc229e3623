"""Making the address at which a connection receives webhooks, and changing its secret."""

from __future__ import annotations

from typing import Any

import msgspec
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from typing_extensions import TypeVar

from igniter_connectors.core.connection import ConnectionKey
from igniter_connectors.core.connector import Definition
from igniter_connectors.core.problem import (
    EncryptFailed,
    NotConnected,
    WebhookNotConfigured,
    WebhookNotFound,
    WebhookSecretInvalid,
)
from igniter_connectors.core.secret import Secret
from igniter_connectors.core.url import BaseUrl, url_safe, webhook_url
from igniter_connectors.core.webhook.endpoint import (
    EndpointRecord,
    WebhookEndpoint,
    token_hash,
)
from igniter_connectors.core.webhook.keys import new_signing_secret, signing_key
from igniter_connectors.flows.runtime import Runtime
from igniter_connectors.flows.seal import place_of, seal_bytes

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")


async def create_endpoint(
    runtime: Runtime,
    base: BaseUrl,
    connector: Definition[Conf, Ctx, Any],
    key: ConnectionKey,
    signing_secret: Secret | None,
) -> Result[
    WebhookEndpoint,
    NotConnected | WebhookNotConfigured | WebhookSecretInvalid | EncryptFailed,
]:
    """A new endpoint beside those there are. Its URL is shown here and never again."""
    webhook = connector.webhook
    if webhook is None:
        return Failure(WebhookNotConfigured(connector.key))
    record = await runtime.store.find(key)
    if record is None:
        return Failure(NotConnected(connector.key, key.account))
    secret = signing_secret or new_signing_secret(webhook.verification, runtime.entropy.octets(32))
    row = runtime.new_id()
    sealed = _seal_secret(runtime, connector, key, row, secret)
    if not is_successful(sealed):
        return Failure(sealed.failure())
    token = url_safe(runtime.entropy.octets(32))
    await runtime.store.add_endpoint(
        EndpointRecord(token_hash(token), row, key, record.id, sealed.unwrap(), runtime.clock.now())
    )
    return Success(WebhookEndpoint(row, Secret(webhook_url(base, connector.key, token)), secret))


async def replace_secret(
    runtime: Runtime,
    connector: Definition[Conf, Ctx, Any],
    key: ConnectionKey,
    endpoint: str,
    secret: Secret,
) -> Result[None, WebhookNotConfigured | WebhookNotFound | WebhookSecretInvalid | EncryptFailed]:
    """Another signing secret for an endpoint, as providers give one once a URL is registered."""
    if connector.webhook is None:
        return Failure(WebhookNotConfigured(connector.key))
    sealed = _seal_secret(runtime, connector, key, endpoint, secret)
    if not is_successful(sealed):
        return Failure(sealed.failure())
    saved = await runtime.store.save_endpoint_secret(
        key, endpoint=endpoint, sealed_secret=sealed.unwrap()
    )
    return Success(None) if saved else Failure(WebhookNotFound())


def _seal_secret(
    runtime: Runtime,
    connector: Definition[Conf, Ctx, Any],
    key: ConnectionKey,
    endpoint: str,
    secret: Secret,
) -> Result[bytes, WebhookSecretInvalid | EncryptFailed]:
    webhook = connector.webhook
    if webhook is None or signing_key(webhook.verification, secret) is None:
        return Failure(WebhookSecretInvalid(connector.key))
    return seal_bytes(runtime, secret.reveal().encode(), place_of("webhook", key, endpoint))
