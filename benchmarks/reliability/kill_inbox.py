"""`kill -9` while webhooks come in: what a provider was told is recorded comes to its effect."""

import asyncio
from itertools import count
from typing import get_args

from benchmarks.reliability.figure import Figure
from benchmarks.reliability.inbox_server import Point
from benchmarks.reliability.inbox_site import Site, inbox_site

POINTS: tuple[Point, ...] = get_args(Point)
BURST = 12
KILL_AFTER = 6
AT_ONCE = 4


async def kill_inbox(kills_a_point: int = 20) -> Figure:
    """Counts the acknowledged events that took no effect, and those that took it twice.

    Each victim gets a burst and dies in the middle of it. A process that was there from the
    beginning, and receives nothing, takes over what the victims left.
    """
    plan = [point for _ in range(kills_a_point) for point in POINTS]
    numbers = count()
    acknowledged: set[str] = set()
    killed = dict.fromkeys(POINTS, 0)
    room = asyncio.Semaphore(AT_ONCE)

    async def kill(site: Site, point: Point) -> None:
        async with room:
            ids = [f"msg_{next(numbers)}" for _ in range(BURST)]
            async with site.process(kill_at=point, kill_after=KILL_AFTER) as victim:
                answers = await asyncio.gather(*(victim.post(id) for id in ids))
                ended = await asyncio.to_thread(victim.process.wait, 20)
            killed[point] += ended == -9
            acknowledged.update(
                id for id, answer in zip(ids, answers, strict=True) if answer.status // 100 == 2
            )

    async with inbox_site() as site, site.process():
        await asyncio.gather(*(kill(site, point) for point in plan))
        await site.until_settled()
        effects = [row[0] for row in site.rows("SELECT event_id FROM effects")]
        unfinished = site.count("SELECT count(*) FROM igniter_webhook_inbox WHERE state <> 'done'")
    lost = len(acknowledged.difference(effects))
    twice = len(effects) - len(set(effects))
    counted = (
        f"{sum(killed.values())} kills; {lost} of {len(acknowledged)} acknowledged lost,"
        f" {twice} took effect twice, {unfinished} unfinished"
    )
    all_killed = all(number == kills_a_point for number in killed.values())
    return Figure(
        "kill-inbox",
        counted,
        f"{len(plan)} kills, 0 lost, 0 twice",
        all_killed and bool(acknowledged) and (lost, twice, unfinished) == (0, 0, 0),
    )
