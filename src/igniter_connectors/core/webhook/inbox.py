"""The inbox: the events that were acknowledged to a provider, and the state of each."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Final, Literal, LiteralString

import msgspec

from igniter_connectors.core.connection.record import ConnectionKey

EventState = Literal["pending", "held", "done", "dead"]
"""`pending`: waiting or being handled. `held`: its connection is disabled. `done`: handled.
`dead`: a dead letter; it failed too often, and is not tried again until it is replayed."""


PROCESS_ENDED: Final[LiteralString] = "PROCESS_ENDED"
"""The `last_code` of an event whose process ended during the attempt, or lost its lease. Others may
have run beside it, so this event, or one of them, may have ended the process."""

PROCESS_ENDED_ALONE: Final[LiteralString] = "PROCESS_ENDED_ALONE"
"""The same for an event after `PROCESS_ENDED`: it ran alone, so no other event has done it."""


class NewEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An event to be recorded in the inbox.

    Attributes:
        key, connection_id: The connection, and the id of its row.
        id: Identifies the event in this connection. An event with a stored id is a duplicate.
        event_id: The provider's id; "" if the scheme declares none.
        sealed_body: The body as received, in an envelope bound to connection, row and `id`.
        order_key: Events of one connection with the same key are handled in order of
            arrival, one at a time; "" for no order.
        body_hash: If it is already stored, the event is marked as a possible replay. None
            if the event's key is proof against replay.
        is_held: True if the connection is disabled.
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
    """The store's answer for a new event. `received_at` is by the store's own clock."""

    received_at: datetime
    possible_replay: bool


class InboxEvent(msgspec.Struct, frozen=True):
    """One stored event of the inbox.

    Attributes:
        attempts: How many attempts have started.
        due_at: When the next attempt may start, or when the lease of the running one ends;
            None if there will be none.
        last_code: The code of the last failed attempt's problem; "" if none has failed;
            `PROCESS_ENDED` or `PROCESS_ENDED_ALONE` if the last attempt never ended.
        possible_replay: The same body arrived before under another id, and nothing signed
            distinguishes the two.
        sealed_body: None after it was purged.
        last_reason: Why the last failed attempt failed, on one line, at most
            `failure_reason.MAX_REASON_CHARS` characters; "" if none has failed.
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
    last_reason: str = ""


def ended_code(last_code: str) -> str:
    """The `last_code` of an event that is claimed although its attempt, in another process, never
    ended."""
    return PROCESS_ENDED_ALONE if may_end_process(last_code) else PROCESS_ENDED


def may_end_process(last_code: str) -> bool:
    """Whether the event may have ended a process, so that it must run alone.

    Then the events that run in the same process do not end with it, and no event is taken for the
    one that did it.
    """
    return last_code in (PROCESS_ENDED, PROCESS_ENDED_ALONE)


class WebhookEvent(msgspec.Struct, frozen=True):
    """An inbox event without its body, for listings. The fields are as in `InboxEvent`."""

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
    last_reason: str = ""


def webhook_event(event: InboxEvent) -> WebhookEvent:
    """The public view of a stored event, without its body."""
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
        event.last_reason,
    )


def inbox_id(dedupe_key: bytes, *, connection_id: str) -> str:
    """An event's id in the inbox: 32 characters, from its `DedupeKeys.key`.

    Another connection, or the same one after a reconnect, gives another id.
    """
    return hashlib.sha256(connection_id.encode() + dedupe_key).hexdigest()[:32]
