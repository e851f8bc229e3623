"""A lease holder is stopped (SIGSTOP) between response and commit until its lease has expired.

If another process has refreshed and committed meanwhile, the holder's commit changes no row. If
not, the commit succeeds, because only the holder has the new tokens.
"""

import asyncio

from benchmarks.reliability.app_process import release
from benchmarks.reliability.breakpoints import AFTER_RESPONSE
from benchmarks.reliability.cluster import running_cluster, tenants
from benchmarks.reliability.figure import Figure
from benchmarks.reliability.operations import call, call_all, commits
from igniter_connectors.core.oauth.refresh_lease import DURATION
from igniter_connectors.testing import ProviderScript

CONNECTIONS = 5


async def late_commit() -> Figure:
    """Five connections in each case. Each holder is its own process."""
    async with running_cluster(ProviderScript(reuse_grace_seconds=60)) as cluster:
        overtaken, alone = tenants(CONNECTIONS, "overtaken"), tenants(CONNECTIONS, "alone")
        names = [*overtaken, *alone]
        await cluster.connect(names)
        holders = {tenant: cluster.start(stop_at=AFTER_RESPONSE) for tenant in names}
        answers = {tenant: holder.submit(call, tenant) for tenant, holder in holders.items()}
        for holder in holders.values():
            await holder.wait_at_step()
            holder.pause()
        await asyncio.sleep(DURATION.total_seconds() + 0.5)
        other = cluster.start()
        outcomes = await other.run(call_all, overtaken)
        for tenant, holder in holders.items():
            holder.resume()
            await holder.run(release)
            outcomes.append(await answers[tenant])
        changed = {tenant: await holder.run(commits) for tenant, holder in holders.items()}
        consistent_tenants = await cluster.consistent_tenants(other, names)
    stale = sum(changed[tenant] != [False] for tenant in overtaken)
    landed = sum(changed[tenant] == [True] for tenant in alone)
    succeeded = sum(not one.code for one in outcomes)
    counts = (stale, landed, len(consistent_tenants), succeeded)
    bar = (0, CONNECTIONS, 2 * CONNECTIONS, 3 * CONNECTIONS)
    return Figure(
        "late-commit",
        "{} late commits changed a row after another commit, {} without another commit, "
        "{} rows match the provider, {} actions succeeded".format(*counts),
        "{}, {}, {}, {}".format(*bar),
        counts == bar,
    )
