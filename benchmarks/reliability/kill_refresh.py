"""`kill -9` at each step of a refresh, and whether the connection lives on.

Each kill is of a process of its own, which was refreshing a connection of its own. Right
afterwards two processes that were never killed use that connection. At a provider whose grace
outlives the lease all of them must come back. Without a grace the provider has rotated and nobody
knows the new token where the kill came between request and commit: there no client can do better
than to send two requests at most, and to say that the rotation was probably lost.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from benchmarks.reliability.figure import Campaign, Figure
from benchmarks.reliability.scene import Scene, scene, tenants
from benchmarks.reliability.steps import AFTER_ANSWER, BEFORE_COMMIT, REQUEST_SENT, STEPS
from benchmarks.reliability.work import Outcome, call
from igniter_connectors.testing import ProviderProcess, ProviderScript, provider_process

TIMES = 20

_AT_ONCE = 6
_GRACE_SECONDS = 60.0
OUT_OF_STEP = Outcome("", "another token is stored than the provider's")
_LOSING = {REQUEST_SENT, AFTER_ANSWER, BEFORE_COMMIT}


def kill_refresh_times(times: int) -> Campaign:
    """The figure with so many kills at each step."""

    async def run() -> Figure:
        return await _kill_refresh(times)

    return run


async def _kill_refresh(times: int) -> Figure:
    async with scenes() as (here, strict):
        recovered, verdicts = await asyncio.gather(
            _killed_and_used(here, here.provider, times),
            _killed_and_used(here, strict, times),
        )
        graced = await here.grants()
        strictly = await here.grants(strict)
    lives = sum(not one.code for one in recovered.values())
    most = max(len(grant.requests) for grant in (*strictly.values(), *graced.values()))
    told = Counter(_told(one) for one in (*recovered.values(), *verdicts.values()) if one.code)
    rightly = sum(
        (one.reason == "lost_rotation") if _step(tenant) in _LOSING else not one.code
        for tenant, one in verdicts.items()
    )
    total = times * len(STEPS)
    return Figure(
        "kill-refresh",
        f"{total} kills with a grace: {lives} recovered; {total} without: {dict(told)}, "
        f"{rightly} as they must be; {most} requests at most",
        f"{total}; lost_rotation alone, where it was lost ({times * len(_LOSING)}); 2",
        lives == rightly == total and most <= 2,
    )


async def _killed_and_used(
    here: Scene, provider: ProviderProcess, times: int
) -> dict[str, Outcome]:
    """Kills at every step, so many times each; what an action said afterwards, by tenant."""
    names = tenants(times * len(STEPS), name=provider.url[-5:])
    await here.connect(names, provider=provider)
    survivors = [here.start(provider=provider) for _ in range(2)]
    places = asyncio.Semaphore(_AT_ONCE)

    async def killed(tenant: str) -> None:
        if _step(tenant) == REQUEST_SENT:
            worker = here.start(provider=provider)
            _ = worker.begin(call, tenant)
            while not (await here.grants(provider))[tenant].in_flight:  # noqa: ASYNC110  # there
                await asyncio.sleep(0.02)
        else:
            worker = here.start(stops_at=_step(tenant), provider=provider)
            _ = worker.begin(call, tenant)
            await worker.stopped_at_its_step()
        here.kill(worker)

    async def killed_and_used(tenant: str) -> Outcome:
        async with places:
            await killed(tenant)
        one, other = [await survivor.run(call, tenant) for survivor in survivors]
        # Both must say the same; a difference is kept as what it is, a fault.
        if (one.code, one.reason) != (other.code, other.reason):
            return Outcome(tenant, f"{_told(one)} and {_told(other)}")
        return one

    normal = (await provider.state()).script
    # The provider rotates at once and holds its answer back.
    late = ProviderScript(reuse_grace_seconds=normal.reuse_grace_seconds, answer_late_seconds=300)
    _ = await provider.follow(late)
    sent = [one for one in names if _step(one) == REQUEST_SENT]
    # Their kills come before any survivor may refresh: for 15 s the leases are held.
    using = [asyncio.create_task(killed_and_used(tenant)) for tenant in sent]
    while await _requests(here, provider) < len(sent):  # noqa: ASYNC110  # counted over there
        await asyncio.sleep(0.05)
    _ = await provider.follow(normal)
    others = [one for one in names if _step(one) != REQUEST_SENT]
    using += [asyncio.create_task(killed_and_used(tenant)) for tenant in others]
    outcomes = dict(zip([*sent, *others], await asyncio.gather(*using), strict=True))
    in_step = await here.in_step(survivors[0], names, provider=provider)
    return {
        tenant: one if one.code or tenant in in_step else OUT_OF_STEP
        for tenant, one in outcomes.items()
    }


async def _requests(here: Scene, provider: ProviderProcess) -> int:
    return sum(bool(grant.requests) for grant in (await here.grants(provider)).values())


def _told(outcome: Outcome) -> str:
    return outcome.reason or outcome.code or "alive"


def _step(tenant: str) -> str:
    return STEPS[int(tenant.rpartition("-")[2]) % len(STEPS)]


@asynccontextmanager
async def scenes() -> AsyncGenerator[tuple[Scene, ProviderProcess], None]:
    """A scene whose provider has a grace, and a provider beside it that has none."""
    graced = ProviderScript(reuse_grace_seconds=_GRACE_SECONDS)
    async with scene(graced) as here, provider_process() as strict:
        yield here, strict
