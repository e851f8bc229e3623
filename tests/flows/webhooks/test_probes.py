"""Requests that deliver nothing: a provider asks whether an endpoint exists, or who may deliver."""

from __future__ import annotations

from msgspec.structs import replace

from igniter_connectors import HttpRequest, HttpResponse, MemoryStore, Secret
from igniter_connectors.core.webhook.schemes import Verification
from igniter_connectors.testing import challenge_webhook
from igniter_connectors.webhooks import (
    GITHUB,
    META,
    STRIPE,
    AcceptUnsignedEvents,
    HmacScheme,
    StandardWebhooks,
)
from tests.core.webhook.requests import SIGNED_AT
from tests.flows.mailroom import MakeStore, Plan, mailroom, states
from tests.flows.webhooks.test_routing import office

PROBES = ("GET", "HEAD", "OPTIONS")
DROPBOX = HmacScheme(header="X-Dropbox-Signature", challenge="challenge")
EVENT_GRID = AcceptUnsignedEvents(challenge="WebHook-Request-Origin")


async def test_a_probe_of_a_known_endpoint_is_answered_and_does_nothing(
    make_store: MakeStore,
) -> None:
    """200 without a body, for every scheme; an unknown endpoint is a 404."""
    for scheme in (StandardWebhooks(), GITHUB, META, STRIPE, EVENT_GRID, DROPBOX):
        async with mailroom(make_store(), Plan(scheme=scheme)) as room:
            url = room.endpoint.url.reveal()
            for method in PROBES:
                answer = await room.send(HttpRequest(method, url, body=b'{"text":"hi"}'))
                assert (answer.status, answer.body) == (200, b""), (method, scheme)
                unknown = HttpRequest(method, url[:-4] + "none")
                assert (await room.send(unknown)).status == 404, (method, scheme)
            for method in ("PUT", "DELETE", "PATCH", "TRACE"):
                answer = await room.send(HttpRequest(method, url))
                assert answer.status == 405
                assert answer.header("allow") == "GET, HEAD, OPTIONS, POST"
            await room.connectors.settled()
            assert room.calls == []
            assert await states(room) == []
            _ = await room.at.disconnect()


async def test_a_probe_of_the_applications_url_is_answered() -> None:
    """A connector without a route has no such URL."""
    async with office(MemoryStore()) as at_office, mailroom(MemoryStore()) as room:
        for method in PROBES:
            asked = HttpRequest(method, at_office.url)
            assert (await at_office.connectors.handle(asked)).status == 200
            elsewhere = HttpRequest(method, "https://app.example.com/webhooks/mail")
            assert (await room.send(elsewhere)).status == 404


async def asked(scheme: Verification, token: str) -> HttpResponse:
    """The answer to the provider's challenge."""
    async with mailroom(MemoryStore(), Plan(scheme=scheme)) as room:
        request = challenge_webhook(scheme, room.endpoint, token, now=SIGNED_AT)
        return await room.send(request)


async def test_dropbox_gets_its_challenge_back() -> None:
    """As plain text that no browser runs; too long or twice is malformed."""
    answer = await asked(DROPBOX, "<b>token</b>")
    assert (answer.status, answer.body) == (200, b"<b>token</b>")
    assert answer.header("content-type") == "text/plain; charset=utf-8"
    assert answer.header("x-content-type-options") == "nosniff"
    for token, status in (("x" * 256, 200), ("x" * 257, 400), ("", 400), ("a&challenge=b", 200)):
        assert (await asked(DROPBOX, token)).status == status
    async with mailroom(MemoryStore(), Plan(scheme=DROPBOX)) as room:
        twice = HttpRequest("GET", room.endpoint.url.reveal() + "?challenge=a&challenge=b")
        assert (await room.send(twice)).status == 400


async def test_cloud_events_get_the_permission_to_deliver() -> None:
    """Only where the scheme declares it, and only for an origin that a header can repeat."""
    answer = await asked(EVENT_GRID, "eventgrid.azure.net")
    assert answer.status == 200
    assert answer.header("webhook-allowed-origin") == "eventgrid.azure.net"
    assert answer.header("webhook-allowed-rate") == "*"
    for origin, status in (("x" * 255, 200), ("x" * 256, 400), ("", 400), ("a\r\nb: c", 400)):
        assert (await asked(EVENT_GRID, origin)).status == status
    async with mailroom(MemoryStore()) as room:
        header = ("WebHook-Request-Origin", "eventgrid.azure.net")
        other = HttpRequest("OPTIONS", room.endpoint.url.reveal(), (header,))
        refused = await room.send(other)
        assert (refused.status, refused.header("webhook-allowed-origin")) == (200, None)
    async with mailroom(MemoryStore(), Plan(scheme=EVENT_GRID)) as room:
        wrong = replace(room.endpoint, url=Secret(room.endpoint.url.reveal()[:-4] + "none"))
        request = challenge_webhook(EVENT_GRID, wrong, "eventgrid.azure.net", now=SIGNED_AT)
        assert (await room.send(request)).status == 404
