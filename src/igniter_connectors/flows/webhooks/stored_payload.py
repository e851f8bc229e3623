"""Decrypting and decoding the body of a stored event."""

from __future__ import annotations

from typing import Any

from igniter_connectors.core.connector.validation import JSON_ERRORS, json_fault
from igniter_connectors.core.problem import (
    DecryptFailed,
    WebhookEventNotReplayable,
    WebhookPayloadInvalid,
)
from igniter_connectors.core.webhook.inbox import InboxEvent
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


def open_payload(
    engine: Engine, webhook: Webhook[Any, Any, Any], event: InboxEvent
) -> Any:  # the payload's type is the webhook's
    """The payload of a stored event.

    Raises:
        PayloadUnreadable: with `WebhookEventNotReplayable` (the body was purged),
            `DecryptFailed`, or `WebhookPayloadInvalid` (the payload type has changed since).
    """
    body = open_body(engine, event)
    if not isinstance(body, bytes):
        raise PayloadUnreadable(body)
    try:
        return webhook.read(body)
    except JSON_ERRORS as error:
        fault = json_fault(error, webhook.payload)
        problem = WebhookPayloadInvalid(event.key.connector, fault.path, fault.reason)
        raise PayloadUnreadable(problem) from None


def open_body(
    engine: Engine, event: InboxEvent
) -> bytes | WebhookEventNotReplayable | DecryptFailed:
    """The body of a stored event, as it was received."""
    connector = event.key.connector
    if event.sealed_body is None:
        return WebhookEventNotReplayable(connector, "its body was purged")
    binding = place_of("event", event.key, event.connection_id)
    now = engine.clock.monotonic()
    body = engine.ciphers.open_named(event.sealed_body, binding, event.id, now=now)
    return DecryptFailed(connector) if body is None else body
