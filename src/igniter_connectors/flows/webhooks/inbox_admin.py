"""Reading a connection's inbox: listing events, finding one, and its body."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Never

from returns.result import Failure, Result, Success

from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.pagination import Page, make_cursor, page_size, read_cursor
from igniter_connectors.core.problem import (
    DecryptFailed,
    WebhookEventNotFound,
    WebhookEventNotReplayable,
)
from igniter_connectors.core.storable_text import is_storable
from igniter_connectors.core.webhook.inbox import (
    EventState,
    InboxEvent,
    WebhookEvent,
    webhook_event,
)
from igniter_connectors.core.webhook.kept_headers import StoredEvent
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.store_errors import returns_database_failed
from igniter_connectors.flows.webhooks.stored_payload import open_event


@returns_database_failed
async def list_events(
    engine: Engine,
    key: ConnectionKey,
    *,
    state: EventState | None,
    limit: int,
    after: str | None,
) -> Result[Page[WebhookEvent], Never]:
    """A page of a connection's events, latest first. An invalid cursor starts at the first page."""
    size = page_size(limit)
    before: tuple[datetime, str] | None = None
    with suppress(ValueError):
        cursor = read_cursor(after) if after else None
        before = cursor and (_aware(cursor[0]), cursor[1])
    rows = await engine.store.inbox.list(key, state=state, before=before, limit=size + 1)
    last = rows[size - 1] if len(rows) > size else None
    following = None if last is None else make_cursor(last.received_at.isoformat(), last.id)
    return Success(Page(tuple(webhook_event(row) for row in rows[:size]), following))


@returns_database_failed
async def last_event(engine: Engine, key: ConnectionKey) -> Result[WebhookEvent | None, Never]:
    """The latest event of a connection; None if there is none, or all were purged."""
    rows = await engine.store.inbox.list(key, state=None, before=None, limit=1)
    return Success(webhook_event(rows[0]) if rows else None)


@returns_database_failed
async def find_event(
    engine: Engine, key: ConnectionKey, id: str
) -> Result[WebhookEvent, WebhookEventNotFound]:
    """One event of a connection."""
    event = await find_stored(engine, key, id)
    if event is None:
        return Failure(WebhookEventNotFound(key.connector))
    return Success(webhook_event(event))


@returns_database_failed
async def read_body(
    engine: Engine, key: ConnectionKey, id: str
) -> Result[bytes, WebhookEventNotFound | WebhookEventNotReplayable | DecryptFailed]:
    """An event's body, as it was received."""
    event = await find_stored(engine, key, id)
    if event is None:
        return Failure(WebhookEventNotFound(key.connector))
    stored = open_event(engine, event)
    return Success(stored.body) if isinstance(stored, StoredEvent) else Failure(stored)


async def find_stored(engine: Engine, key: ConnectionKey, id: str) -> InboxEvent | None:
    """The stored event with this id, which comes from outside; None if there is none."""
    # No database takes such an id, so it names nothing.
    return await engine.store.inbox.find(key, id) if is_storable(id) else None


def _aware(text: str) -> datetime:
    """An instant with its offset. Raises ValueError for any other text."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError
    return instant
