"""A webhook comes in: find the endpoint, verify the raw bytes, decode, record, and only then
answer. It is handled afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from returns.result import Failure, Result, Success

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.connector.definition import Definition
from igniter_connectors.core.connector.validation import JSON_ERRORS, json_fault
from igniter_connectors.core.event import WebhookReceived, WebhookUnrouted
from igniter_connectors.core.http.messages import HttpRequest, HttpResponse
from igniter_connectors.core.http.routes import ApplicationWebhookRoute, WebhookRoute
from igniter_connectors.core.problem import (
    DatabaseFailed,
    DecryptFailed,
    WebhookFailed,
    WebhookNotFound,
    WebhookOverloaded,
    WebhookPayloadInvalid,
    WebhookProblem,
    WebhookTooLarge,
    WebhookVerificationFailed,
)
from igniter_connectors.core.sealing.associated_data import Binding
from igniter_connectors.core.sealing.envelope import NONCE_LENGTH
from igniter_connectors.core.webhook.challenge import challenge_answer
from igniter_connectors.core.webhook.deduplication import Delivery as Part
from igniter_connectors.core.webhook.deduplication import deliveries as parts_of
from igniter_connectors.core.webhook.endpoint import EndpointRecord, token_hash
from igniter_connectors.core.webhook.inbox import NewEvent, name_of, order_of
from igniter_connectors.core.webhook.request import SignedRequest, Verified
from igniter_connectors.core.webhook.retry_policy import Delivery
from igniter_connectors.core.webhook.signing_keys import SigningKey, key_in, signing_key
from igniter_connectors.core.webhook.verification import proof
from igniter_connectors.core.webhook.webhook import Webhook
from igniter_connectors.flows.connections.connect import address
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.report_error import report
from igniter_connectors.flows.webhooks.attempt import Attempt, handle, tell_failed
from igniter_connectors.flows.webhooks.routing import find_routed
from igniter_connectors.ports import StoreUnavailable

OVERLOADED: Final = WebhookOverloaded(retry_after_seconds=1)
"""What is told of a delivery that comes while too many others wait. Providers add pauses of
their own, which are longer."""

_TAKEN: Final[Result[HttpResponse | None, WebhookProblem]] = Success(None)


async def receive(
    engine: Engine,
    route: WebhookRoute,
    request: HttpRequest,
) -> Result[HttpResponse | None, WebhookProblem]:
    """Takes one delivery. Success is what the provider may be answered 2xx for: its events are
    in the inbox, or were already, or are none that anybody waits for; or an answer, where the
    provider asked something.

    `request.url` is the endpoint's public address with its query, built from the base URL.
    """
    deliveries = engine.deliveries
    connector = engine.connectors.get(route.connector)
    webhook = connector.webhook if connector is not None else None
    if connector is None or webhook is None:
        return Failure(WebhookNotFound())
    if len(request.body) > webhook.body_limit_bytes:
        return Failure(WebhookTooLarge(webhook.body_limit_bytes))
    if deliveries.receiving >= deliveries.limits.received_at_once:
        return Failure(OVERLOADED)
    deliveries.receiving += 1
    try:
        found = await engine.store.find_endpoint(token_hash(route.token))
        if found is None or found[0].key.connector != connector.key:
            return Failure(WebhookNotFound())
        endpoint, record = found
        keys = _keys(engine, webhook, endpoint)
        if keys is None:
            return Failure(DecryptFailed(connector.key))
        judged = _proven(engine, webhook, endpoint.key, keys, request)
        if not isinstance(judged, Verified):
            return Success(judged) if isinstance(judged, HttpResponse) else Failure(judged)
        if record.key.scope not in engine.scopes or (
            not record.enabled and webhook.when_disabled == "drop"
        ):
            return _TAKEN
        read = _read(engine, webhook, record.key, judged, request.body)
        if isinstance(read, WebhookPayloadInvalid):
            return Failure(read)
        for part, payload in read:
            await _record(engine, connector, webhook, record, part, payload)
    except StoreUnavailable as error:
        engine.logger.error("the database failed: %s", error.reason)
        return Failure(DatabaseFailed())
    finally:
        deliveries.receiving -= 1
    return _TAKEN


async def receive_for_application(
    engine: Engine,
    route: ApplicationWebhookRoute,
    request: HttpRequest,
) -> Result[HttpResponse | None, WebhookProblem]:
    """As `receive`, at the one address of an application: the tenants stand in the body.

    Success once the event is in the inbox of each connection that it is for; of a part of
    them alone the provider is told nothing, and what comes again is theirs already.
    """
    deliveries = engine.deliveries
    connector = engine.connectors.get(route.connector)
    webhook = connector.webhook if connector is not None else None
    if connector is None or webhook is None or webhook.route is None:
        return Failure(WebhookNotFound())
    if len(request.body) > webhook.body_limit_bytes:
        return Failure(WebhookTooLarge(webhook.body_limit_bytes))
    if deliveries.receiving >= deliveries.limits.received_at_once:
        return Failure(OVERLOADED)
    secrets = webhook.application_secrets
    keys = [key for one in secrets if (key := signing_key(webhook.verification, one)) is not None]
    nobody = ConnectionKey("", "", connector.key, "")
    judged = _proven(engine, webhook, nobody, keys, request)
    if not isinstance(judged, Verified):
        return Success(judged) if isinstance(judged, HttpResponse) else Failure(judged)
    read = _read(engine, webhook, nobody, judged, request.body)
    if isinstance(read, WebhookPayloadInvalid):
        return Failure(read)
    routed: list[tuple[Part, Any, tuple[str, ...]]] = []
    for part, payload in read:
        try:
            named = webhook.route(payload)
        except Exception as error:
            where = f"{connector.key}: route"
            report(engine, error, where=where, connector=connector.key, key=None, secrets=())
            reason = f"its route raised {type(error).__name__}"
            return Failure(WebhookFailed(connector.key, reason))
        routed.append((part, payload, (named,) if isinstance(named, str) else named))
    deliveries.receiving += 1
    try:
        for part, payload, accounts in routed:
            records = await find_routed(engine, webhook, connector.key, accounts)
            if not records:
                _tell_unrouted(engine, nobody, part)
            for record in records:
                if record.key.scope not in engine.scopes or (
                    not record.enabled and webhook.when_disabled == "drop"
                ):
                    continue
                await _record(engine, connector, webhook, record, part, payload)
    except StoreUnavailable as error:
        engine.logger.error("the database failed: %s", error.reason)
        return Failure(DatabaseFailed())
    finally:
        deliveries.receiving -= 1
    return _TAKEN


async def _record(
    engine: Engine,
    connector: Definition[Any, Any, Any],
    webhook: Webhook[Any, Any, Any],
    record: ConnectionRecord,
    part: Part,
    payload: Any,  # the webhook's own type
) -> None:
    """Writes the event down, and begins to handle it where there is room."""
    deliveries = engine.deliveries
    key, known = record.key, part.dedupe
    id = engine.new_id() if known.key is None else name_of(known.key, connection_id=record.id)
    place = Binding("event", key.scope, key.identity, key.connector, key.account, record.id)
    order_key = _order_key(engine, webhook, record, payload)
    event = NewEvent(
        key=key,
        connection_id=record.id,
        id=id,
        event_id=part.event_id or "",
        sealed_body=engine.ciphers.seal_named(
            part.body,
            place,
            id,
            nonce=engine.entropy.octets(NONCE_LENGTH),
            now=engine.clock.monotonic(),
        ),
        order_key=order_key,
        body_hash=known.fingerprint,
        is_held=not record.enabled,
        remember_for=webhook.remember_for if known.within is None else known.within,
    )
    owner = "" if order_key or event.is_held else deliveries.reserve()
    try:
        recorded = await engine.store.inbox.record(
            event, owner=owner, lease=deliveries.limits.lease
        )
    except BaseException:
        deliveries.free(owner)
        raise
    if recorded is None:
        deliveries.free(owner)
        return
    if not engine.event_bus.is_silent:
        engine.event_bus.publish(
            WebhookReceived(at=engine.clock.now(), event_id=event.event_id, **address(key))
        )
    if owner:
        delivery = Delivery(key, id, owner, 1, webhook.keep_body_for)
        attempt = Attempt(delivery, event.event_id, recorded.received_at, recorded.possible_replay)
        deliveries.start(handle(engine, connector, webhook, record, payload, attempt), delivery)
    elif not event.is_held:
        deliveries.wake()


def _order_key(
    engine: Engine,
    webhook: Webhook[Any, Any, Any],
    record: ConnectionRecord,
    payload: Any,  # the webhook's own type
) -> str:
    if webhook.order_key is None:
        return ""
    try:
        return order_of(webhook.order_key(payload))
    except Exception as error:
        # Acknowledged all the same: the event is genuine, and its handler may cope with it.
        key = record.key
        where = f"{key.connector}: order_key"
        report(engine, error, where=where, connector=key.connector, key=key, secrets=())
        return ""


def _keys(
    engine: Engine, webhook: Webhook[Any, Any, Any], endpoint: EndpointRecord
) -> list[SigningKey] | None:
    """What the endpoint's secrets verify with; None where one does not open."""
    key = endpoint.key
    place = Binding("webhook", key.scope, key.identity, key.connector, key.account, endpoint.id)
    keys: list[SigningKey] = []
    for sealed in (endpoint.sealed_secret, endpoint.sealed_previous):
        if sealed is None:
            continue
        secret = engine.ciphers.open(sealed, place, now=engine.clock.monotonic())
        if secret is None:
            return None
        known = key_in(webhook.verification, secret)
        if known is not None:
            keys.append(known)
    return keys


def _proven(
    engine: Engine,
    webhook: Webhook[Any, Any, Any],
    key: ConnectionKey,
    keys: Sequence[SigningKey],
    request: HttpRequest,
) -> Verified | HttpResponse | WebhookVerificationFailed:
    """What the signature proves; an answer, where the provider asked something."""
    signed = SignedRequest(request.method, request.url, request.headers, request.body)
    now = engine.clock.now()
    asked = challenge_answer(webhook.verification, signed, keys, now=now)
    if asked is not None:
        return asked
    judged = proof(webhook.verification, signed, keys, now=now)
    if isinstance(judged, Verified):
        return judged
    engine.logger.warning("%s: webhook refused: %s", key.connector, judged.reason)
    problem = WebhookVerificationFailed(key.connector)
    tell_failed(engine, key, "", problem)
    return problem


def _read(
    engine: Engine,
    webhook: Webhook[Any, Any, Any],
    key: ConnectionKey,
    verified: Verified,
    body: bytes,
) -> list[tuple[Part, Any]] | WebhookPayloadInvalid:
    """Each event of a genuine body with its payload; nothing is recorded before all are read."""
    same_for = webhook.dedupe_identical_bodies_for
    parts = parts_of(verified, body, identical_bodies_for=same_for)
    try:
        return [(part, webhook.read(part.body)) for part in parts]
    except JSON_ERRORS as error:
        return _misread(engine, webhook, key, verified, error)


def _misread(
    engine: Engine,
    webhook: Webhook[Any, Any, Any],
    key: ConnectionKey,
    verified: Verified,
    error: Exception,
) -> WebhookPayloadInvalid:
    fault = json_fault(error, webhook.payload)
    problem = WebhookPayloadInvalid(key.connector, fault.path, fault.reason)
    tell_failed(engine, key, verified.event_id or "", problem)
    return problem


def _tell_unrouted(engine: Engine, nobody: ConnectionKey, part: Part) -> None:
    engine.event_bus.publish(
        WebhookUnrouted(at=engine.clock.now(), event_id=part.event_id or "", **address(nobody))
    )
