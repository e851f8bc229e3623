"""Running a typed action. The way of every call, so it is plain: one coroutine, plain ifs."""

from __future__ import annotations

from collections.abc import Awaitable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any, Never

import msgspec
from returns.result import Failure, Result, Success
from typing_extensions import TypeVar

from igniter_connectors.core.api.access_token import AccessToken
from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.connector.action import Action, ActionCall
from igniter_connectors.core.connector.definition import Definition, OAuthConnector
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
    DatabaseFailed,
    DefaultCallProblem,
    DefaultConfigRequired,
    Disabled,
    NotConnected,
    Problem,
)
from igniter_connectors.core.redaction import secrets_in
from igniter_connectors.core.scope import Scope
from igniter_connectors.core.secret import Secret
from igniter_connectors.flows.actions.api_calls import HandlerHttp
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.oauth.token_source import access_token
from igniter_connectors.flows.report_error import report
from igniter_connectors.flows.sealing import NotOpened, open_config
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
    given: In,
) -> Result[Out, DefaultCallProblem]:
    """Runs an action on the connector's default config, for no tenant."""
    if connector.actions.get(action.key) is not action:
        return Failure(ActionNotFound(connector.key, action.key))
    if connector.default_config is None:
        return Failure(DefaultConfigRequired(connector.key))
    try:
        input = action.check_input(given)
    except VALIDATION_ERRORS as error:
        fault = validation_fault(error, action.input)
        return Failure(ActionInputInvalid(connector.key, action.key, fault.path, fault.reason))
    return await published(
        engine,
        _handle(
            engine,
            connector,
            action,
            input,
            connector.default_config,
            None,
            None,
            None,
        ),
        action.key,
        ConnectionKey("", "", connector.key, ""),
    )


async def call_action(
    engine: Engine,
    connector: Definition[Conf, Ctx, Any],
    action: Action[Conf, Ctx, In, Out],
    tenant: Scope,
    key: ConnectionKey,
    given: In,
) -> Result[Out, CallProblem]:
    """Runs an action on a tenant's connection; `published` tells of it besides."""
    if connector.actions.get(action.key) is not action:
        return Failure(ActionNotFound(connector.key, action.key))
    try:
        input = action.check_input(given)
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
                missing = check_required_scopes(record, action.oauth_scopes, engine.base_url)
                if missing is not None:
                    return Failure(missing)
            renewed = await access_token(engine, connector, record, config)
            if isinstance(renewed, Problem):
                return Failure(renewed)
            token = renewed
    except NotOpened as error:
        return Failure(error.problem)
    except StoreUnavailable as error:
        engine.logger.error("the database failed: %s", error.reason)
        return Failure(DatabaseFailed())
    if connector.context_hook is not None:
        return await _handle(engine, connector, action, input, config, token, tenant, record)
    # As `_handle` without a context, and without a coroutine more on the commonest way.
    call: ActionCall[Conf, Any, In] = ActionCall(
        input,
        config,
        None,
        HandlerHttp(engine),
        connector,
        action,
        tenant,
        token,
        record,
    )
    try:
        answer = await action.handler(call)
    except Exception as error:
        return _raised(engine, connector.key, action.key, error, secrets_in((config, token)), key)
    return _judged(connector.key, action, answer)


async def _handle(
    engine: Engine,
    connector: Definition[Conf, Ctx, Any],
    action: Action[Conf, Ctx, In, Out],
    input: In,
    config: Conf,
    token: AccessToken | None,
    tenant: Scope | None,
    record: ConnectionRecord | None,
) -> Result[Out, ActionFailed | ActionOutputInvalid]:
    # Without a hook the context's type is None, which the builder's typestate knows and
    # this line cannot.
    context: Any = None
    try:
        if connector.context_hook is not None:
            context = await connector.context_hook(config)
        call: ActionCall[Conf, Ctx, In] = ActionCall(
            input,
            config,
            context,
            HandlerHttp(engine),
            connector,
            action,
            tenant,
            token,
            record,
        )
        if context is not None and isinstance(context, AbstractAsyncContextManager):
            async with context:
                answer = await action.handler(call)
        else:
            answer = await action.handler(call)
    except Exception as error:
        key = None if record is None else record.key
        return _raised(engine, connector.key, action.key, error, secrets_in((config, token)), key)
    return _judged(connector.key, action, answer)


def _judged(
    connector: str, action: Action[Conf, Ctx, In, Out], answer: Result[Out, ActionFailed]
) -> Result[Out, ActionFailed | ActionOutputInvalid]:
    # `type(…) is`: isinstance goes through returns' abstract metaclass, four times as long.
    if type(answer) is Failure:
        return answer
    try:
        given = answer.unwrap()
        output = action.check_output(given)
    except (*VALIDATION_ERRORS, AttributeError) as error:  # AttributeError: it was no Result
        fault = validation_fault(error, action.output)
        return Failure(ActionOutputInvalid(connector, action.key, fault.path, fault.reason))
    # The handler's own answer where the check changed nothing: a Success costs 0.4 µs.
    return answer if output == given else Success(output)


def _raised(
    engine: Engine,
    connector: str,
    action: str,
    error: Exception,
    secrets: tuple[Secret, ...],
    key: ConnectionKey | None,
) -> Result[Never, ActionFailed]:
    where = f"{connector}.{action}"
    report(engine, error, where=where, connector=connector, key=key, secrets=secrets)
    reason = f"the handler raised {type(error).__name__}"
    return Failure(ActionFailed(connector, action, reason))


async def published(
    engine: Engine, running: Awaitable[Result[V, P]], action: str, key: ConnectionKey
) -> Result[V, P]:
    """What a running action returns, with its events told before and after."""
    clock, publish = engine.clock, engine.event_bus.publish
    address: dict[str, str] = msgspec.structs.asdict(key)
    publish(ActionStarted(at=clock.now(), action=action, **address))
    began = clock.monotonic()
    answer = await running
    duration = timedelta(seconds=clock.monotonic() - began)
    if isinstance(answer, Failure):
        problem: P = answer.failure()
        publish(
            ActionFailedEvent(
                at=clock.now(),
                action=action,
                duration=duration,
                code=problem.code,
                **address,
            )
        )
    else:
        publish(ActionCompleted(at=clock.now(), action=action, duration=duration, **address))
    return answer
