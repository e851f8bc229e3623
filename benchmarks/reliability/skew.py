"""Processes whose clocks are ten minutes off share one refresh all the same."""

import asyncio
from datetime import timedelta

from benchmarks.reliability.figure import Figure
from benchmarks.reliability.scene import scene, tenants
from benchmarks.reliability.work import call_all, complaints
from igniter_connectors.testing import ProviderScript

CONNECTIONS = 10
SKEWS = (timedelta(minutes=-10), timedelta(), timedelta(minutes=10))
CALLS = 4


async def skew() -> Figure:
    """One process ten minutes behind, one right, one ten minutes ahead; ten connections."""
    names = tenants(CONNECTIONS)
    async with scene() as here:
        await here.connect(names)
        _ = await here.provider.follow(ProviderScript(answer_after_seconds=0.2))
        workers = [here.start(skew=one) for one in SKEWS]
        await asyncio.gather(*(worker.run(complaints) for worker in workers))
        answers = await asyncio.gather(*(worker.run(call_all, names * CALLS) for worker in workers))
        # And once more, when the tokens are there: nobody may think them expired.
        answers += await asyncio.gather(*(worker.run(call_all, names) for worker in workers))
        grants = await here.grants()
        in_step = await here.in_step(workers[0], names)
    requests = [len(grant.requests) for grant in grants.values()]
    failed = sum(bool(one.code) for outcomes in answers for one in outcomes)
    return Figure(
        "skew",
        f"{min(requests)} to {max(requests)} requests a connection, {failed} actions failed, "
        f"{len(in_step)} of {CONNECTIONS} rows as at the provider",
        f"1 to 1, 0, {CONNECTIONS}",
        set(requests) == {1} and not failed and len(in_step) == CONNECTIONS,
    )
