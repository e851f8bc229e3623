"""A process that receives one webhook and stops at a named point, to be killed there.

`python -m tests.faults.inbox_process KIND PLACE POINT`, the secret in IGNITER_SECRET and the
endpoint as JSON in IGNITER_ENDPOINT. It writes the point's name when it is there.
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


async def stay_at(point: str) -> NoReturn:
    sys.stdout.write(f"{point}\n")
    sys.stdout.flush()
    await asyncio.sleep(3600)
    raise AssertionError("nobody killed it")


async def run(effects: Effects, point: str) -> None:
    store = effects.store()

    async def handle(call: Call) -> Answer:
        if point == "handling":
            await stay_at(point)
        async with store.transaction(call) as connection:
            await connection.execute(INSERT.format("killed"))
            if point == "inside":
                await stay_at(point)
        if point == "committed":
            await stay_at(point)
        return Success(None)

    told = json.loads(os.environ["IGNITER_ENDPOINT"])
    endpoint = WebhookEndpoint(told["id"], Secret(told["url"]), Secret(told["secret"]))
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
            await stay_at(point)
        await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run(run(Effects(sys.argv[1], sys.argv[2]), sys.argv[3]))
