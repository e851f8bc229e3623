"""A holder is stopped (SIGSTOP) between answer and commit, past its lease, and woken.

When another has refreshed and committed meanwhile, the holder's commit changes no row. When nobody
has, it lands: the provider gave those tokens, and nobody else has them.
"""

import asyncio

from benchmarks.reliability.figure import Figure
from benchmarks.reliability.scene import scene, tenants
from benchmarks.reliability.steps import AFTER_ANSWER
from benchmarks.reliability.work import call, call_all, commits
from benchmarks.reliability.worker import go
from igniter_connectors.core.oauth.refresh_lease import DURATION
from igniter_connectors.testing import ProviderScript

CONNECTIONS = 5


async def late_commit() -> Figure:
    """Five connections each way, each holder a process of its own."""
    async with scene(ProviderScript(reuse_grace_seconds=60)) as here:
        overtaken, alone = tenants(CONNECTIONS, "overtaken"), tenants(CONNECTIONS, "alone")
        names = [*overtaken, *alone]
        await here.connect(names)
        holders = {tenant: here.start(stops_at=AFTER_ANSWER) for tenant in names}
        answers = {tenant: holder.begin(call, tenant) for tenant, holder in holders.items()}
        for holder in holders.values():
            await holder.stopped_at_its_step()
            holder.pause()
        await asyncio.sleep(DURATION.total_seconds() + 0.5)
        other = here.start()
        outcomes = await other.run(call_all, overtaken)
        for tenant, holder in holders.items():
            holder.resume()
            await holder.run(go)
            outcomes.append(await answers[tenant])
        changed = {tenant: await holder.run(commits) for tenant, holder in holders.items()}
        in_step = await here.in_step(other, names)
    stale = sum(changed[tenant] != [False] for tenant in overtaken)
    landed = sum(changed[tenant] == [True] for tenant in alone)
    succeeded = sum(not one.code for one in outcomes)
    told = (stale, landed, len(in_step), succeeded)
    bar = (0, CONNECTIONS, 2 * CONNECTIONS, 3 * CONNECTIONS)
    return Figure(
        "late-commit",
        "{} commits changed a row after another's, {} landed where there was none, "
        "{} rows as at the provider, {} actions succeeded".format(*told),
        "{}, {}, {}, {}".format(*bar),
        told == bar,
    )
