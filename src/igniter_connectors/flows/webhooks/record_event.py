"""Recording a verified event in the inbox, and starting its handler if a slot is free."""

from __future__ import annotations

from typing import Any

from igniter_connectors.core.connection.record import ConnectionRecord
from igniter_connectors.core.connector.definition import Definition
from igniter_connectors.core.event import WebhookReceived
from igniter_connectors.core.sealing.associated_data import Binding
from igniter_connectors.core.sealing.envelope import NONCE_LENGTH
from igniter_connectors.core.webhook.deduplication import ReceivedEvent
from igniter_connectors.core.webhook.inbox import NewEvent, inbox_id
from igniter_connectors.core.webhook.order_key import stored_order_key
from igniter_connectors.core.webhook.webhook import Webhook
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.event_bus import event_fields
from igniter_connectors.flows.report_error import report
from igniter_connectors.flows.webhooks.attempt import Attempt, handle


async def record_event(
    engine: Engine,
    connector: Definition[Any, Any, Any],
    webhook: Webhook[Any, Any, Any],
    record: ConnectionRecord,
    received: ReceivedEvent,
    payload: Any,  # the webhook's own type
) -> None:
    """Records the event for one connection. Does nothing if it is a duplicate."""
    deliveries = engine.deliveries
    event = _inbox_row(engine, webhook, record, received, payload)
    key, id = event.key, event.id
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
        deliveries.start(handle(engine, connector, webhook, record, payload, attempt), attempt)
    elif not event.is_held:
        deliveries.wake()


def _inbox_row(
    engine: Engine,
    webhook: Webhook[Any, Any, Any],
    record: ConnectionRecord,
    received: ReceivedEvent,
    payload: Any,  # the webhook's own type
) -> NewEvent:
    key, dedupe = record.key, received.dedupe
    id = engine.new_id() if dedupe.key is None else inbox_id(dedupe.key, connection_id=record.id)
    return NewEvent(
        key=key,
        connection_id=record.id,
        id=id,
        event_id=received.event_id or "",
        sealed_body=engine.ciphers.seal_named(
            received.body,
            Binding("event", key.scope, key.identity, key.connector, key.account, record.id),
            id,
            nonce=engine.entropy.octets(NONCE_LENGTH),
            now=engine.clock.monotonic(),
        ),
        order_key=_order_key(engine, webhook, record, payload) if webhook.order_key else "",
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
