"""Verifying a received request, and decoding its events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.http.messages import HttpRequest, HttpResponse
from igniter_connectors.core.printable import printable
from igniter_connectors.core.problem import WebhookVerificationFailed
from igniter_connectors.core.sealing.associated_data import Binding
from igniter_connectors.core.webhook import verification
from igniter_connectors.core.webhook.challenge import challenge_answer
from igniter_connectors.core.webhook.deduplication import ReceivedEvent, received_events
from igniter_connectors.core.webhook.endpoint import EndpointRecord
from igniter_connectors.core.webhook.kept_headers import StoredEvent, kept_headers
from igniter_connectors.core.webhook.signing_keys import SigningKey, key_in, signing_key
from igniter_connectors.core.webhook.verified import Verified
from igniter_connectors.core.webhook.webhook import Webhook
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.webhooks.dead_letter import publish_failed


class OpenedEvent(msgspec.Struct, frozen=True, gc=False):
    """One event of a verified request: what identifies it, its payload, and what is stored.

    `payload` is the webhook's own type, an `UnknownType` or a `ValidationFault`.
    """

    received: ReceivedEvent
    payload: Any  # the webhook's own type
    stored: StoredEvent


def endpoint_keys(
    engine: Engine, webhook: Webhook[Any, Any, Any], endpoint: EndpointRecord
) -> list[SigningKey] | None:
    """The keys of the endpoint's signing secrets; None if one cannot be decrypted."""
    key = endpoint.key
    binding = Binding("webhook", key.scope, key.identity, key.connector, key.account, endpoint.id)
    keys: list[SigningKey] = []
    for sealed in (endpoint.sealed_secret, endpoint.sealed_previous):
        if sealed is None:
            continue
        secret = engine.ciphers.open(sealed, binding, now=engine.clock.monotonic())
        if secret is None:
            return None
        opened = key_in(webhook.verification, secret)
        if opened is not None:
            keys.append(opened)
    return keys


def application_keys(webhook: Webhook[Any, Any, Any]) -> list[SigningKey]:
    """The keys of the application's secrets, for a webhook with a route."""
    scheme, secrets = webhook.verification, webhook.application_secrets
    return [key for one in secrets if (key := signing_key(scheme, one)) is not None]


def verify_request(
    engine: Engine,
    webhook: Webhook[Any, Any, Any],
    key: ConnectionKey,
    keys: Sequence[SigningKey],
    request: HttpRequest,
) -> Verified | HttpResponse | WebhookVerificationFailed:
    """What the signature proves. A response, if the request is the provider's challenge."""
    now = engine.clock.now()
    answer = challenge_answer(webhook.verification, request, keys, now=now)
    if answer is not None:
        return answer
    checked = verification.check(webhook.verification, request, keys, now=now)
    if isinstance(checked, Verified):
        return checked
    engine.logger.warning("%s: webhook refused: %s", key.connector, printable(checked.reason))
    problem = WebhookVerificationFailed(key.connector)
    publish_failed(engine, key, "", problem)
    return problem


def decode_events(
    webhook: Webhook[Any, Any, Any],
    verified: Verified,
    request: HttpRequest,
) -> list[OpenedEvent]:
    """Each event of a verified body, with its payload or why it has none."""
    events = received_events(
        verified, request.body, identical_bodies_for=webhook.dedupe_identical_bodies_for
    )
    told, read = webhook.type_of(request), webhook.reader.read
    headers = kept_headers(request, webhook.names_kept)
    return [
        OpenedEvent(event, read(event.body, told), StoredEvent(event.body, told, headers))
        for event in events
    ]
