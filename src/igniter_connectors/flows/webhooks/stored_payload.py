"""Decrypting and decoding the body of a stored event."""

from __future__ import annotations

from typing import Any

import msgspec

from igniter_connectors.core.http.messages import Headers
from igniter_connectors.core.problem import (
    DecryptFailed,
    WebhookEventNotReplayable,
    WebhookPayloadInvalid,
)
from igniter_connectors.core.webhook.event_type import payload_fault
from igniter_connectors.core.webhook.inbox import InboxEvent
from igniter_connectors.core.webhook.kept_headers import StoredEvent, from_stored
from igniter_connectors.core.webhook.webhook import Webhook
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.sealing import place_of


class PayloadUnreadable(Exception):
    """A stored event cannot be read. The problem says why."""

    def __init__(
        self, problem: WebhookEventNotReplayable | DecryptFailed | WebhookPayloadInvalid
    ) -> None:
        super().__init__(problem.code)
        self.problem = problem


class Payload(msgspec.Struct, frozen=True, gc=False):
    """What a handler gets of an event: its payload, and what was in its headers."""

    value: Any  # the webhook's own type
    event_type: str
    headers: Headers


def open_payload(engine: Engine, webhook: Webhook[Any, Any, Any], event: InboxEvent) -> Payload:
    """The payload of a stored event.

    Raises:
        PayloadUnreadable: with `WebhookEventNotReplayable` (the body was purged),
            `DecryptFailed`, or `WebhookPayloadInvalid` (it does not fit the payload type).
    """
    stored = open_event(engine, event)
    if not isinstance(stored, StoredEvent):
        raise PayloadUnreadable(stored)
    value = webhook.reader.read(stored.body, stored.event_type)
    fault = payload_fault(value)
    if fault is not None:
        problem = WebhookPayloadInvalid(event.key.connector, fault.path, fault.reason)
        raise PayloadUnreadable(problem)
    return Payload(value, stored.event_type, stored.headers)


def open_event(
    engine: Engine, event: InboxEvent
) -> StoredEvent | WebhookEventNotReplayable | DecryptFailed:
    """The body of a stored event, as it was received, and the headers that were kept."""
    connector = event.key.connector
    if event.sealed_body is None:
        return WebhookEventNotReplayable(connector, "its body was purged")
    binding = place_of("event", event.key, event.connection_id)
    now = engine.clock.monotonic()
    body = engine.ciphers.open_named(event.sealed_body, binding, event.id, now=now)
    return DecryptFailed(connector) if body is None else from_stored(body)
