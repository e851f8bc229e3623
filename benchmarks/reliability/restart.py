"""The database is unavailable between the provider's response and the commit.

It is restarted without a checkpoint (`immediate`), and in a second run stopped (SIGSTOP). The
provider has rotated the token, so the grant depends on a process that cannot store it yet.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from benchmarks.reliability.app_process import AppProcess, release
from benchmarks.reliability.breakpoints import BEFORE_COMMIT
from benchmarks.reliability.cluster import Cluster, running_cluster, tenants
from benchmarks.reliability.figure import Figure
from benchmarks.reliability.operations import call_all

CONNECTIONS = 5
BAR_SECONDS = 5.0

_AWAY_SECONDS = 3.0
# The default of the store.
_DEADLINE = timedelta(milliseconds=800)


async def restart() -> Figure:
    """Five connections in each case, at a provider without a grace period."""
    async with running_cluster() as cluster:
        server = cluster.server
        restarted, failed = await _away(cluster, "restarted", server.stop_immediately, server.start)
        stopped, failed_too = await _away(cluster, "stopped", server.pause, server.resume)
        grants = await cluster.grants()
    refused = sum(grant.invalid_grants for grant in grants.values())
    requests = max(len(grant.requests) for grant in grants.values())
    failed += failed_too
    return Figure(
        "restart",
        f"stored {restarted:.1f} s after an immediate restart, {stopped:.1f} s after SIGSTOP; "
        f"{requests} request a connection, {refused} invalid_grant, {failed} "
        "actions failed",
        f"{BAR_SECONDS:.0f} s, {BAR_SECONDS:.0f} s, 1, 0, 0",
        max(restarted, stopped) <= BAR_SECONDS and (requests, refused, failed) == (1, 0, 0),
    )


async def _away(
    cluster: Cluster, name: str, leave: Callable[[], None], come_back: Callable[[], None]
) -> tuple[float, int]:
    """Seconds from the database's return until every row has the provider's token, and the
    number of waiting actions that failed."""
    names = tenants(CONNECTIONS, name)
    await cluster.connect(names)
    # The witness is a process that takes no part in the refresh.
    holder, witness = (
        cluster.start(stop_at=BEFORE_COMMIT, deadline=_DEADLINE),
        cluster.start(deadline=_DEADLINE),
    )
    calling = holder.submit(call_all, names)
    await holder.wait_at_step(CONNECTIONS)
    assert not await cluster.consistent_tenants(witness, names), "nothing is stored yet"
    leave()
    await holder.run(release)
    await asyncio.sleep(_AWAY_SECONDS)
    come_back()
    loop = asyncio.get_running_loop()
    back = loop.time()
    while len(await _in_step(cluster, witness, names)) < CONNECTIONS:
        if loop.time() > back + 4 * BAR_SECONDS:
            break
        await asyncio.sleep(0.05)
    waited = loop.time() - back
    return waited, sum(bool(outcome.code) for outcome in await calling)


async def _in_step(cluster: Cluster, witness: AppProcess, names: list[str]) -> list[str]:
    try:
        return await cluster.consistent_tenants(witness, names)
    except RuntimeError as error:
        if "StoreUnavailable" in str(error):
            return []
        raise
