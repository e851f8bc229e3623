"""SIGKILL after the provider's 2xx: the event is handled and takes effect once."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from returns.result import Success

from igniter_connectors import Keyring, value_or_raise
from igniter_connectors.webhooks import DeliveryLimits, WebhookEndpoint
from tests.faults.effects import INSERT, Effects
from tests.faults.inbox_process import KILLER, POINTS
from tests.flows.mailroom import SOON, Answer, Call, Plan, mailroom

SECRET = Keyring.generate()
KEYRING = Keyring.from_secret(SECRET)


@pytest.fixture(params=["sqlite", "postgres"])
def effects(request: pytest.FixtureRequest, tmp_path: Path) -> Effects:
    if request.param == "sqlite":
        table = Effects("sqlite", str(tmp_path / "c.db"))
    else:
        table = Effects("postgres", str(request.getfixturevalue("database_url")))
    table.create()
    return table


def started(point: str, effects: Effects, endpoint: WebhookEndpoint) -> subprocess.Popen[str]:
    """A process that goes to this point."""
    fields = {
        "id": endpoint.id,
        "url": endpoint.url.reveal(),
        "secret": endpoint.signing_secret.reveal(),
    }
    environment = {"IGNITER_SECRET": SECRET.reveal(), "IGNITER_ENDPOINT": json.dumps(fields)}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.faults.inbox_process", effects.kind, effects.location, point],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, **environment},
    )


def killed_at(point: str, effects: Effects, endpoint: WebhookEndpoint) -> None:
    """Runs a process until it reaches the point, and kills it."""
    with started(point, effects, endpoint) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline().strip() == point
        finally:
            process.kill()


@pytest.mark.parametrize("point", POINTS)
async def test_an_acknowledged_event_survives_its_process(point: str, effects: Effects) -> None:
    """The process is killed before the handler, in it, in its transaction, or after its commit."""
    store = effects.store()
    async with mailroom(store, Plan(keyring=KEYRING)) as first:
        endpoint = first.endpoint
    await asyncio.to_thread(killed_at, point, effects, endpoint)

    async def handle(call: Call) -> Answer:
        async with store.transaction(call) as connection:
            await connection.execute(INSERT.format("next"))
        return Success(None)

    limits = DeliveryLimits(sweep_every=timedelta(milliseconds=50))
    async with mailroom(store, Plan(handle, keyring=KEYRING, limits=limits), endpoint=endpoint) as (
        room
    ):
        async with asyncio.timeout(20):
            while True:
                event = value_or_raise(await room.at.webhooks.last())
                assert event is not None
                if event.state == "done":
                    break
                await asyncio.sleep(0.02)
        assert event.event_id == "msg_1"
        # The provider sends the event again, for example because it did not get the 2xx.
        assert (await room.post("hi")).status == 204
        await room.connectors.settled()
    assert effects.letters() == ["killed" if point == "committed" else "next"]


def kills_until_done(effects: Effects, endpoint: WebhookEndpoint) -> int:
    """Starts a process whenever the last one was killed; how many were."""
    for kills in range(9):
        with started(KILLER, effects, endpoint) as process:
            if process.wait(60) == 0:
                return kills
            assert process.returncode == -signal.SIGKILL
    raise AssertionError("the event goes on killing processes")


async def test_an_event_that_kills_its_process_takes_no_other_with_it(effects: Effects) -> None:
    """It is dead after the retries' number of attempts; what ran beside it is handled."""
    store = effects.store()
    nobody = Plan(keyring=KEYRING, limits=DeliveryLimits(handlers_at_once=0))
    async with mailroom(store, nobody) as room:
        endpoint = room.endpoint
        for text in ("first", KILLER, "second", "third"):
            assert (await room.post(text, text)).status == 204
    kills = await asyncio.to_thread(kills_until_done, effects, endpoint)
    async with mailroom(effects.store(), nobody, endpoint=endpoint) as room:
        events = value_or_raise(await room.at.webhooks.list()).items
    assert {event.event_id: (event.state, event.last_code) for event in events} == {
        KILLER: ("dead", "CONNECTOR_WEBHOOK_PROCESS_ENDED"),
        **dict.fromkeys(("first", "second", "third"), ("done", "PROCESS_ENDED")),
    }
    assert kills == SOON.attempts
    assert sorted(effects.letters()) == ["first", "second", "third"]
