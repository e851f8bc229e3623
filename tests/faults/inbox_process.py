"""A process that receives one webhook and waits at a point, where the test kills it.

`python -m tests.faults.inbox_process KIND LOCATION POINT` reads the secret from IGNITER_SECRET and
the endpoint as JSON from IGNITER_ENDPOINT. It prints the point's name when it gets there.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from datetime import timedelta
from typing import Literal, NoReturn, get_args

from returns.result import Success

from igniter_connectors import Keyring, Secret, value_or_raise
from igniter_connectors.webhooks import DeliveryLimits, WebhookEndpoint
from tests.faults.effects import INSERT, Effects
from tests.flows.mailroom import Answer, Call, Plan, mailroom

Point = Literal["acknowledged", "handling", "inside", "committed"]
POINTS: tuple[Point, ...] = get_args(Point)

KILLER = "killer"
"""As a point: the event of this text kills its process, and the process goes on until no event is
pending."""


async def wait_at(point: str) -> NoReturn:
    sys.stdout.write(f"{point}\n")
    sys.stdout.flush()
    await asyncio.sleep(3600)
    raise AssertionError("the test did not kill the process")


async def live_or_kill(text: str) -> None:
    """Kills this process while the other events of the same claim run; they take longer."""
    await asyncio.sleep(0.3)
    if text == KILLER:
        os.kill(os.getpid(), signal.SIGKILL)
    await asyncio.sleep(0.3)


async def run(effects: Effects, point: str) -> None:
    store = effects.store()

    async def handle(call: Call) -> Answer:
        if point == KILLER:
            await live_or_kill(call.payload.text)
        if point == "handling":
            await wait_at(point)
        async with store.transaction(call) as connection:
            await connection.execute(
                INSERT.format(call.payload.text if point == KILLER else "killed")
            )
            if point == "inside":
                await wait_at(point)
        if point == "committed":
            await wait_at(point)
        return Success(None)

    fields = json.loads(os.environ["IGNITER_ENDPOINT"])
    endpoint = WebhookEndpoint(fields["id"], Secret(fields["url"]), Secret(fields["secret"]))
    plan = Plan(
        handle,
        keyring=Keyring.from_secret(Secret(os.environ["IGNITER_SECRET"])),
        limits=DeliveryLimits(
            handlers_at_once=0 if point == "acknowledged" else 8,
            lease=timedelta(seconds=1),
        ),
    )
    async with mailroom(store, plan, endpoint=endpoint) as room:
        if point == KILLER:
            while value_or_raise(await room.at.webhooks.list(state="pending")).items:  # noqa: ASYNC110  # a store has no event
                await asyncio.sleep(0.05)
            return
        answer = await room.post("hi")
        assert answer.status == 204
        if point == "acknowledged":
            await wait_at(point)
        await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run(run(Effects(sys.argv[1], sys.argv[2]), sys.argv[3]))
