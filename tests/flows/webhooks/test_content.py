"""A verified event is never refused for its content, over every store."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from returns.result import Result, Success

from igniter_connectors import (
    Connector,
    ConnectorManager,
    Event,
    HttpResponse,
    Secret,
    Webhook,
    WebhookCall,
    WebhookFailed,
    value_or_raise,
)
from igniter_connectors.events import WebhookDeadLettered, WebhookReceived, WebhookUnknownType
from igniter_connectors.stores import Store
from igniter_connectors.testing import sign_webhook
from igniter_connectors.webhooks import GITHUB, SHOPIFY, STRIPE, WebhookEndpoint
from tests.flows.mailroom import ACME, Mail, MakeStore
from tests.sample import CANARY, KEYRING, Organization


class Push(msgspec.Struct, frozen=True, tag="push"):
    """One type of event."""

    ref: str


class Star(msgspec.Struct, frozen=True, tag="star"):
    """Another type; the body has a field with the name of the tag's."""

    id: int


class Counted(msgspec.Struct, frozen=True, tag="star"):
    """The same type, once the code is mended."""

    id: str


@dataclass
class Inbox:
    """A running connector, and what its handler and its listeners got."""

    at: Any
    endpoint: WebhookEndpoint
    connectors: Any
    webhook: Webhook[Any, Any, Any]
    calls: list[Any] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    async def post(self, body: bytes | str, id: str = "1", **headers: str) -> HttpResponse:
        """Posts a signed body."""
        raw = body.encode() if isinstance(body, str) else body
        now = datetime.now(UTC)
        signed = sign_webhook(self.webhook.verification, self.endpoint, raw, now=now, event_id=id)
        more = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        answer: HttpResponse = await self.connectors.handle(
            replace(signed, headers=(*signed.headers, *more))
        )
        await self.connectors.settled()
        return answer

    async def rows(self) -> list[Any]:
        """The stored events, oldest first."""
        return list(reversed(value_or_raise(await self.at.webhooks.list()).items))


@asynccontextmanager
async def inbox(
    store: Store, endpoint: WebhookEndpoint | None = None, **options: Any
) -> AsyncGenerator[Inbox, None]:
    calls: list[Any] = []

    async def handle(call: WebhookCall[Mail, object, Any]) -> Result[None, WebhookFailed]:
        calls.append(call)
        return Success(None)

    given: dict[str, Any] = {"payload": Push | Star, "verification": GITHUB, **options}
    webhook: Webhook[Any, Any, Any] = Webhook(handler=handle, **given)
    hub = Connector.create("hub").with_config(Mail).with_webhook(webhook).build()
    connectors = (
        ConnectorManager.create()
        .with_database(store)
        .with_encryption(KEYRING)
        .with_base_url("https://app.example.com")
        .add_scope(Organization)
        .add_connector(hub)
        .build()
    )
    events: list[Event] = []

    async def note(event: Event) -> None:
        events.append(event)

    connectors.subscribe(note)
    async with connectors:
        at = connectors.scope(ACME).at(hub)
        if endpoint is None:
            value_or_raise(await at.connect(Mail(Secret(CANARY))))
            endpoint = value_or_raise(await at.create_webhook())
        yield Inbox(at, endpoint, connectors, webhook, calls, events)


async def test_the_type_stands_in_a_header(make_store: MakeStore) -> None:
    """It chooses the struct, also after a restart, and the handler sees it and kept headers."""
    store = make_store()
    async with inbox(store, keep_headers=("X-GitHub-Hook-ID",)) as hub:
        kept = {"X_GitHub_Hook_ID": "7", "X_Other": "no"}
        assert (await hub.post('{"ref":"main"}', X_GitHub_Event="push", **kept)).status == 204
        body = '{"type":"Organization","id":3}'
        assert (await hub.post(body, "2", X_GitHub_Event="star")).status == 204
        assert [call.payload for call in hub.calls] == [Push("main"), Star(3)]
        assert [call.event_type for call in hub.calls] == ["push", "star"]
        assert hub.calls[0].headers == (("x-github-hook-id", "7"),)
        assert hub.calls[0].header("X-GitHub-Hook-ID") == "7"
        id, endpoint = hub.calls[1].id, hub.endpoint
        assert value_or_raise(await hub.at.webhooks.body(id)) == body.encode()
    async with inbox(make_store(), endpoint) as again:
        for one in await again.rows():
            value_or_raise(await again.at.webhooks.replay(one.id))
        await again.connectors.settled()
        assert {call.payload for call in again.calls} == {Push("main"), Star(3)}
        assert {call.header("x-github-hook-id") for call in again.calls} == {"7", None}


@pytest.mark.parametrize("header", ["X_Shopify_Topic", "Shopify_Topic"])
async def test_shopify_has_two_spellings_of_its_topic(header: str, make_store: MakeStore) -> None:
    """The topic is the tag."""
    async with inbox(make_store(), verification=SHOPIFY) as shop:
        assert (await shop.post('{"ref":"x"}', **{header: "push"})).status == 204
        assert [call.payload for call in shop.calls] == [Push("x")]


@pytest.mark.parametrize("keeps", ["drop", "keep"])
async def test_an_unknown_type_is_answered_and_reported(keeps: str, make_store: MakeStore) -> None:
    """2xx; kept if the webhook says so, and then replayed once the code knows it."""
    store = make_store()
    async with inbox(store, unknown_types=keeps) as hub:
        for _ in range(2):
            assert (await hub.post('{"zen":"x"}', X_GitHub_Event="ping")).status == 204
        assert hub.calls == []
        rows = await hub.rows()
        endpoint = hub.endpoint
    told = [one for one in hub.events if isinstance(one, WebhookUnknownType)]
    assert [(one.webhook_type, one.event_id, one.is_kept) for one in told] == [
        ("ping", "1", keeps == "keep")
    ] * 2
    if keeps == "drop":
        assert rows == []
        return
    (row,) = rows
    assert (row.state, row.has_body) == ("dead", True)
    assert row.last_reason == "the type header: is not a type of the payload"

    class Ping(msgspec.Struct, frozen=True, tag="ping"):
        zen: str

    async with inbox(make_store(), endpoint, payload=Push | Ping) as mended:
        value_or_raise(await mended.at.webhooks.replay(row.id))
        await mended.connectors.settled()
        assert [call.payload for call in mended.calls] == [Ping("x")]


BROKEN = {
    "another type of field": (b'{"id":"canary"}', "$.id: expected `int`, got `str`"),
    "a missing field": (b"{}", "$.id: is required"),
    "not JSON": (b"canary", "$: is not JSON"),
    "nothing": (b"", "$: is not JSON"),
    "no UTF-8": (b'{"id":"\xff"}', "$.id: expected `int`, got `str`"),
    "UTF-16": ('{"id":3}'.encode("utf-16"), "$: is not JSON"),
    "nested": (b'{"id":' + b"[" * 200_000, "$: is not JSON"),
    "a NUL": (b'{"id":3}\x00', "$: is not JSON"),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_known_type_that_does_not_fit_is_a_dead_letter(
    name: str, make_store: MakeStore
) -> None:
    """Sealed, once, with path and rule and never the value; a replay before the mend is refused."""
    body, reason = BROKEN[name]
    async with inbox(make_store()) as hub:
        for _ in range(2):
            assert (await hub.post(body, X_GitHub_Event="star")).status == 204
        (row,) = await hub.rows()
        assert (row.state, row.last_code) == ("dead", "CONNECTOR_WEBHOOK_VALIDATION_FAILED")
        assert row.last_reason == reason
        assert value_or_raise(await hub.at.webhooks.body(row.id)) == body
        assert hub.calls == []
        assert (await hub.post(b'{"id":3}', "2", X_GitHub_Event="star")).status == 204
        assert [call.payload for call in hub.calls] == [Star(3)]
    assert sum(isinstance(one, WebhookDeadLettered) for one in hub.events) == 1
    assert sum(isinstance(one, WebhookReceived) for one in hub.events) == 1


async def test_a_dead_letter_is_replayed_once_the_code_is_mended(make_store: MakeStore) -> None:
    """The handler gets it as if it had come now."""
    async with inbox(make_store()) as hub:
        assert (await hub.post(b'{"id":"x"}', X_GitHub_Event="star")).status == 204
        (row,) = await hub.rows()
        endpoint = hub.endpoint
    async with inbox(make_store(), endpoint, payload=Push | Counted) as mended:
        value_or_raise(await mended.at.webhooks.replay(row.id))
        await mended.connectors.settled()
        assert [call.payload for call in mended.calls] == [Counted("x")]
        assert [one.state for one in await mended.rows()] == ["done"]


async def test_a_lone_surrogate_and_a_byte_order_mark_are_read(make_store: MakeStore) -> None:
    """As JavaScript writes them; the id in the body is read, and the stored body is unchanged."""
    body = b'\xef\xbb\xbf{"id":"evt_9","type":"push","ref":"a\\ud83d\\\\ud83d\\ud83d\\ude00"}'
    async with inbox(make_store(), verification=STRIPE) as hub:
        for _ in range(2):
            assert (await hub.post(body)).status == 204
        (call,) = hub.calls
        assert call.payload == Push("a\ufffd\\ud83d\U0001f600")
        assert call.event_id == "evt_9"
        assert value_or_raise(await hub.at.webhooks.body(call.id)) == body


async def test_a_type_in_the_body_still_tells(make_store: MakeStore) -> None:
    """A preset's header that names no type of the payload leaves the choice to the body."""
    async with inbox(make_store()) as hub:
        body = json.dumps({"type": "push", "ref": "x"})
        assert (await hub.post(body, X_GitHub_Event="other")).status == 204
        assert [call.payload for call in hub.calls] == [Push("x")]
