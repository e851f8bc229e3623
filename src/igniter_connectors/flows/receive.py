"""A webhook comes in: find the endpoint, verify the raw bytes, and only then decode and handle."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any

import msgspec
from msgspec.structs import replace
from returns.result import Failure, Result, Success
from typing_extensions import TypeVar

from igniter_connectors.core.connection import ConnectionRecord
from igniter_connectors.core.connector import Definition
from igniter_connectors.core.event import (
    WebhookFailedEvent,
    WebhookProcessed,
    WebhookReceived,
)
from igniter_connectors.core.http import HttpRequest
from igniter_connectors.core.problem import (
    DatabaseFailed,
    DecryptFailed,
    Problem,
    WebhookFailed,
    WebhookNotFound,
    WebhookPayloadInvalid,
    WebhookProblem,
    WebhookTooLarge,
    WebhookVerificationFailed,
)
from igniter_connectors.core.redaction import secrets_in
from igniter_connectors.core.schema import NOT_READ, misread
from igniter_connectors.core.scope import Scope, known_tenant
from igniter_connectors.core.sealing.binding import Binding
from igniter_connectors.core.url import WebhookRoute
from igniter_connectors.core.webhook.endpoint import EndpointRecord, token_hash
from igniter_connectors.core.webhook.keys import key_in
from igniter_connectors.core.webhook.request import SignedRequest, Verified
from igniter_connectors.core.webhook.signature import proof
from igniter_connectors.core.webhook.webhook import Webhook, WebhookCall
from igniter_connectors.flows.connect import address
from igniter_connectors.flows.renew import Renewals
from igniter_connectors.flows.report import report
from igniter_connectors.flows.runtime import Runtime
from igniter_connectors.flows.seal import NotOpened, open_config
from igniter_connectors.ports import StoreUnavailable

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")
Payload = TypeVar("Payload")


async def receive(
    runtime: Runtime,
    renewals: Renewals,
    connectors: Mapping[str, Definition[Any, Any, Any]],
    kinds: Mapping[str, type[Scope]],
    route: WebhookRoute,
    request: HttpRequest,
) -> Result[None, WebhookProblem]:
    """Takes one delivery. Success is what the provider may be answered 2xx for.

    `request.url` is the endpoint's public address, built from the base URL.
    """
    connector = connectors.get(route.connector)
    webhook = connector.webhook if connector is not None else None
    if connector is None or webhook is None:
        return Failure(WebhookNotFound())
    if len(request.body) > webhook.body_limit_bytes:
        return Failure(WebhookTooLarge(webhook.body_limit_bytes))
    try:
        found = await runtime.store.find_endpoint(token_hash(route.token))
    except StoreUnavailable as error:
        runtime.logger.error("the database failed: %s", error.reason)
        return Failure(DatabaseFailed())
    if found is None or found[0].key.connector != connector.key:
        return Failure(WebhookNotFound())
    endpoint, record = found
    judged = _verify(runtime, webhook, endpoint, request)
    if not isinstance(judged, Verified):
        return Failure(judged)
    kind = kinds.get(record.key.scope)
    if not record.enabled or kind is None:
        return Success(None)
    event_id = judged.event_id or ""
    try:
        payload = webhook.read(request.body)
    except NOT_READ as error:
        return Failure(_misread(runtime, webhook, record, event_id, error))
    try:
        config = open_config(runtime, connector, record)
    except NotOpened as error:
        return Failure(error.problem)
    announcer, key = runtime.announcer, record.key
    began: float | None = None
    if not announcer.is_silent:
        announcer.tell(WebhookReceived(at=runtime.clock.now(), event_id=event_id, **address(key)))
        began = runtime.clock.monotonic()
    try:
        tenant = known_tenant(kind, key.identity)
        # Without a hook the context's type is None, which the builder's typestate knows and
        # this line cannot.
        call: WebhookCall[Any, Any, Any] = WebhookCall(
            payload,
            config,
            None,
            renewals.handler_http,
            connector,
            key.account,
            tenant,
            event_id,
            record,
        )
        if connector.context_hook is None:
            answer = await webhook.handler(call)
        else:
            answer = await _in_context(connector.context_hook, webhook, call)
    except Exception as error:
        answer = _raised(runtime, record, config, error)
    if type(answer) is Failure:  # as in invoke
        _tell_failed(runtime, record, event_id, answer.failure())
    elif began is not None:
        duration = timedelta(seconds=runtime.clock.monotonic() - began)
        now = runtime.clock.now()
        announcer.tell(
            WebhookProcessed(at=now, event_id=event_id, duration=duration, **address(key))
        )
    return answer


def _verify(
    runtime: Runtime,
    webhook: Webhook[Conf, Ctx, Any],
    endpoint: EndpointRecord,
    request: HttpRequest,
) -> Verified | WebhookProblem:
    key = endpoint.key
    place = Binding("webhook", key.scope, key.identity, key.connector, key.account, endpoint.id)
    secret = runtime.ciphers.open(endpoint.sealed_secret, place, now=runtime.clock.monotonic())
    if secret is None:
        return DecryptFailed(key.connector)
    signed = SignedRequest(request.method, request.url, request.headers, request.body)
    now = runtime.clock.now()
    signing_key = key_in(webhook.verification, secret)
    keys = () if signing_key is None else (signing_key,)
    judged = proof(webhook.verification, signed, keys, now=now)
    if isinstance(judged, Verified):
        return judged
    runtime.logger.warning("%s: webhook refused: %s", key.connector, judged.reason)
    problem = WebhookVerificationFailed(key.connector)
    _tell_failed(runtime, endpoint, "", problem)
    return problem


def _misread(
    runtime: Runtime,
    webhook: Webhook[Conf, Ctx, Payload],
    record: ConnectionRecord,
    event_id: str,
    error: Exception,
) -> WebhookPayloadInvalid:
    misfit = misread(error, webhook.payload)
    problem = WebhookPayloadInvalid(record.key.connector, misfit.path, misfit.reason)
    _tell_failed(runtime, record, event_id, problem)
    return problem


async def _in_context(
    hook: Callable[[Conf], Awaitable[Ctx]],
    webhook: Webhook[Conf, Ctx, Payload],
    call: WebhookCall[Conf, Any, Payload],
) -> Result[None, WebhookFailed]:
    context = await hook(call.config)
    call = replace(call, context=context)
    if isinstance(context, AbstractAsyncContextManager):
        async with context:
            return await webhook.handler(call)
    return await webhook.handler(call)


def _raised(
    runtime: Runtime, record: ConnectionRecord, config: msgspec.Struct, error: Exception
) -> Result[None, WebhookFailed]:
    key, secrets = record.key, secrets_in(config)
    where = f"{key.connector}: webhook"
    report(runtime, error, where=where, connector=key.connector, key=key, secrets=secrets)
    return Failure(WebhookFailed(key.connector, f"the handler raised {type(error).__name__}"))


def _tell_failed(
    runtime: Runtime,
    of: ConnectionRecord | EndpointRecord,
    event_id: str,
    problem: Problem,
) -> None:
    runtime.announcer.tell(
        WebhookFailedEvent(
            at=runtime.clock.now(),
            event_id=event_id,
            code=problem.code,
            **address(of.key),
        )
    )
