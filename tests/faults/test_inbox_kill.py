"""SIGKILL after the provider's 2xx: the event is handled and takes effect once."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from returns.result import Success

from igniter_connectors import Keyring, value_or_raise
from igniter_connectors.webhooks import DeliveryLimits, WebhookEndpoint
from tests.faults.effects import INSERT, Effects
from tests.faults.inbox_process import POINTS
from tests.flows.mailroom import Answer, Call, Plan, mailroom

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


def killed_at(point: str, effects: Effects, endpoint: WebhookEndpoint) -> None:
    """Runs a process until it reaches the point, and kills it."""
    fields = {
        "id": endpoint.id,
        "url": endpoint.url.reveal(),
        "secret": endpoint.signing_secret.reveal(),
    }
    environment = {"IGNITER_SECRET": SECRET.reveal(), "IGNITER_ENDPOINT": json.dumps(fields)}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.inbox_process", effects.kind, effects.location, point],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, **environment},
    ) as process:
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
