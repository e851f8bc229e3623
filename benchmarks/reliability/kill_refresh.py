"""SIGKILL at each step of a refresh: does the connection survive?

Each kill hits its own process, which refreshes its own connection. Directly afterwards two other
processes use that connection. At a provider whose grace period is longer than the lease, every
connection must recover. Without a grace period, a kill between request and commit loses the rotated
token. Then a client can only send at most two requests and report that the rotation was probably
lost.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from benchmarks.reliability.breakpoints import (
    AFTER_RESPONSE,
    BEFORE_COMMIT,
    REFRESH_STEPS,
    REQUEST_SENT,
)
from benchmarks.reliability.cluster import Cluster, running_cluster, tenants
from benchmarks.reliability.figure import Figure, Measurement
from benchmarks.reliability.operations import Outcome, call
from igniter_connectors.testing import ProviderProcess, ProviderScript, provider_process

TIMES = 20

_AT_ONCE = 6
_GRACE_SECONDS = 60.0
INCONSISTENT = Outcome("", "the stored token is not the provider's")
_LOSING_STEPS = {REQUEST_SENT, AFTER_RESPONSE, BEFORE_COMMIT}


def kill_refresh_times(times: int) -> Measurement:
    """The figure with this many kills at each step."""

    async def run() -> Figure:
        return await _kill_refresh(times)

    return run


async def _kill_refresh(times: int) -> Figure:
    async with clusters() as (cluster, strict):
        recovered, verdicts = await asyncio.gather(
            _killed_and_used(cluster, cluster.provider, times),
            _killed_and_used(cluster, strict, times),
        )
        graced = await cluster.grants()
        strictly = await cluster.grants(strict)
    lives = sum(not one.code for one in recovered.values())
    most = max(len(grant.requests) for grant in (*strictly.values(), *graced.values()))
    labels = Counter(_label(one) for one in (*recovered.values(), *verdicts.values()) if one.code)
    as_expected = sum(
        (one.reason == "lost_rotation") if _step(tenant) in _LOSING_STEPS else not one.code
        for tenant, one in verdicts.items()
    )
    total = times * len(REFRESH_STEPS)
    return Figure(
        "kill-refresh",
        f"{total} kills with a grace: {lives} recovered; {total} without: {dict(labels)}, "
        f"{as_expected} as expected; {most} requests at most",
        f"{total}; lost_rotation alone, where it was lost ({times * len(_LOSING_STEPS)}); 2",
        lives == as_expected == total and most <= 2,
    )


async def _killed_and_used(
    cluster: Cluster, provider: ProviderProcess, times: int
) -> dict[str, Outcome]:
    """Kills at every step. Returns the outcome of a later action, by tenant."""
    names = tenants(times * len(REFRESH_STEPS), name=provider.url[-5:])
    await cluster.connect(names, provider=provider)
    survivors = [cluster.start(provider=provider) for _ in range(2)]
    places = asyncio.Semaphore(_AT_ONCE)

    async def killed(tenant: str) -> None:
        if _step(tenant) == REQUEST_SENT:
            worker = cluster.start(provider=provider)
            _ = worker.submit(call, tenant)
            while not (await cluster.grants(provider))[tenant].in_flight:  # noqa: ASYNC110  # no notification
                await asyncio.sleep(0.02)
        else:
            worker = cluster.start(stop_at=_step(tenant), provider=provider)
            _ = worker.submit(call, tenant)
            await worker.wait_at_step()
        cluster.kill(worker)

    async def killed_and_used(tenant: str) -> Outcome:
        async with places:
            await killed(tenant)
        one, other = [await survivor.run(call, tenant) for survivor in survivors]
        # Both must have the same outcome. A difference is reported as a fault.
        if (one.code, one.reason) != (other.code, other.reason):
            return Outcome(tenant, f"{_label(one)} and {_label(other)}")
        return one

    normal = (await provider.state()).script
    # The provider rotates at once and delays its response.
    late = ProviderScript(reuse_grace_seconds=normal.reuse_grace_seconds, answer_late_seconds=300)
    _ = await provider.follow(late)
    sent = [one for one in names if _step(one) == REQUEST_SENT]
    # These kills happen before a survivor can refresh: the leases last 15 s.
    using = [asyncio.create_task(killed_and_used(tenant)) for tenant in sent]
    while await _requests(cluster, provider) < len(sent):  # noqa: ASYNC110  # the provider sends no notification
        await asyncio.sleep(0.05)
    _ = await provider.follow(normal)
    others = [one for one in names if _step(one) != REQUEST_SENT]
    using += [asyncio.create_task(killed_and_used(tenant)) for tenant in others]
    outcomes = dict(zip([*sent, *others], await asyncio.gather(*using), strict=True))
    consistent_tenants = await cluster.consistent_tenants(survivors[0], names, provider=provider)
    return {
        tenant: one if one.code or tenant in consistent_tenants else INCONSISTENT
        for tenant, one in outcomes.items()
    }


async def _requests(cluster: Cluster, provider: ProviderProcess) -> int:
    return sum(bool(grant.requests) for grant in (await cluster.grants(provider)).values())


def _label(outcome: Outcome) -> str:
    return outcome.reason or outcome.code or "alive"


def _step(tenant: str) -> str:
    return REFRESH_STEPS[int(tenant.rpartition("-")[2]) % len(REFRESH_STEPS)]


@asynccontextmanager
async def clusters() -> AsyncGenerator[tuple[Cluster, ProviderProcess], None]:
    """A cluster whose provider has a grace period, and a second provider without one."""
    graced = ProviderScript(reuse_grace_seconds=_GRACE_SECONDS)
    async with running_cluster(graced) as cluster, provider_process() as strict:
        yield cluster, strict
