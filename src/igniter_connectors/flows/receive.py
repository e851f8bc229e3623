"""A webhook comes in: find the endpoint, verify the raw bytes, and only then decode and handle."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any

import msgspec
from returns.pipeline import is_successful
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
from igniter_connectors.core.schema import NOT_READ, misread, read_json
from igniter_connectors.core.scope import Scope, known_tenant
from igniter_connectors.core.sealing.binding import Binding
from igniter_connectors.core.secret import Secret
from igniter_connectors.core.url import WebhookRoute
from igniter_connectors.core.webhook.endpoint import EndpointRecord, token_hash
from igniter_connectors.core.webhook.request import SignedRequest, Verified
from igniter_connectors.core.webhook.signature import verify
from igniter_connectors.core.webhook.webhook import Webhook, WebhookCall
from igniter_connectors.flows.connect import address
from igniter_connectors.flows.report import report
from igniter_connectors.flows.runtime import Runtime
from igniter_connectors.flows.seal import NotOpened, open_config
from igniter_connectors.ports import StoreUnavailable

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")


async def receive(
    runtime: Runtime,
    connector: Definition[Conf, Ctx, Any],
    kinds: Mapping[str, type[Scope]],
    route: WebhookRoute,
    request: HttpRequest,
) -> Result[None, WebhookProblem]:
    """Takes one delivery. Success is what the provider may be answered 2xx for.

    `request.url` is the endpoint's public address, built from the base URL.
    """
    webhook = connector.webhook
    if webhook is None:
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
    return await _handle(runtime, connector, webhook, record, kind, judged, request.body)


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
    judged = verify(webhook.verification, signed, (Secret(secret.decode()),), now=now)
    if is_successful(judged):
        return judged.unwrap()
    runtime.logger.warning("%s: webhook refused: %s", key.connector, judged.failure().reason)
    problem = WebhookVerificationFailed(key.connector)
    _tell_failed(runtime, endpoint, "", problem)
    return problem


async def _handle(
    runtime: Runtime,
    connector: Definition[Conf, Ctx, Any],
    webhook: Webhook[Conf, Ctx, Any],
    record: ConnectionRecord,
    kind: type[Scope],
    verified: Verified,
    body: bytes,
) -> Result[None, WebhookProblem]:
    key, event_id = record.key, verified.event_id or ""
    try:
        payload = read_json(body, webhook.payload)
    except NOT_READ as error:
        misfit = misread(error, webhook.payload)
        problem = WebhookPayloadInvalid(connector.key, misfit.path, misfit.reason)
        _tell_failed(runtime, record, event_id, problem)
        return Failure(problem)
    try:
        config = open_config(runtime, connector, record)
    except NotOpened as error:
        return Failure(error.problem)
    clock, announcer = runtime.clock, runtime.announcer
    if not announcer.is_silent:
        announcer.tell(WebhookReceived(at=clock.now(), event_id=event_id, **address(key)))
    began = clock.monotonic()
    context: Any = None
    try:
        if connector.context_hook is not None:
            context = await connector.context_hook(config)
        call: WebhookCall[Conf, Ctx, Any] = WebhookCall(
            payload,
            config,
            context,
            runtime.http,
            connector.key,
            key.account,
            known_tenant(kind, key.identity),
            event_id,
        )
        if context is not None and isinstance(context, AbstractAsyncContextManager):
            async with context:
                answer = await webhook.handler(call)
        else:
            answer = await webhook.handler(call)
    except Exception as error:
        report(
            runtime,
            error,
            where=f"{connector.key}: webhook",
            connector=connector.key,
            key=key,
            secrets=secrets_in(config),
        )
        answer = Failure(WebhookFailed(connector.key, f"the handler raised {type(error).__name__}"))
    if type(answer) is Failure:  # as in invoke
        _tell_failed(runtime, record, event_id, answer.failure())
    elif not announcer.is_silent:
        duration = timedelta(seconds=clock.monotonic() - began)
        announcer.tell(
            WebhookProcessed(at=clock.now(), event_id=event_id, duration=duration, **address(key))
        )
    return answer


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
