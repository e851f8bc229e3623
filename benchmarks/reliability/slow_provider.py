"""A provider slower than the deadline: one request at a time, and no database session waits on it.

Every process has a single link to the database and refreshes every connection it can get: were
a link held during a request, the second request would find none. What the server says of its
sessions is looked at besides.
"""

import asyncio
from typing import LiteralString

import psycopg

from benchmarks.reliability.application import Application
from benchmarks.reliability.figure import Figure
from benchmarks.reliability.scene import Scene, scene, tenants
from benchmarks.reliability.work import call_all
from igniter_connectors.core.oauth.refresh_lease import DEADLINE
from igniter_connectors.testing import ProviderScript

CONNECTIONS = 12
PROCESSES = 3

_SLOW = DEADLINE.total_seconds() + 2
_LESS_SLOW = 2.0
# A session that waits for its client inside a transaction, or has been in one for long.
_PINNED: LiteralString = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND (state LIKE 'idle in transaction%' OR xact_start < clock_timestamp() - interval '1 s')"
    " AND pid <> pg_backend_pid()"
)


async def slow_provider() -> Figure:
    """Twelve connections, used all the time by three processes with one link each."""
    names = tenants(CONNECTIONS)
    async with scene() as here:
        await here.connect(names)
        workers = [here.start(links=1) for _ in range(PROCESSES)]
        # It answers a spent token, so that what is lost to the deadline is got back.
        graced = ProviderScript(answer_after_seconds=_SLOW, reuse_grace_seconds=60)
        _ = await here.provider.follow(graced)
        using = [asyncio.create_task(worker.run(use_until_renewed, names)) for worker in workers]
        at_once, pinned = await _watched(here, seconds=DEADLINE.total_seconds() - 3)
        await asyncio.sleep(4)
        _ = await here.provider.follow(
            ProviderScript(answer_after_seconds=_LESS_SLOW, reuse_grace_seconds=60)
        )
        more, more_pinned = await _watched(here, seconds=6)
        await asyncio.gather(*using)
        grants = (await here.grants()).values()
        in_step = await here.in_step(workers[0], names)
    most = max(grant.max_in_flight for grant in grants)
    fewest = min(len(grant.requests) for grant in grants)
    together = max(at_once, more)
    told = (most, pinned + more_pinned, together, len(in_step))
    bar = (1, 0, CONNECTIONS, CONNECTIONS)
    return Figure(
        "slow-provider",
        "{} request at most in flight a connection; {} sessions pinned, with {} requests in "
        f"flight over {PROCESSES} links; {{}} of {CONNECTIONS} rows as at the provider after "
        f"{fewest} requests or more".format(*told),
        "{}, {}, {}, {}; 2".format(*bar),
        told == bar and fewest >= 2,
    )


async def use_until_renewed(app: Application, tenants: list[str]) -> None:
    """Asks for every token, again and again, until all are there."""
    while any(outcome.code for outcome in await call_all(app, tenants)):  # noqa: ASYNC110  # no poll
        await asyncio.sleep(0.3)


async def _watched(here: Scene, *, seconds: float) -> tuple[int, int]:
    """The most requests that were in flight together, and pinned sessions seen in all."""
    together = pinned = 0
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    async with await psycopg.AsyncConnection.connect(here.database_url, autocommit=True) as link:
        while loop.time() < until:
            rows = await (await link.execute(_PINNED)).fetchall()
            pinned += rows[0][0]
            grants = await here.grants()
            together = max(together, sum(grant.in_flight for grant in grants.values()))
            await asyncio.sleep(0.2)
    return together, pinned
