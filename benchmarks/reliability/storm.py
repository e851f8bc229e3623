"""Concurrent actions with expired tokens in four processes: one token request per grant."""

import asyncio
from collections.abc import Sequence
from itertools import chain

from benchmarks.reliability.cluster import running_cluster, tenants
from benchmarks.reliability.figure import Figure, Measurement
from benchmarks.reliability.operations import Outcome, call_all, warnings
from igniter_connectors.testing import ProviderScript, ProviderState

PROCESSES = 4
CONNECTIONS = 200


async def storm() -> Figure:
    """52 actions on one connection."""
    outcomes, state, warned = await _storm(["acme"] * (52 // PROCESSES), tenants=["acme"])
    counts = _counts(outcomes, state)
    holds = counts == (1, 0, 52) and not warned
    return Figure(
        "storm",
        "{} token requests, {} invalid_grant, {} of 52 succeeded".format(*counts),
        "1, 0, 52",
        holds,
    )


def storm_over(connections: int) -> Measurement:
    """The figure with this many connections, each used concurrently in every process."""

    async def run() -> Figure:
        names = tenants(connections)
        outcomes, state, warned = await _storm(names, tenants=names)
        counts = _counts(outcomes, state)
        actions = connections * PROCESSES
        once = sum(len(grant.requests) == 1 for grant in state.grants)
        return Figure(
            f"storm-{connections}",
            f"{{}} token requests, {{}} invalid_grant, {{}} of {actions} actions succeeded, "
            f"{len(warned)} calls found no free database connection".format(*counts),
            f"{connections}, 0, {actions}, 0",
            counts == (connections, 0, actions) and once == connections and not warned,
        )

    return run


def _counts(outcomes: Sequence[Outcome], state: ProviderState) -> tuple[int, int, int]:
    requests = sum(len(grant.requests) for grant in state.grants)
    refused = sum(grant.invalid_grants for grant in state.grants)
    return requests, refused, sum(not outcome.code for outcome in outcomes)


async def _storm(
    called: Sequence[str], *, tenants: Sequence[str]
) -> tuple[list[Outcome], ProviderState, list[str]]:
    async with running_cluster() as cluster:
        await cluster.connect(tenants)
        _ = await cluster.provider.follow(ProviderScript(answer_after_seconds=0.1))
        workers = [cluster.start() for _ in range(PROCESSES)]
        # All processes are ready before the first call.
        await asyncio.gather(*(worker.run(warnings) for worker in workers))
        answers = await asyncio.gather(*(worker.run(call_all, called) for worker in workers))
        warned = await asyncio.gather(*(worker.run(warnings) for worker in workers))
        state = await cluster.provider.state()
    return [*chain(*answers)], state, [*chain(*warned)]
