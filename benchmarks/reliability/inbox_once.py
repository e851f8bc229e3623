"""One event, delivered many times to several processes at once: recorded once and run once."""

import asyncio
from contextlib import AsyncExitStack

from benchmarks.reliability.figure import Figure
from benchmarks.reliability.inbox_site import inbox_site

EVENT = "msg_1"


async def inbox_once(deliveries: int = 100, processes: int = 4) -> Figure:
    """Counts the answers, the inbox's rows, the handler's runs and what took effect."""
    async with inbox_site() as site, AsyncExitStack() as stack:
        serving = await asyncio.gather(
            *(stack.enter_async_context(site.process()) for _ in range(processes))
        )
        answers = await asyncio.gather(
            *(serving[number % processes].post(EVENT) for number in range(deliveries))
        )
        await site.until_settled()
        taken = sum(answer.status == 204 for answer in answers)
        rows = site.count("SELECT count(*) FROM igniter_webhook_inbox")
        done = site.count("SELECT count(*) FROM igniter_webhook_inbox WHERE state = 'done'")
        runs = site.count("SELECT count(*) FROM runs")
        effects = site.count("SELECT count(*) FROM effects")
    counted = f"{taken} of {deliveries} answered 204; {rows} row, {runs} run, {effects} completed"
    holds = (taken, rows, done, runs, effects) == (deliveries, 1, 1, 1, 1)
    return Figure("inbox-once", counted, "all answered; 1 row, 1 run, 1 completed", holds)
