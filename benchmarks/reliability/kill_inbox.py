"""SIGKILL while webhooks arrive: every acknowledged event still takes effect."""

import asyncio
from itertools import count
from typing import get_args

from benchmarks.reliability.figure import Figure
from benchmarks.reliability.inbox_cluster import InboxCluster, running_inbox
from benchmarks.reliability.inbox_server import Point

POINTS: tuple[Point, ...] = get_args(Point)
BURST = 12
KILL_AFTER = 6
AT_ONCE = 4


async def kill_inbox(kills_a_point: int = 20) -> Figure:
    """Counts acknowledged events that took no effect, and events that took effect twice.

    Each victim gets a burst of webhooks and is killed in the middle of it. A process that runs
    from the beginning, and receives nothing, handles what the victims left.
    """
    plan = [point for _ in range(kills_a_point) for point in POINTS]
    numbers = count()
    acknowledged: set[str] = set()
    killed = dict.fromkeys(POINTS, 0)
    limit = asyncio.Semaphore(AT_ONCE)

    async def kill(inbox: InboxCluster, point: Point) -> None:
        async with limit:
            ids = [f"msg_{next(numbers)}" for _ in range(BURST)]
            async with inbox.process(kill_at=point, kill_after=KILL_AFTER) as victim:
                answers = await asyncio.gather(*(victim.post(id) for id in ids))
                ended = await asyncio.to_thread(victim.process.wait, 20)
            killed[point] += ended == -9
            acknowledged.update(
                id for id, answer in zip(ids, answers, strict=True) if answer.status // 100 == 2
            )

    async with running_inbox() as inbox, inbox.process():
        await asyncio.gather(*(kill(inbox, point) for point in plan))
        await inbox.until_settled()
        effects = [row[0] for row in inbox.rows("SELECT event_id FROM effects")]
        unfinished = inbox.count("SELECT count(*) FROM igniter_webhook_inbox WHERE state <> 'done'")
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
