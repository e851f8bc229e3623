"""Changing a connection: replacing its config, enabling, disabling."""

from __future__ import annotations

from hmac import compare_digest
from typing import Any

import msgspec
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from typing_extensions import TypeVar

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.connection.view import Connection
from igniter_connectors.core.connector.definition import Definition, OAuthConnector
from igniter_connectors.core.event import DisabledEvent, Enabled, Updated
from igniter_connectors.core.oauth.tenant_provider import endpoint_fields
from igniter_connectors.core.problem import (
    ConfigInvalid,
    Conflict,
    DecryptFailed,
    EncryptFailed,
    NotConnected,
)
from igniter_connectors.core.sealing.envelope import key_id_of
from igniter_connectors.flows.connections.connect import accept_config
from igniter_connectors.flows.connections.disconnect import revocation_request
from igniter_connectors.flows.connections.read_connection import open_connection
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.event_bus import event_fields
from igniter_connectors.flows.sealing import (
    NotOpened,
    open_bytes,
    open_config,
    place_of,
    seal_config,
)
from igniter_connectors.flows.store_errors import returns_database_failed
from igniter_connectors.flows.webhooks.routing import upstream_account
from igniter_connectors.ports import ConfigChange

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")


@returns_database_failed
async def update(
    engine: Engine,
    connector: Definition[Conf, Ctx, Any],
    key: ConnectionKey,
    config: Conf,
    *,
    version: int | None,
) -> Result[
    Connection[Conf], NotConnected | Conflict | ConfigInvalid | EncryptFailed | DecryptFailed
]:
    """Replaces the config, if the row still has the version that was seen.

    If `version` is None, the version that is stored now counts; a change in between is still
    a conflict. The config that is stored already changes nothing: the answer to the same call may
    have been lost. With a version, that call's repetition is a `Conflict`: it cannot be told from
    an equal change of somebody else, which must not count twice. If a field that feeds an endpoint
    changes, the grant ends and its tokens are queued for revocation.
    """
    accepted = await accept_config(engine, connector, key, config)
    if not is_successful(accepted):
        return Failure(accepted.failure())
    found = await engine.store.find(key)
    if found is None:
        return Failure(NotConnected(connector.key, key.account))
    if version not in (None, found.version):
        return Failure(Conflict(connector.key, found.version))
    sealed = seal_config(engine, connector, accepted.unwrap(), place_of("config", key, found.id))
    if not is_successful(sealed):
        return Failure(sealed.failure())
    upstream = upstream_account(engine, connector, key, accepted.unwrap())
    if not is_successful(upstream):
        return Failure(upstream.failure())
    now = engine.clock.now()
    if _is_stored(engine, found, sealed.unwrap(), upstream.unwrap()):
        engine.event_bus.publish(Updated(at=now, **event_fields(key)))
        return open_connection(engine, connector, found)
    change = ConfigChange(found.id, found.version, *sealed.unwrap(), now, upstream.unwrap())
    if _changes_endpoint(engine, connector, found, accepted.unwrap()):
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
    engine.event_bus.publish(Updated(at=now, **event_fields(key)))
    return open_connection(engine, connector, stored)


@returns_database_failed
async def enable(
    engine: Engine, connector: Definition[Any, Any, Any], key: ConnectionKey
) -> Result[None, NotConnected]:
    """Enables a connection, and releases the webhook events that were held. Enabling twice is
    allowed."""
    now = engine.clock.now()
    if not await engine.store.set_enabled(key, enabled=True, now=now):
        return Failure(NotConnected(key.connector, key.account))
    engine.event_bus.publish(Enabled(at=now, **event_fields(key)))
    if connector.webhook is not None and await engine.store.inbox.release(key):
        engine.deliveries.wake()
    return Success(None)


@returns_database_failed
async def disable(engine: Engine, key: ConnectionKey) -> Result[None, NotConnected]:
    """Disables a connection. Disabling twice is allowed."""
    now = engine.clock.now()
    if not await engine.store.set_enabled(key, enabled=False, now=now):
        return Failure(NotConnected(key.connector, key.account))
    engine.event_bus.publish(DisabledEvent(at=now, **event_fields(key)))
    return Success(None)


def _is_stored(
    engine: Engine, found: ConnectionRecord, sealed: tuple[bytes, bytes], upstream: str | None
) -> bool:
    """Whether a row holds this config already, sealed with the same key."""
    public_config, sealed_config = sealed
    if (found.public_config, found.upstream) != (public_config, upstream):
        return False
    if key_id_of(found.sealed_config) != key_id_of(sealed_config):
        return False
    place = place_of("config", found.key, found.id)
    before, after = (open_bytes(engine, one, place) for one in (found.sealed_config, sealed_config))
    if not is_successful(before) or not is_successful(after):
        return False
    return compare_digest(before.unwrap(), after.unwrap())


def _changes_endpoint(
    engine: Engine,
    connector: Definition[Conf, Ctx, Any],
    found: ConnectionRecord,
    config: Conf,
) -> bool:
    """Whether a new config resolves to another endpoint or client than those of the grant."""
    if not isinstance(connector, OAuthConnector) or found.grant is None:
        return False
    fields = endpoint_fields(connector.provider)
    if not fields:
        return False
    try:
        before = open_config(engine, connector, found)
    except NotOpened:
        # The old config does not open, so the endpoint of the grant is not known.
        return True
    return any(getattr(before, name) != getattr(config, name) for name in fields)
