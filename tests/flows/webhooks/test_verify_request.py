"""Verifying a received request before anything is decoded or recorded."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from igniter_connectors import HttpRequest, MemoryStore, Secret
from igniter_connectors.events import WebhookFailedEvent
from tests.flows.mailroom import mailroom, states

OTHER_SECRET = Secret("whsec_" + "QUJD" * 8)


async def test_a_request_that_is_not_signed_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    """401, one log line with the reason, one event; nothing is recorded."""
    async with mailroom(MemoryStore()) as room:
        unsigned = HttpRequest("POST", room.endpoint.url.reveal(), (), b'{"text": "hi"}')
        assert (await room.send(unsigned)).status == 401
        assert await states(room) == []
        await room.until(lambda: any(isinstance(e, WebhookFailedEvent) for e in room.events))
    (event,) = [event for event in room.events if isinstance(event, WebhookFailedEvent)]
    assert (event.code, event.event_id) == ("CONNECTOR_WEBHOOK_VERIFICATION_FAILED", "")
    assert "mail: webhook refused: a header is missing" in caplog.text


async def test_a_request_signed_with_another_secret_is_refused() -> None:
    """401, although the endpoint exists."""
    async with mailroom(MemoryStore()) as room:
        endpoint = msgspec.structs.replace(room.endpoint, signing_secret=OTHER_SECRET)
        assert (await replace(room, endpoint=endpoint).post("hi")).status == 401
        assert await states(room) == []


async def test_a_payload_of_another_type_is_kept_with_its_id() -> None:
    """The signature is valid, so the event names the provider's id."""
    async with mailroom(MemoryStore()) as room:
        assert (await room.post(7, "msg_7")).status == 204  # type: ignore[arg-type]  # not a text
        assert await states(room) == [("dead", 1, "CONNECTOR_WEBHOOK_VALIDATION_FAILED")]
        await room.until(lambda: any(isinstance(e, WebhookFailedEvent) for e in room.events))
    (event,) = [event for event in room.events if isinstance(event, WebhookFailedEvent)]
    assert (event.code, event.event_id) == ("CONNECTOR_WEBHOOK_VALIDATION_FAILED", "msg_7")
