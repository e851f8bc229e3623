"""Retries and dead letters, over every store."""

from __future__ import annotations

from returns.result import Success

from igniter_connectors import problem_of, value_or_raise
from igniter_connectors.events import (
    WebhookDeadLettered,
    WebhookFailedEvent,
    WebhookProcessed,
)
from igniter_connectors.problems import WebhookEventNotFound
from igniter_connectors.webhooks import Retries
from tests.flows.mailroom import Answer, Call, MakeStore, Plan, mailroom, states
from tests.sample import CANARY


async def test_a_failed_handler_is_retried(make_store: MakeStore) -> None:
    """It is retried after a pause, with the attempt's number. Only a code is stored."""

    async def third_time(call: Call) -> Answer:
        if call.attempt == 1:
            raise RuntimeError(CANARY)
        return call.failed("not yet") if call.attempt == 2 else Success(None)

    async with mailroom(make_store(), Plan(third_time)) as room:
        await room.post("hi")
        await room.until(lambda: len(room.calls) == 3)
        await room.connectors.settled()
        assert await states(room) == [("done", 3, "CONNECTOR_WEBHOOK_FAILED")]
        assert [call.attempt for call in room.calls] == [1, 2, 3]
        assert {call.id for call in room.calls} == {room.calls[0].id}
        await room.until(lambda: isinstance(room.events[-1], WebhookProcessed))
    assert sum(isinstance(event, WebhookFailedEvent) for event in room.events) == 2


async def test_the_reason_of_a_failure_is_kept_and_shown(make_store: MakeStore) -> None:
    """What `call.failed` said, or the exception's type; never a secret of the tenant."""

    async def broken(call: Call) -> Answer:
        if call.payload.text == "raise":
            raise KeyError(CANARY)
        return call.failed(f"no \x00\n\x1b[31m\ud83d {CANARY} " + "x" * 9999)

    async with mailroom(make_store(), Plan(broken, retries=Retries(attempts=1))) as room:
        for text in ("raise", "fail"):
            assert (await room.post(text, text)).status == 204
        await room.connectors.settled()
        listed = value_or_raise(await room.at.webhooks.list()).items
        for event in listed:
            assert event.state == "dead"
            assert value_or_raise(await room.at.webhooks.find(event.id)) == event
        reasons = {event.event_id: event.last_reason for event in listed}
        assert reasons["raise"] == "the handler raised KeyError"
        assert reasons["fail"].startswith("no \\x00\\n\\x1b[31m\\ud83d [secret] xxx")
        assert (len(reasons["fail"]), reasons["fail"][-1]) == (500, "…")
        assert value_or_raise(await room.at.explain()).last_webhook == listed[0]


async def test_after_the_last_failed_attempt_the_event_is_a_dead_letter(
    make_store: MakeStore,
) -> None:
    """An event is published, the row stays, and a replay handles it."""
    mends = False

    async def broken(call: Call) -> Answer:
        return Success(None) if mends else call.failed("no")

    async with mailroom(make_store(), Plan(broken)) as room:
        await room.post("hi")
        await room.until(lambda: any(isinstance(e, WebhookDeadLettered) for e in room.events))
        assert await states(room) == [("dead", 3, "CONNECTOR_WEBHOOK_FAILED")]
        assert len(room.calls) == 3
        id = room.calls[0].id
        mends = True
        assert value_or_raise(await room.at.webhooks.check_replay(id)).state == "dead"
        assert len(room.calls) == 3
        value_or_raise(await room.at.webhooks.replay(id))
        await room.connectors.settled()
        assert await states(room) == [("done", 1, "CONNECTOR_WEBHOOK_FAILED")]
        assert (await room.post("hi")).status == 204
        await room.connectors.settled()
        assert len(room.calls) == 4
        assert problem_of(await room.at.webhooks.replay("none")) == WebhookEventNotFound("mail")
