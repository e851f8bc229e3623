"""Connecting with a config, replacing it, switching, disconnecting."""

from __future__ import annotations

from typing import Any

import msgspec
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from typing_extensions import TypeVar

from igniter_connectors.core.connection import ConnectionKey, ConnectionRecord
from igniter_connectors.core.connector import Definition
from igniter_connectors.core.event import (
    Connected,
    DisabledEvent,
    Disconnected,
    Enabled,
    Updated,
)
from igniter_connectors.core.problem import (
    AlreadyConnected,
    ConfigInvalid,
    Conflict,
    EncryptFailed,
    NotConnected,
)
from igniter_connectors.core.redaction import redact, secrets_in
from igniter_connectors.flows.report import report
from igniter_connectors.flows.runtime import Runtime
from igniter_connectors.flows.seal import place_of, seal_config

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")


async def accept_config(
    runtime: Runtime,
    connector: Definition[Conf, Ctx, Any],
    key: ConnectionKey,
    config: Conf,
) -> Result[Conf, ConfigInvalid]:
    """A config checked against its type, then by the connector's own hook."""
    checked = connector.schema.validate(config)
    if not is_successful(checked):
        misfit = checked.failure()
        return Failure(ConfigInvalid(connector.key, misfit.path, misfit.reason))
    good = checked.unwrap()
    if connector.validate_hook is None:
        return Success(good)
    try:
        verdict = await connector.validate_hook(good)
    except Exception as error:
        report(
            runtime,
            error,
            where=f"{connector.key}: on_validate",
            connector=connector.key,
            key=key,
            secrets=secrets_in(good),
        )
        return Failure(ConfigInvalid(connector.key, "$", "the connector's check could not be made"))
    if not is_successful(verdict):
        reason = redact(verdict.failure(), secrets_in(good))
        return Failure(ConfigInvalid(connector.key, "$", reason))
    return Success(good)


async def connect(
    runtime: Runtime,
    connector: Definition[Conf, Ctx, Any],
    key: ConnectionKey,
    config: Conf,
) -> Result[ConnectionRecord, AlreadyConnected | ConfigInvalid | EncryptFailed]:
    """Stores a new connection. The config is checked before anything is written."""
    accepted = await accept_config(runtime, connector, key, config)
    if not is_successful(accepted):
        return Failure(accepted.failure())
    row = runtime.new_id()
    place = place_of("config", key, row)
    sealed = seal_config(runtime, connector, accepted.unwrap(), place)
    if not is_successful(sealed):
        return Failure(sealed.failure())
    public_config, sealed_config = sealed.unwrap()
    now = runtime.clock.now()
    record = ConnectionRecord(
        key=key,
        id=row,
        public_config=public_config,
        sealed_config=sealed_config,
        enabled=True,
        version=1,
        created_at=now,
        updated_at=now,
    )
    if not await runtime.store.insert(record):
        return Failure(AlreadyConnected(connector.key, key.account))
    runtime.announcer.tell(Connected(at=now, **address(key)))
    return Success(record)


async def update(
    runtime: Runtime,
    connector: Definition[Conf, Ctx, Any],
    key: ConnectionKey,
    config: Conf,
    *,
    version: int | None,
) -> Result[ConnectionRecord, NotConnected | Conflict | ConfigInvalid | EncryptFailed]:
    """Replaces the config, where the row is still of the version seen.

    Without a version the one found now is meant; a change in between is still a conflict.
    """
    accepted = await accept_config(runtime, connector, key, config)
    if not is_successful(accepted):
        return Failure(accepted.failure())
    found = await runtime.store.find(key)
    if found is None:
        return Failure(NotConnected(connector.key, key.account))
    if version is not None and found.version != version:
        return Failure(Conflict(connector.key, found.version))
    sealed = seal_config(runtime, connector, accepted.unwrap(), place_of("config", key, found.id))
    if not is_successful(sealed):
        return Failure(sealed.failure())
    public_config, sealed_config = sealed.unwrap()
    now = runtime.clock.now()
    written = await runtime.store.replace_config(
        key,
        row=found.id,
        version=found.version,
        public_config=public_config,
        sealed_config=sealed_config,
        now=now,
    )
    stored = await runtime.store.find(key)
    if not written or stored is None:
        return Failure(Conflict(connector.key, stored.version if stored else None))
    runtime.announcer.tell(Updated(at=now, **address(key)))
    return Success(stored)


async def switch(
    runtime: Runtime, key: ConnectionKey, *, enabled: bool
) -> Result[None, NotConnected]:
    """Switches a connection on or off. Doing it twice is no mistake."""
    now = runtime.clock.now()
    if not await runtime.store.set_enabled(key, enabled=enabled, now=now):
        return Failure(NotConnected(key.connector, key.account))
    happened = Enabled if enabled else DisabledEvent
    runtime.announcer.tell(happened(at=now, **address(key)))
    return Success(None)


async def disconnect(runtime: Runtime, key: ConnectionKey) -> Result[None, NotConnected]:
    """Takes the connection away: config, tokens, webhook endpoints."""
    if await runtime.store.delete(key) is None:
        return Failure(NotConnected(key.connector, key.account))
    runtime.announcer.tell(Disconnected(at=runtime.clock.now(), **address(key)))
    return Success(None)


def address(key: ConnectionKey) -> dict[str, str]:
    """The four fields by which an event names a connection."""
    return msgspec.structs.asdict(key)
