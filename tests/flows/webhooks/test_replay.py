"""Replaying an event, over every store."""

from __future__ import annotations

from datetime import timedelta

from igniter_connectors import problem_of, value_or_raise
from igniter_connectors.problems import WebhookEventNotReplayable
from tests.flows.mailroom import MakeStore, Plan, mailroom


async def test_an_event_without_its_body_is_not_replayed(make_store: MakeStore) -> None:
    """With `keep_body_for=0` the body is deleted as soon as the event is done."""
    async with mailroom(make_store(), Plan(keep_body_for=timedelta(0))) as room:
        await room.post("hi")
        await room.connectors.settled()
        id = room.calls[0].id
        assert not value_or_raise(await room.at.webhooks.find(id)).has_body
        for refused in (
            await room.at.webhooks.replay(id),
            await room.at.webhooks.check_replay(id),
            await room.at.webhooks.body(id),
        ):
            assert isinstance(problem_of(refused), WebhookEventNotReplayable)
