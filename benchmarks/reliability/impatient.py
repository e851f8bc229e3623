"""Callers are cancelled at random moments: no grant is lost."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress

from benchmarks.reliability.application import Application
from benchmarks.reliability.cluster import running_cluster, tenants
from benchmarks.reliability.figure import Figure
from benchmarks.reliability.operations import call, call_all
from igniter_connectors.testing import ProviderScript

CONNECTIONS = 20
CALLERS = 100
PROCESSES = 2
_MAX_PATIENCE_SECONDS = 1.0


async def impatient() -> Figure:
    """Five callers per connection, over two processes, at a provider without a grace period."""
    names = tenants(CONNECTIONS)
    async with running_cluster() as cluster:
        await cluster.connect(names)
        _ = await cluster.provider.follow(
            ProviderScript(answer_after_seconds=0.1, answer_late_seconds=0.2)
        )
        workers = [cluster.start() for _ in range(PROCESSES)]
        share = CALLERS // PROCESSES
        gave_up = await asyncio.gather(
            *(
                worker.run(cancelled, (names * CALLERS)[number * share :][:share])
                for number, worker in enumerate(workers)
            )
        )
        answers = await asyncio.gather(*(worker.run(call_all, names) for worker in workers))
        grants = await cluster.grants()
        consistent_tenants = await cluster.consistent_tenants(workers[0], names)
    lost = CONNECTIONS - len(consistent_tenants)
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
    """Calls each tenant's action and cancels it. Returns how many calls were still running."""

    async def one(tenant: str) -> bool:
        calling = asyncio.create_task(call(app, tenant))
        await asyncio.sleep(random.uniform(0, _MAX_PATIENCE_SECONDS))
        was_waiting = calling.cancel()
        with suppress(asyncio.CancelledError):
            await calling
        return was_waiting

    return sum(await asyncio.gather(*map(one, tenants)))
