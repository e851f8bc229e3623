"""Replaying an event: its handler runs again, also for an event that is done or dead."""

from __future__ import annotations

from typing import Any, TypeAlias

from returns.result import Failure, Result, Success

from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.connector.definition import Definition
from igniter_connectors.core.problem import (
    ConfigInvalid,
    DecryptFailed,
    Disabled,
    NotConnected,
    WebhookEventNotFound,
    WebhookEventNotReplayable,
    WebhookNotConfigured,
    WebhookPayloadInvalid,
)
from igniter_connectors.core.webhook.inbox import WebhookEvent, webhook_event
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.sealing import NotOpened, open_config
from igniter_connectors.flows.store_errors import returns_database_failed
from igniter_connectors.flows.webhooks.inbox_admin import find_stored
from igniter_connectors.flows.webhooks.stored_payload import PayloadUnreadable, open_payload

_NotReplayed: TypeAlias = (
    NotConnected
    | Disabled
    | ConfigInvalid
    | DecryptFailed
    | WebhookNotConfigured
    | WebhookEventNotFound
    | WebhookEventNotReplayable
    | WebhookPayloadInvalid
)


@returns_database_failed
async def check_replay(
    engine: Engine, connector: Definition[Any, Any, Any], key: ConnectionKey, id: str
) -> Result[WebhookEvent, _NotReplayed]:
    """Whether a replay would reach the handler: every step before it, and no change."""
    return await _check(engine, connector, key, id)


@returns_database_failed
async def replay(
    engine: Engine, connector: Definition[Any, Any, Any], key: ConnectionKey, id: str
) -> Result[None, _NotReplayed]:
    """Makes an event due again, if `check_replay` finds no problem. Attempts count from 1.

    The handler runs soon, in this process or another.
    """
    checked = await _check(engine, connector, key, id)
    if isinstance(checked, Failure):
        return checked
    if not await engine.store.inbox.replay(key, id):
        return Failure(WebhookEventNotReplayable(key.connector, "it is being handled"))
    engine.deliveries.wake()
    return Success(None)


async def _check(
    engine: Engine, connector: Definition[Any, Any, Any], key: ConnectionKey, id: str
) -> Result[WebhookEvent, _NotReplayed]:
    if connector.webhook is None:
        return Failure(WebhookNotConfigured(connector.key))
    event = await find_stored(engine, key, id)
    if event is None:
        return Failure(WebhookEventNotFound(key.connector))
    if event.state == "pending" and event.attempts:
        return Failure(WebhookEventNotReplayable(key.connector, "it is already being retried"))
    record = await engine.store.find(key)
    if record is None or record.id != event.connection_id:
        return Failure(NotConnected(key.connector, key.account))
    if not record.enabled:
        return Failure(Disabled(key.connector))
    try:
        _ = open_config(engine, connector, record)
        _ = open_payload(engine, connector.webhook, event)
    except (NotOpened, PayloadUnreadable) as error:
        return Failure(error.problem)
    return Success(webhook_event(event))
