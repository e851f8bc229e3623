"""One attempt at one event: open what is needed, run the handler, write down the outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from msgspec.structs import replace
from returns.result import Failure, Result

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.connector.definition import Definition
from igniter_connectors.core.connector.validation import JSON_ERRORS, json_fault
from igniter_connectors.core.event import WebhookDeadLettered, WebhookFailedEvent, WebhookProcessed
from igniter_connectors.core.problem import (
    DecryptFailed,
    NotConnected,
    Problem,
    WebhookEventNotReplayable,
    WebhookFailed,
    WebhookPayloadInvalid,
)
from igniter_connectors.core.redaction import secrets_in
from igniter_connectors.core.scope import known_tenant
from igniter_connectors.core.webhook.inbox import InboxEvent
from igniter_connectors.core.webhook.retry_policy import Delivery, retry_pause
from igniter_connectors.core.webhook.webhook import Webhook, WebhookCall
from igniter_connectors.flows.actions.api_calls import HandlerHttp
from igniter_connectors.flows.connections.connect import address
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.report_error import report
from igniter_connectors.flows.sealing import NotOpened, open_config, place_of
from igniter_connectors.ports import DeliveryLost, StoreUnavailable

_WRITE_PAUSES: Final = (0.2, 1.0, 3.0)


class Attempt(msgspec.Struct, frozen=True, gc=False):
    """What is known of the event that is handled."""

    delivery: Delivery
    event_id: str
    received_at: datetime
    possible_replay: bool


class Unreadable(Exception):
    """A stored event that no attempt can handle; the problem says why."""

    def __init__(
        self, problem: WebhookEventNotReplayable | DecryptFailed | WebhookPayloadInvalid
    ) -> None:
        super().__init__(problem.code)
        self.problem = problem


async def handle_claimed(engine: Engine, event: InboxEvent, delivery: Delivery) -> bool:
    """Handles an event that was taken from the inbox, of which nothing is at hand yet.

    Returns, as `handle` does, whether it is to be handled again.
    """
    connector = engine.connectors[event.key.connector]
    webhook, is_known_scope = connector.webhook, event.key.scope in engine.scopes
    record = await engine.store.find(event.key)
    if webhook is None or not is_known_scope or record is None or record.id != event.connection_id:
        problem = NotConnected(connector.key, event.key.account)
        return await _dead_letter(engine, delivery, event.event_id, problem)
    if not record.enabled:
        _ = await written(engine, engine.store.inbox.hold, delivery)
        return False
    attempt = Attempt(delivery, event.event_id, event.received_at, event.possible_replay)
    try:
        payload = read_payload(engine, webhook, event)
    except Unreadable as error:
        if isinstance(error.problem, DecryptFailed):  # a key may be added yet
            return await _failed(engine, webhook, attempt, error.problem)
        return await _dead_letter(engine, delivery, event.event_id, error.problem)
    return await handle(engine, connector, webhook, record, payload, attempt)


def read_payload(
    engine: Engine, webhook: Webhook[Any, Any, Any], event: InboxEvent
) -> Any:  # the payload's type is the webhook's
    """A stored body, opened and decoded.

    Raises:
        Unreadable: `WebhookEventNotReplayable` (no body), `DecryptFailed`,
            `WebhookPayloadInvalid` (the payload's type has changed since).
    """
    body = read_body(engine, event)
    if not isinstance(body, bytes):
        raise Unreadable(body)
    try:
        return webhook.read(body)
    except JSON_ERRORS as error:
        fault = json_fault(error, webhook.payload)
        problem = WebhookPayloadInvalid(event.key.connector, fault.path, fault.reason)
        raise Unreadable(problem) from None


def read_body(
    engine: Engine, event: InboxEvent
) -> bytes | WebhookEventNotReplayable | DecryptFailed:
    """A stored body as it was received."""
    connector = event.key.connector
    if event.sealed_body is None:
        return WebhookEventNotReplayable(connector, "its body was cleared away")
    place = place_of("event", event.key, event.connection_id)
    now = engine.clock.monotonic()
    body = engine.ciphers.open_named(event.sealed_body, place, event.id, now=now)
    return DecryptFailed(connector) if body is None else body


async def handle(
    engine: Engine,
    connector: Definition[Any, Any, Any],
    webhook: Webhook[Any, Any, Any],
    record: ConnectionRecord,
    payload: Any,  # the webhook's own type
    attempt: Attempt,
) -> bool:
    """Runs the handler, and writes the outcome where the attempt is still the latest.

    Returns whether the event is to be handled again.
    """
    try:
        config = open_config(engine, connector, record)
    except NotOpened as error:
        return await _failed(engine, webhook, attempt, error.problem)
    key, event_bus = record.key, engine.event_bus
    began = None if event_bus.is_silent else engine.clock.monotonic()
    call: WebhookCall[Any, Any, Any] = WebhookCall(
        payload,
        config,
        None,
        HandlerHttp(engine),
        connector,
        key.account,
        known_tenant(engine.scopes[key.scope], key.identity),
        attempt.event_id,
        attempt.received_at,
        attempt.delivery,
        attempt.possible_replay,
        record,
    )
    limit = asyncio.timeout(webhook.time_limit.total_seconds())
    try:
        async with limit:
            if connector.context_hook is None:
                answer = await webhook.handler(call)
            else:
                answer = await _in_context(connector.context_hook, webhook, call)
    except DeliveryLost:
        return False
    except Exception as error:
        if limit.expired():
            problem = WebhookFailed(connector.key, "the handler took too long")
        else:
            problem = _raised(engine, record, config, error)
        return await _failed(engine, webhook, attempt, problem)
    if type(answer) is Failure:  # as in invoke
        return await _failed(engine, webhook, attempt, answer.failure())
    _ = await written(engine, engine.store.inbox.complete, attempt.delivery)
    if began is not None:
        event_bus.publish(
            WebhookProcessed(
                at=engine.clock.now(),
                event_id=attempt.event_id,
                duration=timedelta(seconds=engine.clock.monotonic() - began),
                **address(key),
            )
        )
    return False


async def _failed(
    engine: Engine, webhook: Webhook[Any, Any, Any], attempt: Attempt, problem: Problem
) -> bool:
    """Puts the event back for another attempt, or gives it up after the last."""
    delivery = attempt.delivery
    fraction = engine.entropy.fraction()
    pause = retry_pause(webhook.retries, delivery.attempt, fraction=fraction)
    inbox = engine.store.inbox
    if pause is None:
        return await _dead_letter(engine, delivery, attempt.event_id, problem)
    tell_failed(engine, delivery.key, attempt.event_id, problem)
    return await written(
        engine, lambda one: inbox.retry(one, code=problem.code, pause=pause), delivery
    )


async def _dead_letter(engine: Engine, delivery: Delivery, event_id: str, problem: Problem) -> bool:
    """Gives the event up. What waits for it in the order of its key may be due now."""
    key, inbox = delivery.key, engine.store.inbox
    tell_failed(engine, key, event_id, problem)
    if not await written(engine, lambda one: inbox.dead_letter(one, code=problem.code), delivery):
        return False
    engine.logger.error(
        "%s: webhook event %s is dead after %d attempts: %s",
        key.connector,
        delivery.id,
        delivery.attempt,
        problem.code,
    )
    engine.event_bus.publish(
        WebhookDeadLettered(
            at=engine.clock.now(),
            event_id=event_id,
            code=problem.code,
            attempts=delivery.attempt,
            **address(key),
        )
    )
    return False


async def written(
    engine: Engine, write: Callable[[Delivery], Awaitable[bool]], delivery: Delivery
) -> bool:
    """Writes an outcome, and tries again while the database is away: without it the handler
    would run once more. False where the attempt had ended already."""
    for pause in _WRITE_PAUSES:
        try:
            return await write(delivery)
        except StoreUnavailable as error:
            engine.logger.error("the database failed: %s", error.reason)
            await engine.clock.sleep(pause)
    return await write(delivery)


def tell_failed(engine: Engine, key: ConnectionKey, event_id: str, problem: Problem) -> None:
    """Tells subscribers of a webhook that was refused, or of an attempt that failed."""
    engine.event_bus.publish(
        WebhookFailedEvent(
            at=engine.clock.now(),
            event_id=event_id,
            code=problem.code,
            **address(key),
        )
    )


async def _in_context(
    hook: Callable[[Any], Awaitable[Any]],
    webhook: Webhook[Any, Any, Any],
    call: WebhookCall[Any, Any, Any],
) -> Result[None, WebhookFailed]:
    context = await hook(call.config)
    call = replace(call, context=context)
    if isinstance(context, AbstractAsyncContextManager):
        async with context:
            return await webhook.handler(call)
    return await webhook.handler(call)


def _raised(
    engine: Engine, record: ConnectionRecord, config: msgspec.Struct, error: Exception
) -> WebhookFailed:
    key, secrets = record.key, secrets_in(config)
    where = f"{key.connector}: webhook"
    report(engine, error, where=where, connector=key.connector, key=key, secrets=secrets)
    return WebhookFailed(key.connector, f"the handler raised {type(error).__name__}")
