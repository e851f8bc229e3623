"""A process that receives one webhook and waits at a point, where the test kills it.

`python -m tests.faults.inbox_process KIND LOCATION POINT` reads the secret from IGNITER_SECRET and
the endpoint as JSON from IGNITER_ENDPOINT. It prints the point's name when it gets there.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import timedelta
from typing import Literal, NoReturn, get_args

from returns.result import Success

from igniter_connectors import Keyring, Secret
from igniter_connectors.webhooks import DeliveryLimits, WebhookEndpoint
from tests.faults.effects import INSERT, Effects
from tests.flows.mailroom import Answer, Call, Plan, mailroom

Point = Literal["acknowledged", "handling", "inside", "committed"]
POINTS: tuple[Point, ...] = get_args(Point)


async def wait_at(point: str) -> NoReturn:
    sys.stdout.write(f"{point}\n")
    sys.stdout.flush()
    await asyncio.sleep(3600)
    raise AssertionError("the test did not kill the process")


async def run(effects: Effects, point: str) -> None:
    store = effects.store()

    async def handle(call: Call) -> Answer:
        if point == "handling":
            await wait_at(point)
        async with store.transaction(call) as connection:
            await connection.execute(INSERT.format("killed"))
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
        answer = await room.post("hi")
        assert answer.status == 204
        if point == "acknowledged":
            await wait_at(point)
        await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run(run(Effects(sys.argv[1], sys.argv[2]), sys.argv[3]))
