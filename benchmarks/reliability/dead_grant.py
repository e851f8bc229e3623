"""A grant that the provider revoked: one token request, then none."""

import asyncio
from collections import Counter

from benchmarks.reliability.application import Application
from benchmarks.reliability.cluster import running_cluster
from benchmarks.reliability.figure import Figure, Measurement
from benchmarks.reliability.operations import Outcome, call, call_all

ACTIONS = 1000
PROCESSES = 2
_AT_ONCE = 25


def dead_grant_in(actions: int) -> Measurement:
    """The figure with this many actions, after a few concurrent ones, in two processes."""

    async def run() -> Figure:
        return await _dead_grant(actions)

    return run


async def _dead_grant(actions: int) -> Figure:
    async with running_cluster() as cluster:
        await cluster.connect(["acme"])
        _ = await cluster.provider.revoke_all()
        workers = [cluster.start() for _ in range(PROCESSES)]
        first = await asyncio.gather(*(worker.run(call_all, ["acme"] * 5) for worker in workers))
        before = len((await cluster.grants())["acme"].requests)
        later = await asyncio.gather(
            *(worker.run(one_after_another, "acme", actions // PROCESSES) for worker in workers)
        )
        after = len((await cluster.grants())["acme"].requests) - before
    results = Counter((one.code, one.reason) for answers in (*first, *later) for one in answers)
    every = actions + 5 * PROCESSES
    needs_reauth = results["CONNECTOR_NEEDS_REAUTH", "needs_reauth"]
    return Figure(
        "dead-grant",
        f"{before} request, then {after} in {actions} actions; "
        f"{needs_reauth} of {every} returned needs_reauth",
        f"1, then 0; {every}",
        (before, after, needs_reauth) == (1, 0, every),
    )


async def one_after_another(app: Application, tenant: str, times: int) -> list[Outcome]:
    """Calls the action this many times, a few calls concurrently."""
    outcomes: list[Outcome] = []
    for _ in range(0, times, _AT_ONCE):
        outcomes += await asyncio.gather(*(call(app, tenant) for _ in range(_AT_ONCE)))
    return outcomes
