"""Receiving a webhook: find the endpoint, verify, decode and record; then the provider gets 2xx.

The handler runs afterwards. A delivery passes six values on its way to it: `HttpRequest` (as
received), `Verified` (what the signature proves), `ReceivedEvent` (one event), `NewEvent` (its
inbox row), `Attempt` (one try at it) and `WebhookCall` (the handler's argument).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from returns.result import Failure, Result, Success

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.connector.validation import ValidationFault
from igniter_connectors.core.event import WebhookUnrouted
from igniter_connectors.core.http.messages import HttpRequest, HttpResponse, declared_length
from igniter_connectors.core.http.routes import ApplicationWebhookRoute, WebhookRoute
from igniter_connectors.core.problem import (
    DecryptFailed,
    RequestTooSlow,
    WebhookFailed,
    WebhookNotFound,
    WebhookOverloaded,
    WebhookPayloadInvalid,
    WebhookProblem,
    WebhookTooLarge,
)
from igniter_connectors.core.webhook.challenge import challenge_answer
from igniter_connectors.core.webhook.deduplication import ReceivedEvent
from igniter_connectors.core.webhook.endpoint import token_hash
from igniter_connectors.core.webhook.event_type import UnknownType
from igniter_connectors.core.webhook.signing_keys import SigningKey
from igniter_connectors.core.webhook.verified import Verified
from igniter_connectors.core.webhook.webhook import Webhook
from igniter_connectors.flows.body_reader import BodyFault, NextPart
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.event_bus import event_fields
from igniter_connectors.flows.report_error import report
from igniter_connectors.flows.store_errors import database_failed
from igniter_connectors.flows.webhooks.dead_letter import publish_failed
from igniter_connectors.flows.webhooks.record_event import (
    is_recorded,
    record_event,
    report_unknown_type,
)
from igniter_connectors.flows.webhooks.routing import find_routed
from igniter_connectors.flows.webhooks.verify_request import (
    OpenedEvent,
    application_keys,
    decode_events,
    endpoint_keys,
    verify_request,
)
from igniter_connectors.ports import StoreUnavailable

OVERLOADED: Final = WebhookOverloaded(retry_after_seconds=1)
"""The answer to a delivery while too many others are being received. One second is enough:
providers add longer pauses of their own."""

PROBES: Final = frozenset(("GET", "HEAD", "OPTIONS"))
"""The methods with which a provider asks whether an endpoint exists. They deliver nothing."""

WEBHOOK_METHODS: Final = PROBES | {"POST"}

_EXISTS: Final = HttpResponse(
    200, (("Cache-Control", "no-store"), ("Allow", "POST"), ("Content-Type", "text/plain"))
)

_ACCEPTED: Final[Result[HttpResponse | None, WebhookProblem]] = Success(None)


async def receive(
    engine: Engine, route: WebhookRoute, request: HttpRequest, next_part: NextPart | None = None
) -> Result[HttpResponse | None, WebhookProblem]:
    """Receives one delivery at the endpoint of a connection.

    Args:
        engine: The manager's.
        route: The connector and the endpoint's token, from the URL.
        request: As received. `url` is the endpoint's public URL with its query, built from
            the base URL.
        next_part: Gives the body, which is read only if there is such an endpoint; None if it
            is in the request.

    Returns:
        Success means that the provider gets a 2xx: every event is in the inbox, was there
        before, or is not wanted by anyone. An event that does not match the payload type is there
        as a dead letter. A response is the answer to a challenge or a probe. Otherwise
        - `WebhookNotFound`: no such connector or endpoint.
        - `WebhookTooLarge`, `WebhookOverloaded`, `RequestTooSlow`: over a limit.
        - `WebhookVerificationFailed`: the signature is not valid; nothing was decoded.
        - `DecryptFailed`: a signing secret cannot be decrypted.
        - `DatabaseFailed`: an event may not be recorded; the provider retries.
    """
    connector = engine.connectors.get(route.connector)
    webhook = connector.webhook if connector is not None else None
    if connector is None or webhook is None:
        return Failure(WebhookNotFound())
    refusal = _over_limit(engine, webhook, request)
    if refusal is not None:
        return Failure(refusal)
    engine.deliveries.receiving += 1
    try:
        found = await engine.store.find_endpoint(token_hash(route.token))
        if found is None or found[0].key.connector != connector.key:
            return Failure(WebhookNotFound())
        endpoint, record = found
        keys = endpoint_keys(engine, webhook, endpoint)
        if keys is None:
            return Failure(DecryptFailed(connector.key))
        if request.method != "POST":
            return Success(_probe_answer(engine, webhook, keys, request))
        whole = await _with_body(engine, webhook, request, next_part)
        if not isinstance(whole, HttpRequest):
            return Failure(whole)
        verified = verify_request(engine, webhook, endpoint.key, keys, whole)
        if not isinstance(verified, Verified):
            return Success(verified) if isinstance(verified, HttpResponse) else Failure(verified)
        if _is_dropped(engine, webhook, record):
            return _ACCEPTED
        for event in decode_events(webhook, verified, whole):
            if isinstance(event.payload, UnknownType):
                report_unknown_type(engine, webhook, record.key, event)
            if is_recorded(webhook, event):
                await record_event(engine, connector, webhook, record, event)
    except StoreUnavailable as error:
        return Failure(database_failed(engine, error))
    finally:
        engine.deliveries.receiving -= 1
    return _ACCEPTED


async def receive_for_application(
    engine: Engine,
    route: ApplicationWebhookRoute,
    request: HttpRequest,
    next_part: NextPart | None = None,
) -> Result[HttpResponse | None, WebhookProblem]:
    """Receives one delivery at the URL of an application: the body names the tenants.

    Returns:
        As `receive`. Success means that the event is in the inbox of every connection that it
        is for. If only some could record it, the provider gets a 503 and retries; those that
        have it recognise the duplicate. `WebhookFailed`: the connector's `route` raised.
        `WebhookPayloadInvalid`: an event does not match the payload type, so nobody knows whose
        it is; nothing was recorded, and the provider retries.
    """
    connector = engine.connectors.get(route.connector)
    webhook = connector.webhook if connector is not None else None
    if connector is None or webhook is None or webhook.route is None:
        return Failure(WebhookNotFound())
    refusal = _over_limit(engine, webhook, request)
    if refusal is not None:
        return Failure(refusal)
    keys = application_keys(webhook)
    nobody = ConnectionKey("", "", connector.key, "")
    if request.method != "POST":
        return Success(_probe_answer(engine, webhook, keys, request))
    engine.deliveries.receiving += 1
    try:
        whole = await _with_body(engine, webhook, request, next_part)
        if not isinstance(whole, HttpRequest):
            return Failure(whole)
        verified = verify_request(engine, webhook, nobody, keys, whole)
        if not isinstance(verified, Verified):
            return Success(verified) if isinstance(verified, HttpResponse) else Failure(verified)
        events = _application_events(engine, webhook, nobody, verified, whole)
        if isinstance(events, WebhookPayloadInvalid):
            return Failure(events)
        routed = _route(engine, webhook, connector.key, events)
        if isinstance(routed, WebhookFailed):
            return Failure(routed)
        for event, accounts in zip(events, routed, strict=True):
            records = await find_routed(engine, webhook, connector.key, accounts)
            if not records:
                _publish_unrouted(engine, nobody, event.received)
            for record in records:
                if not _is_dropped(engine, webhook, record):
                    await record_event(engine, connector, webhook, record, event)
    except StoreUnavailable as error:
        return Failure(database_failed(engine, error))
    finally:
        engine.deliveries.receiving -= 1
    return _ACCEPTED


def _over_limit(
    engine: Engine, webhook: Webhook[Any, Any, Any], request: HttpRequest
) -> WebhookTooLarge | WebhookOverloaded | None:
    limit = webhook.body_limit_bytes
    if len(request.body) > limit or declared_length(request.headers) > limit:
        return WebhookTooLarge(limit)
    deliveries = engine.deliveries
    return OVERLOADED if deliveries.receiving >= deliveries.limits.received_at_once else None


def _probe_answer(
    engine: Engine,
    webhook: Webhook[Any, Any, Any],
    keys: Sequence[SigningKey],
    request: HttpRequest,
) -> HttpResponse:
    """The answer to a request that delivers nothing: a challenge's, or that the endpoint exists."""
    now = engine.clock.now()
    return challenge_answer(webhook.verification, request, keys, now=now) or _EXISTS


async def _with_body(
    engine: Engine,
    webhook: Webhook[Any, Any, Any],
    request: HttpRequest,
    next_part: NextPart | None,
) -> HttpRequest | WebhookTooLarge | WebhookOverloaded | RequestTooSlow:
    """The request with its body, or why it has none."""
    if next_part is None:
        return request
    limit = webhook.body_limit_bytes
    body = await engine.bodies.read(next_part, limit_bytes=limit, limits=engine.deliveries.limits)
    match body:
        case BodyFault.TOO_LARGE:
            return WebhookTooLarge(limit)
        case BodyFault.TOO_MANY:
            return OVERLOADED
        case BodyFault.TOO_SLOW | BodyFault.GONE:
            return RequestTooSlow()
        case _:
            return HttpRequest(request.method, request.url, request.headers, body)


def _is_dropped(engine: Engine, webhook: Webhook[Any, Any, Any], record: ConnectionRecord) -> bool:
    """Whether the connection's events are verified and acknowledged, but not stored."""
    is_known = record.key.scope in engine.scopes
    return not is_known or (not record.enabled and webhook.when_disabled == "drop")


def _application_events(
    engine: Engine,
    webhook: Webhook[Any, Any, Any],
    nobody: ConnectionKey,
    verified: Verified,
    request: HttpRequest,
) -> list[OpenedEvent] | WebhookPayloadInvalid:
    """The events to route. Those of an unknown type are reported and left out.

    Nothing but its payload tells whose an event is, so one that does not fit is refused: only the
    provider can keep it.
    """
    events: list[OpenedEvent] = []
    for event in decode_events(webhook, verified, request):
        if isinstance(event.payload, UnknownType):
            report_unknown_type(engine, webhook, nobody, event)
        elif isinstance(event.payload, ValidationFault):
            fault = event.payload
            problem = WebhookPayloadInvalid(nobody.connector, fault.path, fault.reason)
            publish_failed(engine, nobody, verified.event_id or "", problem)
            return problem
        else:
            events.append(event)
    return events


def _route(
    engine: Engine,
    webhook: Webhook[Any, Any, Any],
    connector: str,
    events: Sequence[OpenedEvent],
) -> list[tuple[str, ...]] | WebhookFailed:
    """The upstream accounts of each event. Nothing is recorded before all are known."""
    routed: list[tuple[str, ...]] = []
    assert webhook.route is not None
    for event in events:
        try:
            named = webhook.route(event.payload)
        except Exception as error:
            where = f"{connector}: route"
            report(engine, error, where=where, connector=connector, key=None, secrets=())
            return WebhookFailed(connector, f"its route raised {type(error).__name__}")
        routed.append((named,) if isinstance(named, str) else named)
    return routed


def _publish_unrouted(engine: Engine, nobody: ConnectionKey, event: ReceivedEvent) -> None:
    now, event_id = engine.clock.now(), event.event_id or ""
    engine.event_bus.publish(WebhookUnrouted(at=now, event_id=event_id, **event_fields(nobody)))
