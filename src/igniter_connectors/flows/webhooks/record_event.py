"""Recording a verified event in the inbox, and starting its handler if a slot is free."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.connector.definition import Definition
from igniter_connectors.core.event import WebhookReceived, WebhookUnknownType
from igniter_connectors.core.problem import WebhookPayloadInvalid
from igniter_connectors.core.sealing.associated_data import Binding
from igniter_connectors.core.sealing.envelope import NONCE_LENGTH
from igniter_connectors.core.webhook.event_type import UnknownType, payload_fault
from igniter_connectors.core.webhook.inbox import NewEvent, inbox_id
from igniter_connectors.core.webhook.kept_headers import to_stored
from igniter_connectors.core.webhook.order_key import stored_order_key
from igniter_connectors.core.webhook.retry_policy import Delivery
from igniter_connectors.core.webhook.webhook import Webhook
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.event_bus import event_fields
from igniter_connectors.flows.report_error import report
from igniter_connectors.flows.webhooks.attempt import Attempt, handle
from igniter_connectors.flows.webhooks.dead_letter import Failed, dead_letter
from igniter_connectors.flows.webhooks.stored_payload import Payload
from igniter_connectors.flows.webhooks.verify_request import OpenedEvent
from igniter_connectors.ports import StoreUnavailable


async def record_event(
    engine: Engine,
    connector: Definition[Any, Any, Any],
    webhook: Webhook[Any, Any, Any],
    record: ConnectionRecord,
    opened: OpenedEvent,
) -> None:
    """Records the event for one connection. Does nothing if it is a duplicate.

    An event without a payload becomes a dead letter.
    """
    deliveries = engine.deliveries
    fault = payload_fault(opened.payload)
    order_key = ""
    if webhook.order_key is not None and fault is None:
        order_key = _order_key(engine, webhook, record, opened.payload)
    event = _inbox_row(engine, webhook, record, opened, order_key=order_key)
    key, id = event.key, event.id
    if fault is not None:
        problem = WebhookPayloadInvalid(key.connector, fault.path, fault.reason)
        await _record_dead(engine, webhook, event, problem)
        return
    owner = "" if event.order_key or event.is_held else deliveries.reserve(key)
    try:
        recorded = await engine.store.inbox.record(
            event, owner=owner, lease=deliveries.limits.lease
        )
    except BaseException:
        deliveries.free(owner, key)
        raise
    if recorded is None:
        deliveries.free(owner, key)
        return
    if not engine.event_bus.is_silent:
        engine.event_bus.publish(
            WebhookReceived(at=engine.clock.now(), event_id=event.event_id, **event_fields(key))
        )
    if owner:
        attempt = Attempt(
            key,
            id,
            owner,
            1,
            webhook.keep_body_for,
            event.event_id,
            recorded.received_at,
            recorded.possible_replay,
        )
        payload = Payload(opened.payload, opened.stored.event_type, opened.stored.headers)
        deliveries.start(handle(engine, connector, webhook, record, payload, attempt), attempt)
    elif not event.is_held:
        deliveries.wake()


def is_recorded(webhook: Webhook[Any, Any, Any], opened: OpenedEvent) -> bool:
    """Whether an event is stored: all but those of an unknown type that the webhook drops."""
    return webhook.unknown_types == "keep" or not isinstance(opened.payload, UnknownType)


def report_unknown_type(
    engine: Engine, webhook: Webhook[Any, Any, Any], key: ConnectionKey, opened: OpenedEvent
) -> None:
    """Publishes, and logs, that an event of an unknown type arrived."""
    name = opened.payload.name
    engine.logger.info("%s: a webhook has the unknown type %r", key.connector, name)
    engine.event_bus.publish(
        WebhookUnknownType(
            at=engine.clock.now(),
            event_id=opened.received.event_id or "",
            webhook_type=name,
            is_kept=webhook.unknown_types == "keep" and key.scope != "",
            **event_fields(key),
        )
    )


async def _record_dead(
    engine: Engine, webhook: Webhook[Any, Any, Any], event: NewEvent, problem: WebhookPayloadInvalid
) -> None:
    """Records an event that no handler can get, and makes it a dead letter.

    If the second step fails, a worker takes it. An event of a disabled connection is held first.
    """
    inbox, lease = engine.store.inbox, engine.deliveries.limits.lease
    owner = "" if event.is_held else engine.new_id()
    recorded = await inbox.record(event, owner=owner, lease=lease)
    if recorded is None or not owner:
        return
    attempt = Delivery(event.key, event.id, owner, 1, webhook.keep_body_for)
    with suppress(StoreUnavailable):
        _ = await dead_letter(engine, attempt, Failed.of(event.event_id, problem))


def _inbox_row(
    engine: Engine,
    webhook: Webhook[Any, Any, Any],
    record: ConnectionRecord,
    opened: OpenedEvent,
    *,
    order_key: str,
) -> NewEvent:
    received = opened.received
    key, dedupe = record.key, received.dedupe
    id = engine.new_id() if dedupe.key is None else inbox_id(dedupe.key, connection_id=record.id)
    return NewEvent(
        key=key,
        connection_id=record.id,
        id=id,
        event_id=received.event_id or "",
        sealed_body=engine.ciphers.seal_named(
            to_stored(opened.stored),
            Binding("event", key.scope, key.identity, key.connector, key.account, record.id),
            id,
            nonce=engine.entropy.octets(NONCE_LENGTH),
            now=engine.clock.monotonic(),
        ),
        order_key=order_key,
        body_hash=dedupe.fingerprint,
        is_held=not record.enabled,
        remember_for=webhook.remember_for if dedupe.within is None else dedupe.within,
    )


def _order_key(
    engine: Engine,
    webhook: Webhook[Any, Any, Any],
    record: ConnectionRecord,
    payload: Any,  # the webhook's own type
) -> str:
    assert webhook.order_key is not None
    try:
        return stored_order_key(webhook.order_key(payload))
    except Exception as error:
        # The event is still accepted: it is genuine, and its handler may work without order.
        key = record.key
        where = f"{key.connector}: order_key"
        report(engine, error, where=where, connector=key.connector, key=key, secrets=())
        return ""
