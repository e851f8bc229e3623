"""One attempt to handle an event, over every store."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from returns.result import Failure, Result, Success

from igniter_connectors import Keyring, Problem, Secret, value_or_raise
from igniter_connectors.events import WebhookFailedEvent, WebhookProcessed
from igniter_connectors.flows.webhooks import attempt
from igniter_connectors.problems import ActionFailed, ApiRateLimited, Conflict, NeedsReauth
from igniter_connectors.webhooks import DeliveryLimits, Retries
from tests.flows.mailroom import SOON, Answer, Call, Mail, MakeStore, Plan, mailroom, states
from tests.sample import CANARY


async def test_the_provider_does_not_wait_for_the_handler(make_store: MakeStore) -> None:
    """The handler starts after the provider got its 2xx, and events are handled concurrently."""
    gate = asyncio.Event()

    async def wait(call: Call) -> Answer:
        if call.payload.text == "slow":
            await gate.wait()
        return Success(None)

    async with mailroom(make_store(), Plan(wait)) as room:
        assert (await room.post("slow", "1")).status == 204
        assert (await room.post("quick", "2")).status == 204
        await room.until(lambda: any(isinstance(one, WebhookProcessed) for one in room.events))
        assert "quick" in room.texts
        assert [state for state, _, _ in await states(room)] == ["pending", "done"]
        gate.set()
        await room.connectors.settled()
        assert [state for state, _, _ in await states(room)] == ["done", "done"]


async def test_an_event_whose_connection_is_disabled_before_a_retry_is_held(
    make_store: MakeStore,
) -> None:
    """The retry does not run until the connection is enabled again."""
    fails = True

    async def handle(call: Call) -> Answer:
        return call.failed("no") if fails else Success(None)

    pause = timedelta(milliseconds=150)
    retries = Retries(attempts=9, first_after=pause, longest=pause)
    async with mailroom(make_store(), Plan(handle, retries=retries)) as room:
        await room.post("hi")
        await room.until(lambda: len(room.calls) == 1)
        value_or_raise(await room.at.disable())
        await asyncio.sleep(0.3)
        await room.connectors.settled()
        assert (await states(room))[0][:2] == ("held", 1)
        fails = False
        value_or_raise(await room.at.enable())
        await room.connectors.settled()
        assert (await states(room))[0][:2] == ("done", 2)


async def test_a_handler_that_exceeds_its_time_limit_is_cancelled(make_store: MakeStore) -> None:
    """It counts as failed, and is retried."""

    async def hang(call: Call) -> Answer:
        if call.attempt == 1:
            await asyncio.sleep(60)
        return Success(None)

    plan = Plan(hang, time_limit=timedelta(milliseconds=50))
    async with mailroom(make_store(), plan) as room:
        await room.post("hi")
        await room.until(lambda: len(room.calls) == 2)
        await room.connectors.settled()
        assert await states(room) == [("done", 2, "CONNECTOR_WEBHOOK_FAILED")]


async def test_events_of_a_deleted_connection_become_dead_letters(make_store: MakeStore) -> None:
    """Its secrets are deleted. A new connection with the same key does not get its events."""
    plan = Plan(limits=DeliveryLimits(handlers_at_once=0))
    async with mailroom(make_store(), plan) as room:
        await room.post("hi")
        value_or_raise(await room.at.disconnect())
    async with mailroom(make_store()) as again:
        await again.connectors.settled()
        assert again.calls == []
        assert await states(again) == [("dead", 1, "CONNECTOR_NOT_CONNECTED")]


@pytest.mark.parametrize("lacks", ["the body's key", "the config's key"])
async def test_a_process_without_the_new_secret_leaves_the_event_to_others(
    lacks: str, make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a new secret is rolled out. The attempt does not count, so nothing becomes dead."""
    monkeypatch.setattr(attempt, "_PAUSE_FOR_OTHERS", timedelta(milliseconds=50))
    secret, store = Keyring.generate(), make_store()
    old = Plan(keyring=Keyring.from_secret(secret))
    new = Plan(keyring=Keyring.from_secret(Keyring.generate(), previous=[secret]))
    receiving = DeliveryLimits(handlers_at_once=0)
    async with mailroom(store, replace(old, limits=receiving)) as room:
        endpoint = room.endpoint
        if lacks == "the config's key":
            await room.post("hi")
    async with mailroom(store, replace(new, limits=receiving), endpoint=endpoint) as room:
        if lacks == "the config's key":
            value_or_raise(await room.at.update(Mail(Secret(CANARY))))
        else:
            await room.post("hi")
    async with mailroom(store, old, endpoint=endpoint) as behind:
        for _ in range(2 * SOON.attempts):
            await behind.connectors.settled()
            await asyncio.sleep(0.06)
        assert behind.calls == []
        assert [state for state, *_ in await states(behind)] == ["pending"]
    async with mailroom(store, new, endpoint=endpoint) as rotated:
        await rotated.until(lambda: rotated.texts == ["hi"])
        assert [call.attempt for call in rotated.calls] == [1]


@pytest.mark.parametrize(
    "problem",
    [
        NeedsReauth("mail", "revoked"),
        ApiRateLimited("mail", datetime(2030, 1, 1, tzinfo=UTC)),
        Conflict("mail"),
        ActionFailed("other", "say", "why"),
    ],
    ids=lambda one: type(one).__name__,
)
async def test_a_handler_passes_any_problem_on(make_store: MakeStore, problem: Problem) -> None:
    """The event and the inbox have its code, not a code of webhooks."""

    async def handle(_call: Call) -> Result[None, Problem]:
        return Failure(problem)

    plan = Plan(handle, retries=Retries(attempts=1))
    async with mailroom(make_store(), plan) as room:
        await room.post("hi")
        await room.connectors.settled()
        assert await states(room) == [("dead", 1, problem.code)]
        codes = [one.code for one in room.events if isinstance(one, WebhookFailedEvent)]
        assert codes == [problem.code]


@pytest.mark.parametrize("asks", ["problem", "handler"])
async def test_an_event_is_not_retried_before_the_time_that_the_problem_names(
    make_store: MakeStore, asks: str
) -> None:
    """A rate limit that ends in an hour is not asked twelve times before."""
    hour = datetime.now(UTC) + timedelta(hours=1)

    async def handle(call: Call) -> Result[None, Problem]:
        if asks == "handler":
            return call.failed("busy", retry_at=hour)
        return Failure(ApiRateLimited("mail", hour))

    async with mailroom(make_store(), Plan(handle, retries=SOON)) as room:
        await room.post("hi")
        await room.until(lambda: any(isinstance(e, WebhookFailedEvent) for e in room.events))
        await room.connectors.settled()
        (event,) = value_or_raise(await room.at.webhooks.list()).items
        assert (event.state, event.attempts) == ("pending", 1)
        assert event.due_at is not None
        assert timedelta(minutes=59) < event.due_at - datetime.now(UTC) < timedelta(minutes=61)


@pytest.mark.parametrize(
    ("returned", "says"),
    [
        (None, "the handler returned None, which is not a Result"),
        (True, "the handler returned bool, which is not a Result"),
        (Failure(CANARY), "the handler returned Failure(str), which is not a problem"),
    ],
)
async def test_a_handler_that_returns_no_result_has_failed(
    make_store: MakeStore, returned: object, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told what to return; its event is not taken for done."""

    async def handle(_call: Call) -> Answer:
        return returned  # type: ignore[return-value]  # the misuse

    async with mailroom(make_store(), Plan(handle, retries=Retries(attempts=1))) as room:
        await room.post("hi")
        await room.connectors.settled()
        assert await states(room) == [("dead", 1, "CONNECTOR_WEBHOOK_FAILED")]
    assert says in caplog.text
    assert CANARY not in caplog.text
