"""A callback meets a refresh that fails, or that succeeds: the connection ends alive.

Both orders: the refresh has its answer in hand while the whole authorization passes, and the
authorization has its tokens in hand while the whole refresh passes.
"""

import asyncio
from collections import Counter

import httpx

from benchmarks.reliability.application import Application
from benchmarks.reliability.figure import Campaign, Figure
from benchmarks.reliability.scene import Scene, scene, tenants
from benchmarks.reliability.steps import AFTER_ANSWER, BEFORE_GRANT
from benchmarks.reliability.work import call_all, reauthorize
from benchmarks.reliability.worker import go
from igniter_connectors.testing import ProviderScript

EACH = 5

_WEATHERS = {
    "invalid_grant": ProviderScript(token_status=400),
    "503": ProviderScript(token_status=503),
    "a lost answer": ProviderScript(drops="after"),
    "success": ProviderScript(),
}


def reauthorize_race_of(each: int) -> Campaign:
    """So many connections for each order and each answer to the refresh."""

    async def run() -> Figure:
        return await _reauthorize_race(each)

    return run


async def _reauthorize_race(each: int) -> Figure:
    alive: Counter[str] = Counter()
    async with scene() as here:
        for answer, script in _WEATHERS.items():
            alive[answer] += await _refresh_meets_callback(
                here, tenants(each, f"first {answer}"), script
            )
            alive[answer] += await _callback_meets_refresh(
                here, tenants(each, f"then {answer}"), script
            )
    return Figure(
        "reauthorize-race",
        "alive after a callback during a refresh, by the refresh's answer: "
        + ", ".join(f"{answer} {number}" for answer, number in alive.items()),
        f"{2 * each} each",
        set(alive.values()) == {2 * each},
    )


async def _refresh_meets_callback(here: Scene, names: list[str], script: ProviderScript) -> int:
    await here.connect(names)
    _ = await here.provider.follow(script)
    refreshing, authorizing = here.start(stops_at=AFTER_ANSWER), here.start()
    calling = refreshing.begin(call_all, names)
    await refreshing.stopped_at_its_step(len(names))
    _ = await here.provider.follow(ProviderScript())
    await authorizing.run(reauthorize_all, names)
    await refreshing.run(go)
    _ = await calling
    return await _alive(here, names)


async def _callback_meets_refresh(here: Scene, names: list[str], script: ProviderScript) -> int:
    await here.connect(names)
    refreshing, authorizing = here.start(), here.start(stops_at=BEFORE_GRANT)
    connecting = authorizing.begin(reauthorize_all, names)
    await authorizing.stopped_at_its_step(len(names))
    _ = await here.provider.follow(script)
    _ = await refreshing.run(call_all, names)
    _ = await here.provider.follow(ProviderScript())
    await authorizing.run(go)
    await connecting
    return await _alive(here, names)


async def reauthorize_all(app: Application, tenants: list[str]) -> None:
    """Authorizes each tenant in place, all at once."""
    async with httpx.AsyncClient() as browser:
        await asyncio.gather(*(reauthorize(app, browser, tenant) for tenant in tenants))


async def _alive(here: Scene, names: list[str]) -> int:
    """How many work in a process that saw nothing of it, with the newest grant's tokens."""
    other = here.start()
    outcomes = await other.run(call_all, names)
    in_step = await here.in_step(other, names)
    grants = await here.grants()
    return sum(
        not one.code and one.access_token == grants[one.tenant].access_token
        for one in outcomes
        if one.tenant in in_step
    )
