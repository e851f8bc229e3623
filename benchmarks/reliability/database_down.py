"""Webhooks while PostgreSQL is stopped or killed: refused in time, never acknowledged."""

import asyncio
from itertools import count
from time import monotonic
from typing import Literal

from benchmarks.reliability.figure import Figure
from benchmarks.reliability.inbox_cluster import InboxCluster, Process, Reply, running_inbox

AT_ONCE = 16
BACK_WITHIN_SECONDS = 30.0


class _Provider:
    """Delivers to one process, and records what was acknowledged."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._numbers = count()
        self.acknowledged: set[str] = set()

    async def post(self) -> Reply:
        id = f"msg_{next(self._numbers)}"
        answer = await self._process.post(id)
        if answer.status // 100 == 2:
            self.acknowledged.add(id)
        return answer

    async def post_until(self, end: float) -> list[Reply]:
        """Delivers from several senders, each as soon as its previous delivery is answered."""

        async def go() -> list[Reply]:
            answers: list[Reply] = []
            while monotonic() < end:
                answers.append(await self.post())
                await asyncio.sleep(0.02)
            return answers

        return [
            one for some in await asyncio.gather(*(go() for _ in range(AT_ONCE))) for one in some
        ]

    async def until_taken(self) -> float:
        """Seconds until a delivery is acknowledged."""
        began = monotonic()
        while (await self.post()).status // 100 != 2:
            if monotonic() - began > BACK_WITHIN_SECONDS:
                break
            await asyncio.sleep(0.05)
        return monotonic() - began


async def database_down(seconds: float = 5.0, within_seconds: float = 1.0) -> Figure:
    """Counts responses while the database is stopped (SIGSTOP) and while it is down, and
    acknowledged events that take no effect after its return. The process is not restarted."""
    async with running_inbox() as inbox, inbox.process() as process:
        provider = _Provider(process)
        await provider.post_until(monotonic() + 0.5)
        answers: list[Reply] = []
        back = 0.0
        for how in ("stop", "kill"):
            answers += await _outage(inbox, provider, how, seconds)
            back = max(back, await provider.until_taken())
            await provider.post_until(monotonic() + 0.5)
        await inbox.until_settled()
        effects = {row[0] for row in inbox.rows("SELECT event_id FROM effects")}
        is_same = process.process.poll() is None
    acknowledged = sum(answer.status // 100 == 2 for answer in answers)
    refused = sum(answer.status // 100 == 5 for answer in answers)
    slowest = max(answer.seconds for answer in answers)
    all_taken = len(provider.acknowledged)
    lost = len(provider.acknowledged - effects)
    return Figure(
        "database-down",
        f"{refused} of {len(answers)} answered 5xx, {acknowledged} 2xx, in {slowest:.2f} s at most;"
        f" taken again after {back:.2f} s; {lost} of {all_taken} acknowledged lost",
        f"all 5xx in under {within_seconds:g} s; 0 lost; no restart",
        refused == len(answers)
        and slowest < within_seconds
        and back < BACK_WITHIN_SECONDS
        and lost == 0
        and is_same,
    )


async def _outage(
    inbox: InboxCluster, provider: _Provider, how: Literal["stop", "kill"], seconds: float
) -> list[Reply]:
    server = inbox.server
    server.pause() if how == "stop" else server.stop_immediately()
    try:
        return await provider.post_until(monotonic() + seconds)
    finally:
        server.resume() if how == "stop" else server.start()
