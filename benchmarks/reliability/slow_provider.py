"""A provider slower than the deadline: one request at a time, and no database session waits for it.

Every process has a single database connection and refreshes many grants. If the connection were
held during a request, the second request could not start. The server's list of sessions is checked
too.
"""

import asyncio
from typing import LiteralString

import psycopg

from benchmarks.reliability.application import Application
from benchmarks.reliability.cluster import Cluster, running_cluster, tenants
from benchmarks.reliability.figure import Figure
from benchmarks.reliability.operations import call_all
from igniter_connectors.core.oauth.refresh_lease import DEADLINE
from igniter_connectors.testing import ProviderScript

CONNECTIONS = 12
PROCESSES = 3

_SLOW = DEADLINE.total_seconds() + 2
_LESS_SLOW = 2.0
# A session that is idle in a transaction, or whose transaction is more than 1 s old.
_PINNED: LiteralString = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND (state LIKE 'idle in transaction%' OR xact_start < clock_timestamp() - interval '1 s')"
    " AND pid <> pg_backend_pid()"
)


async def slow_provider() -> Figure:
    """Twelve connections, used constantly by three processes with one database connection each."""
    names = tenants(CONNECTIONS)
    async with running_cluster() as cluster:
        await cluster.connect(names)
        workers = [cluster.start(links=1) for _ in range(PROCESSES)]
        # It accepts spent tokens, so that a response lost to the deadline is recovered.
        graced = ProviderScript(answer_after_seconds=_SLOW, reuse_grace_seconds=60)
        _ = await cluster.provider.follow(graced)
        using = [asyncio.create_task(worker.run(use_until_renewed, names)) for worker in workers]
        at_once, pinned = await _watched(cluster, seconds=DEADLINE.total_seconds() - 3)
        await asyncio.sleep(4)
        _ = await cluster.provider.follow(
            ProviderScript(answer_after_seconds=_LESS_SLOW, reuse_grace_seconds=60)
        )
        more, more_pinned = await _watched(cluster, seconds=6)
        await asyncio.gather(*using)
        grants = (await cluster.grants()).values()
        consistent_tenants = await cluster.consistent_tenants(workers[0], names)
    most = max(grant.max_in_flight for grant in grants)
    fewest = min(len(grant.requests) for grant in grants)
    together = max(at_once, more)
    counts = (most, pinned + more_pinned, together, len(consistent_tenants))
    bar = (1, 0, CONNECTIONS, CONNECTIONS)
    return Figure(
        "slow-provider",
        "{} request at most in flight a connection; {} sessions pinned, with {} requests in "
        f"flight over {PROCESSES} links; {{}} of {CONNECTIONS} rows match the provider after "
        f"{fewest} requests or more".format(*counts),
        "{}, {}, {}, {}; 2".format(*bar),
        counts == bar and fewest >= 2,
    )


async def use_until_renewed(app: Application, tenants: list[str]) -> None:
    """Calls every tenant's action until all succeed."""
    while any(outcome.code for outcome in await call_all(app, tenants)):  # noqa: ASYNC110  # no notification
        await asyncio.sleep(0.3)


async def _watched(cluster: Cluster, *, seconds: float) -> tuple[int, int]:
    """The maximum of concurrent requests, and the number of pinned sessions seen."""
    together = pinned = 0
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    async with await psycopg.AsyncConnection.connect(cluster.database_url, autocommit=True) as link:
        while loop.time() < until:
            rows = await (await link.execute(_PINNED)).fetchall()
            pinned += rows[0][0]
            grants = await cluster.grants()
            together = max(together, sum(grant.in_flight for grant in grants.values()))
            await asyncio.sleep(0.2)
    return together, pinned
