"""Looking into a connection's inbox, and having an event handled once more."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any

import msgspec
from returns.result import Failure, Result, Success
from typing_extensions import TypeVar

from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.connector.definition import Definition
from igniter_connectors.core.pagination import Page, make_cursor, page_size, read_cursor
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
from igniter_connectors.core.webhook.inbox import EventState, WebhookEvent, shown
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.sealing import NotOpened, open_config
from igniter_connectors.flows.webhooks.attempt import Unreadable, read_body, read_payload

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")


async def list_events(
    engine: Engine,
    key: ConnectionKey,
    *,
    state: EventState | None,
    limit: int,
    after: str | None,
) -> Page[WebhookEvent]:
    """A page of a connection's events, the latest first. A cursor that is none begins anew."""
    size = page_size(limit)
    before: tuple[datetime, str] | None = None
    with suppress(ValueError):
        place = read_cursor(after) if after else None
        before = place and (datetime.fromisoformat(place[0]), place[1])
    rows = await engine.store.inbox.list(key, state=state, before=before, limit=size + 1)
    last = rows[size - 1] if len(rows) > size else None
    cursor = None if last is None else make_cursor(last.received_at.isoformat(), last.id)
    return Page(tuple(shown(row) for row in rows[:size]), cursor)


async def last_event(engine: Engine, key: ConnectionKey) -> WebhookEvent | None:
    """The latest event of a connection; None where none came, or all are forgotten."""
    rows = await engine.store.inbox.list(key, state=None, before=None, limit=1)
    return shown(rows[0]) if rows else None


async def find_event(
    engine: Engine, key: ConnectionKey, id: str
) -> Result[WebhookEvent, WebhookEventNotFound]:
    """One event."""
    event = await engine.store.inbox.find(key, id)
    return Failure(WebhookEventNotFound(key.connector)) if event is None else Success(shown(event))


async def open_body(
    engine: Engine, key: ConnectionKey, id: str
) -> Result[bytes, WebhookEventNotFound | WebhookEventNotReplayable | DecryptFailed]:
    """An event's body as it was received."""
    event = await engine.store.inbox.find(key, id)
    if event is None:
        return Failure(WebhookEventNotFound(key.connector))
    body = read_body(engine, event)
    return Success(body) if isinstance(body, bytes) else Failure(body)


async def check_replay(
    engine: Engine, connector: Definition[Conf, Ctx, Any], key: ConnectionKey, id: str
) -> Result[
    WebhookEvent,
    NotConnected
    | Disabled
    | ConfigInvalid
    | DecryptFailed
    | WebhookNotConfigured
    | WebhookEventNotFound
    | WebhookEventNotReplayable
    | WebhookPayloadInvalid,
]:
    """Whether a replay would reach the handler: all that is done before it, and nothing else."""
    if connector.webhook is None:
        return Failure(WebhookNotConfigured(connector.key))
    event = await engine.store.inbox.find(key, id)
    if event is None:
        return Failure(WebhookEventNotFound(key.connector))
    if event.state == "pending" and event.attempts:
        return Failure(WebhookEventNotReplayable(key.connector, "it is being tried already"))
    record = await engine.store.find(key)
    if record is None or record.id != event.connection_id:
        return Failure(NotConnected(key.connector, key.account))
    if not record.enabled:
        return Failure(Disabled(key.connector))
    try:
        _ = open_config(engine, connector, record)
        _ = read_payload(engine, connector.webhook, event)
    except (NotOpened, Unreadable) as error:
        return Failure(error.problem)
    return Success(shown(event))


async def replay(
    engine: Engine,
    connector: Definition[Conf, Ctx, Any],
    key: ConnectionKey,
    id: str,
) -> Result[
    None,
    NotConnected
    | Disabled
    | ConfigInvalid
    | DecryptFailed
    | WebhookNotConfigured
    | WebhookEventNotFound
    | WebhookEventNotReplayable
    | WebhookPayloadInvalid,
]:
    """Has an event handled once more, its attempts counted anew, where nothing stands against it.

    The handler runs in this process or another, soon.
    """
    checked = await check_replay(engine, connector, key, id)
    if isinstance(checked, Failure):
        return checked
    if not await engine.store.inbox.replay(key, id):
        return Failure(WebhookEventNotReplayable(key.connector, "it is being handled"))
    engine.deliveries.wake()
    return Success(None)
