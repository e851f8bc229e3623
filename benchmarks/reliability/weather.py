"""Bad weather at the provider: 503, 429, broken connections and time-outs, for half a minute.

The tokens are due for renewal all the while and live longer than the storm: no action may fail, no
grant may be condemned, and what the provider asks for in `Retry-After` is waited in full.
"""

import asyncio
from collections import Counter
from datetime import timedelta

from benchmarks.reliability.application import Application
from benchmarks.reliability.figure import Campaign, Figure
from benchmarks.reliability.scene import scene, tenants
from benchmarks.reliability.work import Outcome, call_all
from igniter_connectors.testing import Grant, ProviderScript

SECONDS = 30.0
CONNECTIONS = 20
PROCESSES = 2

# Of an hour's life five minutes are left: due, whatever the connection's jitter.
_DUE = -timedelta(minutes=55)
_WEATHERS = (
    ProviderScript(token_status=503, retry_after="4"),
    ProviderScript(drops="before"),
    ProviderScript(token_status=429, retry_after="6"),
    # Past the client's deadline, and the provider never looks at the grant.
    ProviderScript(answer_after_seconds=12, drops="before"),
)
_ENOUGH = 100


def weather_for(seconds: float) -> Campaign:
    """The figure with so much of it."""

    async def run() -> Figure:
        return await _weather(seconds)

    return run


async def _weather(seconds: float) -> Figure:
    names = tenants(CONNECTIONS)
    async with scene() as here:
        await here.connect(names, skew=_DUE)
        workers = [here.start() for _ in range(PROCESSES)]
        # A request gets one after the other, so that every connection meets each.
        _ = await here.provider.follow_next(_WEATHERS * _ENOUGH)
        used = await asyncio.gather(*(worker.run(use_for, names, seconds) for worker in workers))
        grants = await here.grants()
        in_step = await here.in_step(workers[0], names)
    outcomes = [outcome for outcomes in used for outcome in outcomes]
    failed = sum(bool(outcome.code) for outcome in outcomes)
    asked = Counter(request.status for grant in grants.values() for request in grant.requests)
    hasty = sum(_hasty(grant) for grant in grants.values())
    return Figure(
        "weather",
        f"{failed} of {len(outcomes)} actions failed in {seconds:.0f} s with {asked[503]} answers "
        f"503, {asked[429]} answers 429 and {asked[0]} without; {hasty} requests before their "
        f"Retry-After was over; {len(in_step)} of {CONNECTIONS} grants alive",
        f"0; 0; {CONNECTIONS}",
        (failed, hasty, len(in_step)) == (0, 0, CONNECTIONS)
        and set(asked) == {0, 429, 503}
        and min(asked.values()) > 0,
    )


async def use_for(app: Application, tenants: list[str], seconds: float) -> list[Outcome]:
    """Uses every connection again and again."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    outcomes: list[Outcome] = []
    while loop.time() < until:
        outcomes += await call_all(app, tenants)
        await asyncio.sleep(0.2)
    return outcomes


def _hasty(grant: Grant) -> int:
    """How many requests came although the one before them was told to wait longer."""
    pairs = zip(grant.requests, grant.requests[1:], strict=False)
    return sum(
        after.arrived_at < before.arrived_at + float(before.retry_after)
        for before, after in pairs
        if before.retry_after
    )
