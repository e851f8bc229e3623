"""Connecting with a config, replacing it, switching, disconnecting."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from typing_extensions import TypeVar

from igniter_connectors.core.connection import ConnectionKey, ConnectionRecord
from igniter_connectors.core.connector import Definition, OAuthConnector
from igniter_connectors.core.event import (
    Connected,
    DisabledEvent,
    Disconnected,
    Enabled,
    Updated,
)
from igniter_connectors.core.oauth.revocation import HELD_BACK, Handover
from igniter_connectors.core.oauth.tenant import endpoint_fields, provider_for
from igniter_connectors.core.problem import (
    AlreadyConnected,
    ConfigInvalid,
    Conflict,
    EncryptFailed,
    NotConnected,
)
from igniter_connectors.core.redaction import redact, secrets_in
from igniter_connectors.flows.report import report
from igniter_connectors.flows.route import upstream_account
from igniter_connectors.flows.runtime import Runtime
from igniter_connectors.flows.seal import NotOpened, open_config, place_of, seal_config

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")


async def accept_config(
    runtime: Runtime,
    connector: Definition[Conf, Ctx, Any],
    key: ConnectionKey,
    config: Conf,
) -> Result[Conf, ConfigInvalid]:
    """A config checked against its type and the provider's addresses, then by the hook."""
    checked = connector.schema.validate(config)
    if not is_successful(checked):
        misfit = checked.failure()
        return Failure(ConfigInvalid(connector.key, misfit.path, misfit.reason))
    good = checked.unwrap()
    if isinstance(connector, OAuthConnector):
        provider = provider_for(connector.provider, good, connector=connector.key)
        if not is_successful(provider):
            fault = provider.failure()
            return Failure(ConfigInvalid(connector.key, f"$.{fault.field}", fault.reason))
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
    account = upstream_account(runtime, connector, key, accepted.unwrap())
    if account is not None:  # first, so that no connection is without it
        await runtime.store.routing.add_account(key, row=row, account=account)
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
    account = upstream_account(runtime, connector, key, accepted.unwrap())
    if account is not None:
        await runtime.store.routing.add_account(key, row=found.id, account=account)
    now = runtime.clock.now()
    if _leads_elsewhere(runtime, connector, found, accepted.unwrap()):
        written = await runtime.store.replace_config_ending_grant(
            key,
            row=found.id,
            version=found.version,
            public_config=public_config,
            sealed_config=sealed_config,
            now=now,
            grant_id=runtime.new_id(),
            handover=handover(runtime, connector),
        )
        runtime.handed_over.ring()
    else:
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
    if account is not None:
        await runtime.store.routing.keep_account(key, row=found.id, account=account)
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


async def disconnect(
    runtime: Runtime, connector: Definition[Any, Any, Any] | None, key: ConnectionKey
) -> Result[None, NotConnected]:
    """Takes the connection away: config, tokens, webhook endpoints.

    The tokens are handed over to be revoked. `connector` is None where it is not registered
    any more, so that nobody knows how its tokens are revoked.
    """
    now = runtime.clock.now()
    over = handover(runtime, connector) if connector is not None else None
    if await runtime.store.disconnect(key, handover=over, now=now) is None:
        return Failure(NotConnected(key.connector, key.account))
    runtime.handed_over.ring()
    runtime.announcer.tell(Disconnected(at=now, **address(key)))
    return Success(None)


def handover(runtime: Runtime, connector: Definition[Any, Any, Any]) -> Handover | None:
    """How tokens of this connector are handed over; None where its provider cannot revoke."""
    if not isinstance(connector, OAuthConnector) or connector.provider.revocation_url is None:
        return None
    # A revoked token harms nobody else; a revoked grant may be one that was just made anew.
    ends_grant = connector.provider.revocation_ends == "grant"
    return Handover(runtime.new_id(), HELD_BACK if ends_grant else timedelta())


def _leads_elsewhere(
    runtime: Runtime,
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
        before = open_config(runtime, connector, found)
    except NotOpened:
        # Nobody can tell any more where the grant was made.
        return True
    return any(getattr(before, name) != getattr(config, name) for name in fields)


def address(key: ConnectionKey) -> dict[str, str]:
    """The four fields by which an event names a connection."""
    return msgspec.structs.asdict(key)
