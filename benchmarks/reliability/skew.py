"""Processes whose clocks differ by ten minutes still share one refresh."""

import asyncio
from datetime import timedelta

from benchmarks.reliability.cluster import running_cluster, tenants
from benchmarks.reliability.figure import Figure
from benchmarks.reliability.operations import call_all, warnings
from igniter_connectors.testing import ProviderScript

CONNECTIONS = 10
SKEWS = (timedelta(minutes=-10), timedelta(), timedelta(minutes=10))
CALLS = 4


async def skew() -> Figure:
    """One process is ten minutes behind, one correct, one ten minutes ahead. Ten connections."""
    names = tenants(CONNECTIONS)
    async with running_cluster() as cluster:
        await cluster.connect(names)
        _ = await cluster.provider.follow(ProviderScript(answer_after_seconds=0.2))
        workers = [cluster.start(skew=one) for one in SKEWS]
        await asyncio.gather(*(worker.run(warnings) for worker in workers))
        answers = await asyncio.gather(*(worker.run(call_all, names * CALLS) for worker in workers))
        # Again with fresh tokens: no process may consider them expired.
        answers += await asyncio.gather(*(worker.run(call_all, names) for worker in workers))
        grants = await cluster.grants()
        consistent_tenants = await cluster.consistent_tenants(workers[0], names)
    requests = [len(grant.requests) for grant in grants.values()]
    failed = sum(bool(one.code) for outcomes in answers for one in outcomes)
    return Figure(
        "skew",
        f"{min(requests)} to {max(requests)} requests a connection, {failed} actions failed, "
        f"{len(consistent_tenants)} of {CONNECTIONS} rows match the provider",
        f"1 to 1, 0, {CONNECTIONS}",
        set(requests) == {1} and not failed and len(consistent_tenants) == CONNECTIONS,
    )
