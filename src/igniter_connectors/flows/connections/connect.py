"""Connecting with a config: it is checked, its secrets are sealed, and the row is stored."""

from __future__ import annotations

from typing import Any

import msgspec
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from typing_extensions import TypeVar

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.connection.view import Connection
from igniter_connectors.core.connector.definition import Definition, OAuthConnector
from igniter_connectors.core.event import Connected
from igniter_connectors.core.oauth.tenant_provider import provider_for
from igniter_connectors.core.problem import (
    AlreadyConnected,
    ConfigInvalid,
    DecryptFailed,
    EncryptFailed,
)
from igniter_connectors.core.redaction import redact, secrets_in
from igniter_connectors.flows.connections.read_connection import open_connection
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.event_bus import event_fields
from igniter_connectors.flows.report_error import is_cancellation, report
from igniter_connectors.flows.sealing import place_of, seal_config
from igniter_connectors.flows.store_errors import returns_database_failed
from igniter_connectors.flows.webhooks.routing import upstream_account

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")


async def accept_config(
    engine: Engine,
    connector: Definition[Conf, Ctx, Any],
    key: ConnectionKey,
    config: Conf,
) -> Result[Conf, ConfigInvalid]:
    """Checks a config against its type and the provider's endpoints, then by the connector's hook.

    Returns:
        The config as it was validated, or `ConfigInvalid`.
    """
    checked = connector.schema.validate(config)
    if not is_successful(checked):
        fault = checked.failure()
        return Failure(ConfigInvalid(connector.key, fault.path, fault.reason))
    good = checked.unwrap()
    if isinstance(connector, OAuthConnector):
        provider = provider_for(connector.provider, good, connector=connector.key)
        if not is_successful(provider):
            refused = provider.failure()
            return Failure(ConfigInvalid(connector.key, f"$.{refused.field}", refused.reason))
    if connector.validate_hook is None:
        return Success(good)
    try:
        verdict = await connector.validate_hook(good)
    except BaseException as error:
        if is_cancellation(error):
            raise
        report(
            engine,
            error,
            where=f"{connector.key}: on_validate",
            connector=connector.key,
            key=key,
            secrets=secrets_in(good),
        )
        return Failure(ConfigInvalid(connector.key, "$", "the connector's check could not be made"))
    if type(verdict) is Success:
        return Success(good)
    reason = verdict.failure() if type(verdict) is Failure else None
    if not isinstance(reason, str):
        engine.logger.error(
            "%s: on_validate must return Success(None) or Failure('why'), and returned %s",
            connector.key,
            type(verdict).__name__ if reason is None else f"Failure({type(reason).__name__})",
        )
        return Failure(ConfigInvalid(connector.key, "$", "the connector's check could not be made"))
    return Failure(ConfigInvalid(connector.key, "$", redact(reason, secrets_in(good))))


@returns_database_failed
async def connect(
    engine: Engine,
    connector: Definition[Conf, Ctx, Any],
    key: ConnectionKey,
    config: Conf,
) -> Result[Connection[Conf], AlreadyConnected | ConfigInvalid | EncryptFailed | DecryptFailed]:
    """Stores a new connection. The config is checked before anything is written."""
    accepted = await accept_config(engine, connector, key, config)
    if not is_successful(accepted):
        return Failure(accepted.failure())
    row = engine.new_id()
    place = place_of("config", key, row)
    sealed = seal_config(engine, connector, accepted.unwrap(), place)
    if not is_successful(sealed):
        return Failure(sealed.failure())
    public_config, sealed_config = sealed.unwrap()
    upstream = upstream_account(engine, connector, key, accepted.unwrap())
    if not is_successful(upstream):
        return Failure(upstream.failure())
    now = engine.clock.now()
    record = ConnectionRecord(
        key=key,
        id=row,
        public_config=public_config,
        sealed_config=sealed_config,
        enabled=True,
        version=1,
        created_at=now,
        updated_at=now,
        upstream=upstream.unwrap(),
    )
    if not await engine.store.insert(record):
        return Failure(AlreadyConnected(connector.key, key.account))
    engine.event_bus.publish(Connected(at=now, **event_fields(key)))
    return open_connection(engine, connector, record)
