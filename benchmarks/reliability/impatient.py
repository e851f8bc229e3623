"""Callers that give up at random moments take no grant with them."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress

from benchmarks.reliability.application import Application
from benchmarks.reliability.figure import Figure
from benchmarks.reliability.scene import scene, tenants
from benchmarks.reliability.work import call, call_all
from igniter_connectors.testing import ProviderScript

CONNECTIONS = 20
CALLERS = 100
PROCESSES = 2
_LONGEST_PATIENCE = 1.0


async def impatient() -> Figure:
    """Five callers a connection, over two processes, at a provider without a grace."""
    names = tenants(CONNECTIONS)
    async with scene() as here:
        await here.connect(names)
        _ = await here.provider.follow(
            ProviderScript(answer_after_seconds=0.1, answer_late_seconds=0.2)
        )
        workers = [here.start() for _ in range(PROCESSES)]
        share = CALLERS // PROCESSES
        gave_up = await asyncio.gather(
            *(
                worker.run(cancelled, (names * CALLERS)[number * share :][:share])
                for number, worker in enumerate(workers)
            )
        )
        answers = await asyncio.gather(*(worker.run(call_all, names) for worker in workers))
        grants = await here.grants()
        in_step = await here.in_step(workers[0], names)
    lost = CONNECTIONS - len(in_step)
    refused = sum(grant.invalid_grants for grant in grants.values())
    requests = sum(len(grant.requests) for grant in grants.values())
    failed = sum(bool(one.code) for outcomes in answers for one in outcomes)
    return Figure(
        "impatient",
        f"{sum(gave_up)} of {CALLERS} callers cancelled in the middle: {lost} grants lost, "
        f"{refused} invalid_grant, {requests} requests, {failed} later actions failed",
        f"0, 0, {CONNECTIONS}, 0",
        (lost, refused, requests, failed) == (0, 0, CONNECTIONS, 0) and sum(gave_up) > 0,
    )


async def cancelled(app: Application, tenants: Sequence[str]) -> int:
    """Calls for each and cancels it at a random moment; how many had not come back by then."""

    async def one(tenant: str) -> bool:
        calling = asyncio.create_task(call(app, tenant))
        await asyncio.sleep(random.uniform(0, _LONGEST_PATIENCE))
        was_waiting = calling.cancel()
        with suppress(asyncio.CancelledError):
            await calling
        return was_waiting

    return sum(await asyncio.gather(*map(one, tenants)))
