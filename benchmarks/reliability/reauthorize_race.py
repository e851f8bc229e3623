"""A callback overlaps a refresh that fails or succeeds: the connection works afterwards.

Both orders are tested: the refresh has its response and waits while the whole authorization runs,
and the authorization has its tokens and waits while the whole refresh runs.
"""

import asyncio
from collections import Counter

import httpx

from benchmarks.reliability.app_process import release
from benchmarks.reliability.application import Application
from benchmarks.reliability.breakpoints import AFTER_RESPONSE, BEFORE_GRANT_SAVED
from benchmarks.reliability.cluster import Cluster, running_cluster, tenants
from benchmarks.reliability.figure import Figure, Measurement
from benchmarks.reliability.operations import call_all, reauthorize
from igniter_connectors.testing import ProviderScript

EACH = 5

_SCRIPTS = {
    "invalid_grant": ProviderScript(token_status=400),
    "503": ProviderScript(token_status=503),
    "a lost response": ProviderScript(drops="after"),
    "success": ProviderScript(),
}


def reauthorize_race_of(each: int) -> Measurement:
    """The figure with this many connections for each order and each response to the refresh."""

    async def run() -> Figure:
        return await _reauthorize_race(each)

    return run


async def _reauthorize_race(each: int) -> Figure:
    alive: Counter[str] = Counter()
    async with running_cluster() as cluster:
        for answer, script in _SCRIPTS.items():
            alive[answer] += await _refresh_meets_callback(
                cluster, tenants(each, f"first {answer}"), script
            )
            alive[answer] += await _callback_meets_refresh(
                cluster, tenants(each, f"then {answer}"), script
            )
    return Figure(
        "reauthorize-race",
        "alive after a callback during a refresh, by the refresh's response: "
        + ", ".join(f"{answer} {number}" for answer, number in alive.items()),
        f"{2 * each} each",
        set(alive.values()) == {2 * each},
    )


async def _refresh_meets_callback(
    cluster: Cluster, names: list[str], script: ProviderScript
) -> int:
    await cluster.connect(names)
    _ = await cluster.provider.follow(script)
    refreshing, authorizing = cluster.start(stop_at=AFTER_RESPONSE), cluster.start()
    calling = refreshing.submit(call_all, names)
    await refreshing.wait_at_step(len(names))
    _ = await cluster.provider.follow(ProviderScript())
    await authorizing.run(reauthorize_all, names)
    await refreshing.run(release)
    _ = await calling
    return await _alive(cluster, names)


async def _callback_meets_refresh(
    cluster: Cluster, names: list[str], script: ProviderScript
) -> int:
    await cluster.connect(names)
    refreshing, authorizing = cluster.start(), cluster.start(stop_at=BEFORE_GRANT_SAVED)
    connecting = authorizing.submit(reauthorize_all, names)
    await authorizing.wait_at_step(len(names))
    _ = await cluster.provider.follow(script)
    _ = await refreshing.run(call_all, names)
    _ = await cluster.provider.follow(ProviderScript())
    await authorizing.run(release)
    await connecting
    return await _alive(cluster, names)


async def reauthorize_all(app: Application, tenants: list[str]) -> None:
    """Reauthorizes all tenants concurrently."""
    async with httpx.AsyncClient() as browser:
        await asyncio.gather(*(reauthorize(app, browser, tenant) for tenant in tenants))


async def _alive(cluster: Cluster, names: list[str]) -> int:
    """How many connections work in another process, with the newest grant's tokens."""
    other = cluster.start()
    outcomes = await other.run(call_all, names)
    consistent_tenants = await cluster.consistent_tenants(other, names)
    grants = await cluster.grants()
    return sum(
        not one.code and one.access_token == grants[one.tenant].access_token
        for one in outcomes
        if one.tenant in consistent_tenants
    )
