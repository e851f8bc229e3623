"""A failing provider: 503, 429, broken connections and time-outs, for half a minute.

All the time the tokens are due for renewal but not expired. No action may fail, no grant may be
marked dead, and every `Retry-After` is waited out.
"""

import asyncio
from collections import Counter
from datetime import timedelta

from benchmarks.reliability.application import Application
from benchmarks.reliability.cluster import running_cluster, tenants
from benchmarks.reliability.figure import Figure, Measurement
from benchmarks.reliability.operations import Outcome, call_all
from igniter_connectors.testing import Grant, ProviderScript

SECONDS = 30.0
CONNECTIONS = 20
PROCESSES = 2

# Five minutes of an hour are left, which is due with any jitter.
_DUE = -timedelta(minutes=55)
_SCRIPTS = (
    ProviderScript(token_status=503, retry_after="4"),
    ProviderScript(drops="before"),
    ProviderScript(token_status=429, retry_after="6"),
    # Longer than the client's deadline, and the provider never looks at the grant.
    ProviderScript(answer_after_seconds=12, drops="before"),
)
_ENOUGH = 100


def weather_for(seconds: float) -> Measurement:
    """The figure over this many seconds."""

    async def run() -> Figure:
        return await _weather(seconds)

    return run


async def _weather(seconds: float) -> Figure:
    names = tenants(CONNECTIONS)
    async with running_cluster() as cluster:
        await cluster.connect(names, skew=_DUE)
        workers = [cluster.start() for _ in range(PROCESSES)]
        # Each request gets the next script, so that every connection meets all of them.
        _ = await cluster.provider.follow_next(_SCRIPTS * _ENOUGH)
        used = await asyncio.gather(*(worker.run(use_for, names, seconds) for worker in workers))
        grants = await cluster.grants()
        consistent_tenants = await cluster.consistent_tenants(workers[0], names)
    outcomes = [outcome for outcomes in used for outcome in outcomes]
    failed = sum(bool(outcome.code) for outcome in outcomes)
    statuses = Counter(request.status for grant in grants.values() for request in grant.requests)
    too_early = sum(_too_early(grant) for grant in grants.values())
    return Figure(
        "weather",
        f"{failed} of {len(outcomes)} actions failed in {seconds:.0f} s with {statuses[503]} "
        f"responses 503, {statuses[429]} responses 429 and {statuses[0]} lost ones; {too_early} "
        f"requests before their Retry-After; {len(consistent_tenants)} of {CONNECTIONS} grants "
        "alive",
        f"0; 0; {CONNECTIONS}",
        (failed, too_early, len(consistent_tenants)) == (0, 0, CONNECTIONS)
        and set(statuses) == {0, 429, 503}
        and min(statuses.values()) > 0,
    )


async def use_for(app: Application, tenants: list[str], seconds: float) -> list[Outcome]:
    """Calls every tenant's action repeatedly."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    outcomes: list[Outcome] = []
    while loop.time() < until:
        outcomes += await call_all(app, tenants)
        await asyncio.sleep(0.2)
    return outcomes


def _too_early(grant: Grant) -> int:
    """Number of requests that came before the Retry-After of the previous one."""
    pairs = zip(grant.requests, grant.requests[1:], strict=False)
    return sum(
        after.arrived_at < before.arrived_at + float(before.retry_after)
        for before, after in pairs
        if before.retry_after
    )
