"""Connecting with a config, replacing it, switching, disconnecting."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from typing_extensions import TypeVar

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.connector.definition import Definition, OAuthConnector
from igniter_connectors.core.event import (
    Connected,
    DisabledEvent,
    Disconnected,
    Enabled,
    Updated,
)
from igniter_connectors.core.oauth.revocation import GRANT_REVOCATION_DELAY, RevocationRequest
from igniter_connectors.core.oauth.tenant_provider import endpoint_fields, provider_for
from igniter_connectors.core.problem import (
    AlreadyConnected,
    ConfigInvalid,
    Conflict,
    EncryptFailed,
    NotConnected,
)
from igniter_connectors.core.redaction import redact, secrets_in
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.report_error import report
from igniter_connectors.flows.sealing import NotOpened, open_config, place_of, seal_config
from igniter_connectors.flows.webhooks.routing import upstream_account
from igniter_connectors.ports import ConfigChange

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")


async def accept_config(
    engine: Engine,
    connector: Definition[Conf, Ctx, Any],
    key: ConnectionKey,
    config: Conf,
) -> Result[Conf, ConfigInvalid]:
    """A config checked against its type and the provider's addresses, then by the hook."""
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
    except Exception as error:
        report(
            engine,
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
    engine: Engine,
    connector: Definition[Conf, Ctx, Any],
    key: ConnectionKey,
    config: Conf,
) -> Result[ConnectionRecord, AlreadyConnected | ConfigInvalid | EncryptFailed]:
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
    )
    account = upstream_account(engine, connector, key, accepted.unwrap())
    if account is not None:  # first, so that no connection is without it
        await engine.store.routing.add_account(key, row=row, account=account)
    if not await engine.store.insert(record):
        return Failure(AlreadyConnected(connector.key, key.account))
    engine.event_bus.publish(Connected(at=now, **address(key)))
    return Success(record)


async def update(
    engine: Engine,
    connector: Definition[Conf, Ctx, Any],
    key: ConnectionKey,
    config: Conf,
    *,
    version: int | None,
) -> Result[ConnectionRecord, NotConnected | Conflict | ConfigInvalid | EncryptFailed]:
    """Replaces the config, where the row is still of the version seen.

    Without a version the one found now is meant; a change in between is still a conflict.
    """
    accepted = await accept_config(engine, connector, key, config)
    if not is_successful(accepted):
        return Failure(accepted.failure())
    found = await engine.store.find(key)
    if found is None:
        return Failure(NotConnected(connector.key, key.account))
    if version is not None and found.version != version:
        return Failure(Conflict(connector.key, found.version))
    sealed = seal_config(engine, connector, accepted.unwrap(), place_of("config", key, found.id))
    if not is_successful(sealed):
        return Failure(sealed.failure())
    account = upstream_account(engine, connector, key, accepted.unwrap())
    if account is not None:
        await engine.store.routing.add_account(key, row=found.id, account=account)
    now = engine.clock.now()
    change = ConfigChange(found.id, found.version, *sealed.unwrap(), now)
    if _leads_elsewhere(engine, connector, found, accepted.unwrap()):
        written = await engine.store.replace_config_ending_grant(
            key,
            change,
            grant_id=engine.new_id(),
            revocation=revocation_request(engine, connector),
        )
        engine.revocation_queued.set()
    else:
        written = await engine.store.replace_config(key, change)
    stored = await engine.store.find(key)
    if not written or stored is None:
        return Failure(Conflict(connector.key, stored.version if stored else None))
    if account is not None:
        await engine.store.routing.keep_account(key, row=found.id, account=account)
    engine.event_bus.publish(Updated(at=now, **address(key)))
    return Success(stored)


async def switch(
    engine: Engine, key: ConnectionKey, *, enabled: bool
) -> Result[None, NotConnected]:
    """Switches a connection on or off. Doing it twice is no mistake."""
    now = engine.clock.now()
    if not await engine.store.set_enabled(key, enabled=enabled, now=now):
        return Failure(NotConnected(key.connector, key.account))
    happened = Enabled if enabled else DisabledEvent
    engine.event_bus.publish(happened(at=now, **address(key)))
    return Success(None)


async def disconnect(
    engine: Engine, connector: Definition[Any, Any, Any] | None, key: ConnectionKey
) -> Result[None, NotConnected]:
    """Takes the connection away: config, tokens, webhook endpoints.

    The tokens are queued for revocation. `connector` is None where it is not registered
    any more, so that nobody knows how its tokens are revoked.
    """
    now = engine.clock.now()
    request = revocation_request(engine, connector) if connector is not None else None
    if await engine.store.disconnect(key, revocation=request, now=now) is None:
        return Failure(NotConnected(key.connector, key.account))
    engine.revocation_queued.set()
    engine.event_bus.publish(Disconnected(at=now, **address(key)))
    return Success(None)


def revocation_request(
    engine: Engine, connector: Definition[Any, Any, Any]
) -> RevocationRequest | None:
    """How to queue this connector's tokens for revocation; None if its provider cannot revoke."""
    if not isinstance(connector, OAuthConnector) or connector.provider.revocation_url is None:
        return None
    # A revoked token harms nobody else; a revoked grant may be one that was just made anew.
    ends_grant = connector.provider.revocation_ends == "grant"
    return RevocationRequest(engine.new_id(), GRANT_REVOCATION_DELAY if ends_grant else timedelta())


def _leads_elsewhere(
    engine: Engine,
    connector: Definition[Conf, Ctx, Any],
    found: ConnectionRecord,
    config: Conf,
) -> bool:
    """Whether a new config leads to another endpoint or client than those of the grant."""
    if not isinstance(connector, OAuthConnector) or found.grant is None:
        return False
    fields = endpoint_fields(connector.provider)
    if not fields:
        return False
    try:
        before = open_config(engine, connector, found)
    except NotOpened:
        # Nobody can tell any more where the grant was made.
        return True
    return any(getattr(before, name) != getattr(config, name) for name in fields)


def address(key: ConnectionKey) -> dict[str, str]:
    """The four fields by which an event names a connection."""
    return msgspec.structs.asdict(key)
