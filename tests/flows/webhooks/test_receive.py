"""Receiving webhooks: disabled connections and limits."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from igniter_connectors import MemoryStore, value_or_raise
from igniter_connectors.core.webhook.inbox import NewEvent, Recorded
from igniter_connectors.webhooks import DeliveryLimits
from tests.flows.mailroom import MakeStore, Plan, mailroom, states


async def test_events_of_a_disabled_connection_are_held(make_store: MakeStore) -> None:
    """They are verified, acknowledged and recorded, and handled in order after it is enabled."""
    async with mailroom(make_store(), Plan(order_key=lambda _: "one")) as room:
        value_or_raise(await room.at.disable())
        for text in "123":
            assert (await room.post(text, text)).status == 204
        await room.connectors.settled()
        assert room.calls == []
        assert await states(room) == [("held", 0, "")] * 3
        value_or_raise(await room.at.enable())
        await room.until(lambda: len(room.calls) == 3)
        await room.connectors.settled()
        assert room.texts == ["1", "2", "3"]
        assert [call.attempt for call in room.calls] == [1, 1, 1]


async def test_a_connector_may_drop_events_of_a_disabled_connection(make_store: MakeStore) -> None:
    """The provider still gets a 2xx, and nothing is stored."""
    async with mailroom(make_store(), Plan(when_disabled="drop")) as room:
        value_or_raise(await room.at.disable())
        assert (await room.post("hi")).status == 204
        assert await states(room) == []


async def test_a_delivery_over_the_limit_is_asked_to_retry() -> None:
    """It gets a 503 with Retry-After at once. Deliveries that were accepted are not affected."""
    store = MemoryStore()
    record, gate = store.inbox.record, asyncio.Event()

    async def slow(event: NewEvent, *, owner: str, lease: timedelta) -> Recorded | None:
        await gate.wait()
        return await record(event, owner=owner, lease=lease)

    store.inbox.record = slow  # type: ignore[method-assign]  # a slow database
    plan = Plan(limits=DeliveryLimits(received_at_once=2))
    async with mailroom(store, plan) as room:
        taken = [asyncio.create_task(room.post("x", f"id-{n}")) for n in range(2)]
        await asyncio.sleep(0.01)
        refused = await room.post("x", "id-3")
        assert (refused.status, refused.header("retry-after")) == (503, "1")
        gate.set()
        assert [(await task).status for task in taken] == [204, 204]
        assert (await room.post("x", "id-3")).status == 204
        await room.connectors.settled()
        assert len(room.calls) == 3
