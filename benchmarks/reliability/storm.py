"""Many actions at once on tokens that have expired, in four processes."""

import asyncio
from collections.abc import Sequence
from itertools import chain

from benchmarks.reliability.figure import Campaign, Figure
from benchmarks.reliability.scene import scene, tenants
from benchmarks.reliability.work import Outcome, call_all, complaints
from igniter_connectors.testing import ProviderScript, ProviderState

PROCESSES = 4
CONNECTIONS = 200


async def storm() -> Figure:
    """52 actions on one connection."""
    outcomes, state, warned = await _storm(["acme"] * (52 // PROCESSES), tenants=["acme"])
    told = _told(outcomes, state)
    holds = told == (1, 0, 52) and not warned
    return Figure(
        "storm",
        "{} token requests, {} invalid_grant, {} of 52 succeeded".format(*told),
        "1, 0, 52",
        holds,
    )


def storm_over(connections: int) -> Campaign:
    """So many connections, each used in every process at once."""

    async def run() -> Figure:
        names = tenants(connections)
        outcomes, state, warned = await _storm(names, tenants=names)
        told = _told(outcomes, state)
        actions = connections * PROCESSES
        once = sum(len(grant.requests) == 1 for grant in state.grants)
        return Figure(
            f"storm-{connections}",
            f"{{}} token requests, {{}} invalid_grant, {{}} of {actions} actions succeeded, "
            f"{len(warned)} calls found no link in the pool".format(*told),
            f"{connections}, 0, {actions}, 0",
            told == (connections, 0, actions) and once == connections and not warned,
        )

    return run


def _told(outcomes: Sequence[Outcome], state: ProviderState) -> tuple[int, int, int]:
    requests = sum(len(grant.requests) for grant in state.grants)
    refused = sum(grant.invalid_grants for grant in state.grants)
    return requests, refused, sum(not outcome.code for outcome in outcomes)


async def _storm(
    called: Sequence[str], *, tenants: Sequence[str]
) -> tuple[list[Outcome], ProviderState, list[str]]:
    async with scene() as here:
        await here.connect(tenants)
        _ = await here.provider.follow(ProviderScript(answer_after_seconds=0.1))
        workers = [here.start() for _ in range(PROCESSES)]
        # All are up before the first begins.
        await asyncio.gather(*(worker.run(complaints) for worker in workers))
        answers = await asyncio.gather(*(worker.run(call_all, called) for worker in workers))
        warned = await asyncio.gather(*(worker.run(complaints) for worker in workers))
        state = await here.provider.state()
    return [*chain(*answers)], state, [*chain(*warned)]
