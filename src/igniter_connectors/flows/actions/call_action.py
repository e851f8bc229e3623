"""Calls a typed action. Every call takes this path, so it is one coroutine with plain ifs."""

from __future__ import annotations

from collections.abc import Awaitable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any, Never

import msgspec
from msgspec.structs import replace
from returns.result import Failure, Result, Success
from typing_extensions import TypeVar

from igniter_connectors.core.api.access_token import AccessToken
from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.connector.action import Action, ActionCall
from igniter_connectors.core.connector.definition import Definition, OAuthConnector
from igniter_connectors.core.connector.handler_check import (
    HANDLER_PROBLEMS,
    is_not_async,
    returned_fault,
)
from igniter_connectors.core.connector.validation import VALIDATION_ERRORS, validation_fault
from igniter_connectors.core.event import (
    ActionCompleted,
    ActionFailedEvent,
    ActionStarted,
)
from igniter_connectors.core.oauth.required_scopes import check_required_scopes
from igniter_connectors.core.problem import (
    ActionFailed,
    ActionInputInvalid,
    ActionNotFound,
    ActionOutputInvalid,
    CallProblem,
    DefaultCallProblem,
    DefaultConfigRequired,
    Disabled,
    HandlerProblem,
    NotConnected,
    Problem,
)
from igniter_connectors.core.redaction import secrets_in
from igniter_connectors.core.scope import Scope
from igniter_connectors.core.secret import Secret
from igniter_connectors.flows.actions.api_calls import HandlerHttp
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.event_bus import event_fields
from igniter_connectors.flows.oauth.token_source import access_token
from igniter_connectors.flows.report_error import is_cancellation, report
from igniter_connectors.flows.sealing import NotOpened, open_config
from igniter_connectors.flows.store_errors import database_failed
from igniter_connectors.ports import StoreUnavailable

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")
In = TypeVar("In", bound=msgspec.Struct)
Out = TypeVar("Out")
V = TypeVar("V")
P = TypeVar("P", bound=Problem)


async def call_default_action(
    engine: Engine,
    connector: Definition[Conf, Ctx, Any],
    action: Action[Conf, Ctx, In, Out],
    input: In,
) -> Result[Out, DefaultCallProblem]:
    """Runs an action on the connector's default config, for no tenant."""
    if connector.actions.get(action.key) is not action:
        return Failure(ActionNotFound(connector.key, action.key))
    if connector.default_config is None:
        return Failure(DefaultConfigRequired(connector.key))
    try:
        checked = action.check_input(input)
    except VALIDATION_ERRORS as error:
        fault = validation_fault(error, action.input)
        return Failure(ActionInputInvalid(connector.key, action.key, fault.path, fault.reason))
    call: ActionCall[Conf, Any, In] = ActionCall(
        checked, connector.default_config, None, HandlerHttp(engine), connector, action
    )
    nowhere = ConnectionKey("", "", connector.key, "")
    return await published(
        engine, _call_handler(engine, connector, action, call, None), action.key, nowhere
    )


async def call_action(
    engine: Engine,
    connector: Definition[Conf, Ctx, Any],
    action: Action[Conf, Ctx, In, Out],
    tenant: Scope,
    key: ConnectionKey,
    input: In,
) -> Result[Out, CallProblem]:
    """Runs an action on a tenant's connection. `published` adds its events."""
    if connector.actions.get(action.key) is not action:
        return Failure(ActionNotFound(connector.key, action.key))
    try:
        checked = action.check_input(input)
    except VALIDATION_ERRORS as error:
        fault = validation_fault(error, action.input)
        return Failure(ActionInputInvalid(connector.key, action.key, fault.path, fault.reason))
    token: AccessToken | None = None
    try:
        record = await engine.store.find(key)
        if record is None:
            return Failure(NotConnected(connector.key, key.account))
        if not record.enabled:
            return Failure(Disabled(connector.key))
        config = open_config(engine, connector, record)
        if type(connector) is OAuthConnector:
            if action.oauth_scopes:
                missing = check_required_scopes(
                    record,
                    action.oauth_scopes,
                    engine.base_url,
                    connector.provider.oauth_scope_includes,
                )
                if missing is not None:
                    return Failure(missing)
            renewed = await access_token(engine, connector, record, config)
            if isinstance(renewed, Problem):
                return Failure(renewed)
            token = renewed
    except NotOpened as error:
        return Failure(error.problem)
    except StoreUnavailable as error:
        return Failure(database_failed(engine, error))
    call: ActionCall[Conf, Any, In] = ActionCall(
        checked, config, None, HandlerHttp(engine), connector, action, tenant, token, record
    )
    if connector.context_hook is not None:
        return await _call_handler(engine, connector, action, call, key)
    # As in `_call_handler`, but inline: the most frequent path needs one coroutine less.
    try:
        answer = await action.handler(call)
    except BaseException as error:
        if is_cancellation(error):
            raise
        return _raised(engine, connector.key, action.key, error, secrets_in((config, token)), key)
    return _checked_output(engine, connector.key, action, answer)


async def _call_handler(
    engine: Engine,
    connector: Definition[Conf, Ctx, Any],
    action: Action[Conf, Ctx, In, Out],
    call: ActionCall[Conf, Any, In],
    key: ConnectionKey | None,
) -> Result[Out, HandlerProblem]:
    """Calls the handler, with the context that the connector's hook makes, if it has a hook."""
    try:
        if connector.context_hook is not None:
            call = replace(call, context=await connector.context_hook(call.config))
        if isinstance(call.context, AbstractAsyncContextManager):
            async with call.context:
                answer = await action.handler(call)
        else:
            answer = await action.handler(call)
    except BaseException as error:
        if is_cancellation(error):
            raise
        secrets = secrets_in((call.config, call.access_token))
        return _raised(engine, connector.key, action.key, error, secrets, key)
    return _checked_output(engine, connector.key, action, answer)


def _checked_output(
    engine: Engine,
    connector: str,
    action: Action[Conf, Ctx, In, Out],
    answer: Result[Out, HandlerProblem],
) -> Result[Out, HandlerProblem]:
    # `type(…) is`: isinstance goes through the abstract metaclass of returns, in four times the
    # time.
    if type(answer) is not Success:
        if type(answer) is Failure and type(answer.failure()) in HANDLER_PROBLEMS:
            return answer
        reason = returned_fault(answer)
        engine.logger.error("%s.%s: %s", connector, action.key, reason)
        return Failure(ActionFailed(connector, action.key, reason))
    try:
        output = answer.unwrap()
        checked = action.check_output(output)
    except VALIDATION_ERRORS as error:
        fault = validation_fault(error, action.output)
        return Failure(ActionOutputInvalid(connector, action.key, fault.path, fault.reason))
    # If the check changed nothing, the handler's own Success is returned: a new one costs 0.4 µs.
    return answer if checked == output else Success(checked)


def _raised(
    engine: Engine,
    connector: str,
    action: str,
    error: BaseException,
    secrets: tuple[Secret, ...],
    key: ConnectionKey | None,
) -> Result[Never, ActionFailed]:
    where = f"{connector}.{action}"
    report(engine, error, where=where, connector=connector, key=key, secrets=secrets)
    reason = f"the handler raised {type(error).__name__}"
    if is_not_async(error):
        reason = "the handler or on_context hook is not an async function of one argument"
    return Failure(ActionFailed(connector, action, reason))


async def published(
    engine: Engine, running: Awaitable[Result[V, P]], action: str, key: ConnectionKey
) -> Result[V, P]:
    """Awaits a running action, and publishes an event before it and after it."""
    clock, publish = engine.clock, engine.event_bus.publish
    fields = event_fields(key)
    publish(ActionStarted(at=clock.now(), action=action, **fields))
    started = clock.monotonic()
    answer = await running
    duration = timedelta(seconds=clock.monotonic() - started)
    if isinstance(answer, Failure):
        problem: P = answer.failure()
        publish(
            ActionFailedEvent(
                at=clock.now(),
                action=action,
                duration=duration,
                code=problem.code,
                **fields,
            )
        )
    else:
        publish(ActionCompleted(at=clock.now(), action=action, duration=duration, **fields))
    return answer
