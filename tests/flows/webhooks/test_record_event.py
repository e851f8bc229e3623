"""Recording a webhook event in the inbox, over every store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from igniter_connectors import MemoryStore, value_or_raise
from igniter_connectors.core.webhook.inbox import NewEvent, Recorded
from igniter_connectors.events import (
    WebhookProcessed,
    WebhookReceived,
)
from igniter_connectors.stores import StoreUnavailable
from igniter_connectors.webhooks import GITHUB
from tests.flows.mailroom import Letter, MakeStore, Plan, mailroom
from tests.sample import CANARY


async def test_an_event_is_recorded_acknowledged_and_handled_once(make_store: MakeStore) -> None:
    """The handler gets the attempt and the time of receipt. A duplicate is only acknowledged."""
    before = datetime.now(UTC) - timedelta(seconds=1)
    async with mailroom(make_store()) as room:
        for _ in range(3):
            assert (await room.post("hi")).status == 204
        await room.connectors.settled()
        (call,) = room.calls
        assert (call.payload, call.config.key.reveal()) == (Letter("hi"), CANARY)
        assert (call.event_id, call.attempt, call.possible_replay) == ("msg_1", 1, False)
        assert before < call.received_at < datetime.now(UTC) + timedelta(seconds=1)
        event = value_or_raise(await room.at.webhooks.find(call.id))
        assert (event.state, event.event_id, event.has_body) == ("done", "msg_1", True)
        assert value_or_raise(await room.at.webhooks.last()) == event
        assert value_or_raise(await room.at.explain()).last_webhook == event
        await room.until(lambda: len(room.events) == 3)
    kinds = [type(event) for event in room.events]
    assert kinds[1:] == [WebhookReceived, WebhookProcessed]


async def test_an_event_that_cannot_be_recorded_is_not_acknowledged() -> None:
    """The provider gets a 503, never a 2xx, and no handler runs. Its retry succeeds."""

    store = MemoryStore()
    record = store.inbox.record
    is_away = True

    async def away(event: NewEvent, *, owner: str, lease: timedelta) -> Recorded | None:
        if is_away:
            raise StoreUnavailable("away")
        return await record(event, owner=owner, lease=lease)

    store.inbox.record = away  # type: ignore[method-assign]  # an unavailable database
    async with mailroom(store) as room:
        assert (await room.post("hi")).status == 503
        await room.connectors.settled()
        assert room.calls == []
        is_away = False
        assert (await room.post("hi")).status == 204
        await room.connectors.settled()
        assert room.texts == ["hi"]


async def test_a_possible_replay_is_marked(make_store: MakeStore) -> None:
    """GitHub signs neither an id nor a time: anyone could send the same body again."""
    async with mailroom(make_store(), Plan(scheme=GITHUB)) as room:
        for id in ("1", "1", "2"):
            assert (await room.post("hi", id)).status == 204
            await room.connectors.settled()
        marks = [(call.event_id, call.possible_replay) for call in room.calls]
        assert marks == [("1", False), ("2", True)]
