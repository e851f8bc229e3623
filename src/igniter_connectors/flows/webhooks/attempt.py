"""One attempt to handle an event: run the handler, and write the outcome to the inbox."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from msgspec.structs import replace
from returns.result import Failure, Result, Success

from igniter_connectors.core.connection.record import ConnectionRecord
from igniter_connectors.core.connector.definition import Definition
from igniter_connectors.core.connector.handler_check import is_not_async, returned_fault
from igniter_connectors.core.event import WebhookProcessed
from igniter_connectors.core.problem import (
    DecryptFailed,
    NotConnected,
    Problem,
    WebhookFailed,
    WebhookProcessEnded,
)
from igniter_connectors.core.redaction import secrets_in
from igniter_connectors.core.scope import known_tenant
from igniter_connectors.core.secret import Secret
from igniter_connectors.core.webhook.failure_reason import failure_reason
from igniter_connectors.core.webhook.inbox import PROCESS_ENDED_ALONE, InboxEvent
from igniter_connectors.core.webhook.retry_policy import Delivery
from igniter_connectors.core.webhook.webhook import Webhook, WebhookCall
from igniter_connectors.flows.actions.api_calls import HandlerHttp
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.event_bus import event_fields
from igniter_connectors.flows.report_error import is_cancellation, report
from igniter_connectors.flows.sealing import NotOpened, log_missing_key, open_config
from igniter_connectors.flows.webhooks.dead_letter import (
    Failed,
    dead_letter,
    retry_or_dead_letter,
    write_outcome,
)
from igniter_connectors.flows.webhooks.stored_payload import (
    Payload,
    PayloadUnreadable,
    open_payload,
)
from igniter_connectors.ports import DeliveryLost

# How long an event that this process cannot open is left to other processes.
_PAUSE_FOR_OTHERS: Final = timedelta(seconds=5)


class Attempt(Delivery, frozen=True, gc=False):
    """A delivery, and what the handler is told about its event."""

    event_id: str
    received_at: datetime
    possible_replay: bool


async def handle_claimed(engine: Engine, event: InboxEvent, attempt: Attempt) -> bool:
    """Handles an event that was claimed from the inbox: loads its connection and payload first.

    Returns:
        Whether another event may be due now: this one again, or the next one of its order key.
    """
    is_scheduled = await _handle_claimed(engine, event, attempt)
    return is_scheduled or event.order_key != ""


async def _handle_claimed(engine: Engine, event: InboxEvent, attempt: Attempt) -> bool:
    connector = engine.connectors[event.key.connector]
    webhook, is_known_scope = connector.webhook, event.key.scope in engine.scopes
    record = await engine.store.find(event.key)
    if webhook is None or not is_known_scope or record is None or record.id != event.connection_id:
        problem = NotConnected(connector.key, event.key.account)
        return await dead_letter(engine, attempt, Failed.of(event.event_id, problem))
    if event.attempts > webhook.retries.attempts and event.last_code == PROCESS_ENDED_ALONE:
        # A last attempt that failed would have made it a dead letter. It may end every process.
        ended = WebhookProcessEnded(connector.key)
        return await dead_letter(engine, attempt, Failed.of(event.event_id, ended))
    if not record.enabled:
        _ = await write_outcome(engine, engine.store.inbox.hold, attempt)
        return False
    try:
        payload = open_payload(engine, webhook, event)
    except PayloadUnreadable as error:
        if isinstance(error.problem, DecryptFailed):
            sealed = event.sealed_body or b""
            return await _not_opened(engine, webhook, attempt, error.problem, sealed)
        return await dead_letter(engine, attempt, Failed.of(event.event_id, error.problem))
    return await handle(engine, connector, webhook, record, payload, attempt)


async def handle(
    engine: Engine,
    connector: Definition[Any, Any, Any],
    webhook: Webhook[Any, Any, Any],
    record: ConnectionRecord,
    payload: Payload,
    attempt: Attempt,
) -> bool:
    """Runs the handler, and writes the outcome if the attempt is still the latest.

    Returns:
        Whether another attempt was scheduled.
    """
    try:
        config = open_config(engine, connector, record)
    except NotOpened as error:
        return await _not_opened(engine, webhook, attempt, error.problem, record.sealed_config)
    key, event_bus = record.key, engine.event_bus
    started = None if event_bus.is_silent else engine.clock.monotonic()
    call: WebhookCall[Any, Any, Any] = WebhookCall(
        payload.value,
        config,
        None,
        HandlerHttp(engine),
        connector,
        key.account,
        known_tenant(engine.scopes[key.scope], key.identity),
        attempt.event_id,
        attempt.received_at,
        attempt,
        attempt.possible_replay,
        record,
        _transactions=engine.store,
        event_type=payload.event_type,
        headers=payload.headers,
    )
    limit = asyncio.timeout(webhook.time_limit.total_seconds())
    try:
        async with limit:
            if connector.context_hook is None:
                answer = await webhook.handler(call)
            else:
                answer = await _handle_in_context(connector.context_hook, webhook, call)
    except DeliveryLost:
        return False
    except BaseException as error:
        if is_cancellation(error):
            raise
        if limit.expired():
            problem = WebhookFailed(connector.key, "the handler timed out")
        else:
            problem = _handler_raised(engine, record, config, error)
        return await _fail(engine, webhook, attempt, problem)
    if type(answer) is not Success:  # faster than is_successful, as in `call_action`
        returned = _returned_problem(engine, connector, answer)
        return await _fail(engine, webhook, attempt, returned, _secrets_seen(webhook, call))
    _ = await write_outcome(engine, engine.store.inbox.complete, attempt)
    if started is not None:
        event_bus.publish(
            WebhookProcessed(
                at=engine.clock.now(),
                event_id=attempt.event_id,
                duration=timedelta(seconds=engine.clock.monotonic() - started),
                **event_fields(key),
            )
        )
    return False


async def _fail(
    engine: Engine,
    webhook: Webhook[Any, Any, Any],
    attempt: Attempt,
    problem: Problem,
    secrets: tuple[Secret, ...] = (),
) -> bool:
    reason = failure_reason(problem, secrets=secrets)
    failed = Failed(attempt.event_id, problem, reason)
    return await retry_or_dead_letter(engine, webhook.retries, attempt, failed)


def _secrets_seen(
    webhook: Webhook[Any, Any, Any], call: WebhookCall[Any, Any, Any]
) -> tuple[Secret, ...]:
    """What a handler could repeat in its reason: secrets of the config and of the payload."""
    with suppress(TypeError, NotImplementedError, RecursionError, UnicodeError):
        return (*webhook.application_secrets, *secrets_in(call.config), *secrets_in(call.payload))
    return (*webhook.application_secrets, *secrets_in(call.config))


async def _not_opened(
    engine: Engine,
    webhook: Webhook[Any, Any, Any],
    attempt: Attempt,
    problem: Problem,
    sealed: bytes,
) -> bool:
    """Leaves the event to processes with the key that sealed this, if this process lacks it.

    So while a new secret is rolled out, a process without it uses up none of the attempts.
    """
    if engine.ciphers.missing_key(sealed) is None:
        return await _fail(engine, webhook, attempt, problem)
    log_missing_key(engine, attempt.key.connector, sealed)
    await engine.store.inbox.give_back([attempt], pause=_PAUSE_FOR_OTHERS)
    return True


async def _handle_in_context(
    hook: Callable[[Any], Awaitable[Any]],
    webhook: Webhook[Any, Any, Any],
    call: WebhookCall[Any, Any, Any],
) -> Result[None, Problem]:
    context = await hook(call.config)
    call = replace(call, context=context)
    if isinstance(context, AbstractAsyncContextManager):
        async with context:
            return await webhook.handler(call)
    return await webhook.handler(call)


def _returned_problem(
    engine: Engine, connector: Definition[Any, Any, Any], answer: object
) -> Problem:
    """The handler's problem, or one that says that it returned something else."""
    if type(answer) is Failure and isinstance(problem := answer.failure(), Problem):
        return problem
    reason = returned_fault(answer)
    engine.logger.error("%s: webhook: %s", connector.key, reason)
    return WebhookFailed(connector.key, reason)


def _handler_raised(
    engine: Engine, record: ConnectionRecord, config: msgspec.Struct, error: BaseException
) -> WebhookFailed:
    key, secrets = record.key, secrets_in(config)
    where = f"{key.connector}: webhook"
    report(engine, error, where=where, connector=key.connector, key=key, secrets=secrets)
    if is_not_async(error):
        reason = "the handler or on_context hook is not an async function of one argument"
        return WebhookFailed(key.connector, reason)
    return WebhookFailed(key.connector, f"the handler raised {type(error).__name__}")
