"""Events and attempts for the contract of inboxes."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.webhook.inbox import InboxEvent, NewEvent, Recorded
from igniter_connectors.core.webhook.retry_policy import Delivery
from igniter_connectors.ports import Store

KEY = ConnectionKey("organization", "acme", "mail")
ROW = "c" * 32
BODY = bytes(range(256))
LONG = timedelta(minutes=1)
SHORT = timedelta(milliseconds=50)
PAST_SHORT_SECONDS = 0.12
KEEP = timedelta(days=7)
NOW = datetime(2026, 3, 1, tzinfo=UTC)
CONNECTORS = ("mail",)
REASON = "$.a: it's ☃ \\x00 % _ --"


def new_event(
    id: str | None = None,
    *,
    key: ConnectionKey = KEY,
    order_key: str = "",
    is_held: bool = False,
    body_hash: bytes | None = None,
    remember_for: timedelta = timedelta(days=30),
) -> NewEvent:
    return NewEvent(
        key=key,
        connection_id=ROW,
        id=id or secrets.token_hex(16),
        event_id="evt ☃ 'x' -- %_",
        sealed_body=BODY,
        order_key=order_key,
        body_hash=body_hash,
        is_held=is_held,
        remember_for=remember_for,
    )


async def record_event(store: Store, event: NewEvent, owner: str = "") -> Recorded:
    recorded = await store.inbox.record(event, owner=owner, lease=LONG)
    assert recorded is not None
    return recorded


async def claim_events(
    store: Store, owner: str = "me", *, limit: int = 100, lease: timedelta = LONG
) -> Sequence[InboxEvent]:
    return await store.inbox.claim(CONNECTORS, owner=owner, lease=lease, limit=limit)


def delivery(
    id: str, owner: str = "me", attempt: int = 1, keep_body_for: timedelta = KEEP
) -> Delivery:
    return Delivery(KEY, id, owner, attempt, keep_body_for)


async def add_connection(store: Store, *, enabled: bool) -> ConnectionRecord:
    record = ConnectionRecord(KEY, ROW, b"{}", b"sealed", enabled, 1, NOW, NOW)
    assert await store.insert(record)
    return record
