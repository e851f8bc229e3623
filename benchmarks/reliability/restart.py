"""The database goes away between the provider's answer and the commit, and comes back.

Once restarted without a checkpoint (`immediate`), once stopped where it is (SIGSTOP). The provider
has rotated: until the commit lands the grant hangs on a process that cannot store it.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from benchmarks.reliability.figure import Figure
from benchmarks.reliability.scene import Scene, scene, tenants
from benchmarks.reliability.steps import BEFORE_COMMIT
from benchmarks.reliability.work import call_all
from benchmarks.reliability.worker import Worker, go

CONNECTIONS = 5
BAR_SECONDS = 5.0

_AWAY_SECONDS = 3.0
# As the store has it where nothing else is said.
_DEADLINE = timedelta(milliseconds=800)


async def restart() -> Figure:
    """Five connections each way, at a provider without a grace."""
    async with scene() as here:
        server = here.server
        restarted, failed = await _away(here, "restarted", server.stop_immediately, server.start)
        stopped, failed_too = await _away(here, "stopped", server.pause, server.resume)
        grants = await here.grants()
    refused = sum(grant.invalid_grants for grant in grants.values())
    requests = max(len(grant.requests) for grant in grants.values())
    failed += failed_too
    return Figure(
        "restart",
        f"stored as at the provider {restarted:.1f} s after an immediate restart, {stopped:.1f} s "
        f"after SIGSTOP; {requests} request a connection, {refused} invalid_grant, {failed} "
        "actions failed",
        f"{BAR_SECONDS:.0f} s, {BAR_SECONDS:.0f} s, 1, 0, 0",
        max(restarted, stopped) <= BAR_SECONDS and (requests, refused, failed) == (1, 0, 0),
    )


async def _away(
    here: Scene, name: str, leave: Callable[[], None], come_back: Callable[[], None]
) -> tuple[float, int]:
    """How long after it was back every row held the provider's token, in seconds; and how many
    of the actions that waited for it failed."""
    names = tenants(CONNECTIONS, name)
    await here.connect(names)
    # One that has nothing to do with it all looks on.
    holder, witness = (
        here.start(stops_at=BEFORE_COMMIT, deadline=_DEADLINE),
        here.start(deadline=_DEADLINE),
    )
    calling = holder.begin(call_all, names)
    await holder.stopped_at_its_step(CONNECTIONS)
    assert not await here.in_step(witness, names), "nothing is stored yet"
    leave()
    await holder.run(go)
    await asyncio.sleep(_AWAY_SECONDS)
    come_back()
    loop = asyncio.get_running_loop()
    back = loop.time()
    while len(await _in_step(here, witness, names)) < CONNECTIONS:
        if loop.time() > back + 4 * BAR_SECONDS:
            break
        await asyncio.sleep(0.05)
    waited = loop.time() - back
    return waited, sum(bool(outcome.code) for outcome in await calling)


async def _in_step(here: Scene, witness: Worker, names: list[str]) -> list[str]:
    try:
        return await here.in_step(witness, names)
    except RuntimeError as error:
        if "StoreUnavailable" in str(error):
            return []
        raise
