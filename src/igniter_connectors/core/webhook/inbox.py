"""The inbox: what was acknowledged to a provider, and what has become of it since."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from igniter_connectors.core.connection.record import ConnectionKey

EventState = Literal["pending", "held", "done", "dead"]
"""`pending`: to be handled, now or after a pause, or being handled. `held`: its connection is
disabled. `done`: handled. `dead`: given up after the last attempt, until it is replayed."""


class NewEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An event as it is recorded.

    Attributes:
        key, connection_id: The connection, and its row.
        id: Names the event in this connection; the same again is a duplicate.
        event_id: What the provider calls it; "" where the scheme declares no id.
        sealed_body: The body as received, in an envelope bound to connection, row and `id`.
        order_key: Events of one connection with the same key are handled one after another,
            in the order of their arrival; "" where no order is asked for.
        body_hash: Where nothing signed tells a replay: the same again is marked.
        is_held: The connection is disabled.
        remember_for: How long `id` is remembered, from now.
    """

    key: ConnectionKey
    connection_id: str
    id: str
    event_id: str
    sealed_body: bytes
    order_key: str
    body_hash: bytes | None
    is_held: bool
    remember_for: timedelta


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """What the store says of an event that it did not have: by its own clock."""

    received_at: datetime
    possible_replay: bool


class InboxEvent(msgspec.Struct, frozen=True):
    """One row of the inbox.

    `attempts` counts those begun. `due_at` is when the next one begins, or when the one that
    runs is given up for lost; None where none will. `last_code` is the last failed attempt's
    problem, "" before any. `possible_replay`: its body came before under another id, and
    nothing that is signed tells the two apart. `sealed_body` is None once it was cleared away.
    """

    key: ConnectionKey
    connection_id: str
    id: str
    event_id: str
    state: EventState
    attempts: int
    received_at: datetime
    order_key: str
    due_at: datetime | None
    finished_at: datetime | None
    last_code: str
    possible_replay: bool
    sealed_body: bytes | None


class WebhookEvent(msgspec.Struct, frozen=True):
    """An event of the inbox as it is shown: all but its body. See `InboxEvent`."""

    connector: str
    account: str
    id: str
    event_id: str
    state: EventState
    attempts: int
    received_at: datetime
    due_at: datetime | None
    finished_at: datetime | None
    last_code: str
    possible_replay: bool
    has_body: bool


def shown(event: InboxEvent) -> WebhookEvent:
    """A row without what must not be shown."""
    return WebhookEvent(
        event.key.connector,
        event.key.account,
        event.id,
        event.event_id,
        event.state,
        event.attempts,
        event.received_at,
        event.due_at,
        event.finished_at,
        event.last_code,
        event.possible_replay,
        event.sealed_body is not None,
    )


def name_of(key: bytes, *, connection_id: str) -> str:
    """The id of an event in the inbox, from what its delivery is known by (`dedupe.Dedupe`).

    The same event of another connection, or of a row made later, is another.
    """
    return hashlib.sha256(connection_id.encode() + key).hexdigest()[:32]


def order_of(key: str) -> str:
    """An order key as it is stored: of one length, whatever the connector's is; "" for ""."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:32] if key else ""
