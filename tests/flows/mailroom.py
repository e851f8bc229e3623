"""A manager with a webhook connector, on any store, for tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec
from returns.result import Result, Success

from igniter_connectors import (
    AtConfig,
    Connector,
    ConnectorManager,
    Connectors,
    Event,
    HttpRequest,
    HttpResponse,
    Keyring,
    Problem,
    Secret,
    Webhook,
    WebhookCall,
    WebhookFailed,
    value_or_raise,
)
from igniter_connectors.core.webhook.schemes import Verification
from igniter_connectors.stores import Store
from igniter_connectors.testing import sign_webhook
from igniter_connectors.webhooks import DeliveryLimits, Retries, StandardWebhooks, WebhookEndpoint
from tests.sample import CANARY, KEYRING, Organization

ACME = Organization("acme")
SOON = Retries(
    attempts=3,
    first_after=timedelta(milliseconds=20),
    longest=timedelta(milliseconds=20),
)


class Mail(msgspec.Struct, frozen=True):
    """The config."""

    key: Secret


class Letter(msgspec.Struct, frozen=True):
    """The payload."""

    text: str
    sender: str = ""


Call = WebhookCall[Mail, object, Letter]
Answer = Result[None, WebhookFailed]
MakeStore = Callable[[], Store]


@dataclass
class Mailroom:
    """A running manager with one connection and its endpoint, and the calls of its handler."""

    connectors: Connectors[Mail, Organization]
    at: AtConfig[Mail, Any]
    endpoint: WebhookEndpoint
    scheme: Verification
    calls: list[Call]
    events: list[Event]

    async def post(self, text: str, id: str = "msg_1", sender: str = "") -> HttpResponse:
        """Posts a signed letter and returns the response."""
        body = msgspec.json.encode(Letter(text, sender))
        now = datetime.now(UTC)
        request = sign_webhook(self.scheme, self.endpoint, body, now=now, event_id=id)
        return await self.connectors.handle(request)

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Sends any request."""
        return await self.connectors.handle(request)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Waits until the condition holds, at most 5 seconds."""
        async with asyncio.timeout(5):
            while not holds():  # noqa: ASYNC110  # there is no asyncio.Event to wait for
                await asyncio.sleep(0.005)

    @property
    def texts(self) -> list[str]:
        """The texts that the handler received, in order."""
        return [call.payload.text for call in self.calls]


async def accept(_: Call) -> Answer:
    """The default handler."""
    return Success(None)


@dataclass
class Plan:
    """How the connector is built."""

    handler: Callable[[Call], Awaitable[Result[None, Problem]]] = accept
    scheme: Verification = field(default_factory=StandardWebhooks)
    retries: Retries = SOON
    order_key: Callable[[Letter], str] | None = None
    when_disabled: Literal["hold", "drop"] = "hold"
    time_limit: timedelta = timedelta(seconds=10)
    limits: DeliveryLimits = field(default_factory=DeliveryLimits)
    keep_body_for: timedelta = timedelta(days=7)
    keyring: Keyring = KEYRING


def manager(
    store: Store, plan: Plan, calls: list[Call]
) -> tuple[Connectors[Mail, Organization], Any]:
    """The manager, not opened, and its connector."""

    async def handle(call: Call) -> Result[None, Problem]:
        calls.append(call)
        return await plan.handler(call)

    webhook = Webhook(
        payload=Letter,
        verification=plan.scheme,
        handler=handle,
        order_key=plan.order_key,
        when_disabled=plan.when_disabled,
        retries=plan.retries,
        time_limit=plan.time_limit,
        keep_body_for=plan.keep_body_for,
    )
    mail = Connector.create("mail").with_config(Mail).with_webhook(webhook).build()
    connectors = (
        ConnectorManager.create()
        .with_database(store)
        .with_encryption(plan.keyring)
        .with_base_url("https://app.example.com")
        .with_delivery_limits(plan.limits)
        .add_scope(Organization)
        .add_connector(mail)
        .build()
    )
    return connectors, mail


@asynccontextmanager
async def mailroom(
    store: Store, plan: Plan | None = None, *, endpoint: WebhookEndpoint | None = None
) -> AsyncGenerator[Mailroom, None]:
    """A running manager. Connects first, unless the endpoint of a stored connection is given."""
    plan = plan or Plan()
    calls: list[Call] = []
    connectors, mail = manager(store, plan, calls)
    events: list[Event] = []

    async def note(event: Event) -> None:
        events.append(event)

    connectors.subscribe(note)
    async with connectors:
        at = connectors.scope(ACME).at(mail)
        if endpoint is None:
            value_or_raise(await at.connect(Mail(Secret(CANARY))))
            endpoint = value_or_raise(await at.create_webhook())
        yield Mailroom(connectors, at, endpoint, plan.scheme, calls, events)


async def states(room: Mailroom) -> list[tuple[str, int, str]]:
    """State, attempts and last code of each event, oldest first."""
    page = value_or_raise(await room.at.webhooks.list())
    return [(one.state, one.attempts, one.last_code) for one in reversed(page.items)]
