"""One event, delivered concurrently to several processes: recorded once and handled once."""

import asyncio
from contextlib import AsyncExitStack

from benchmarks.reliability.figure import Figure
from benchmarks.reliability.inbox_cluster import running_inbox

EVENT = "msg_1"


async def inbox_once(deliveries: int = 100, processes: int = 4) -> Figure:
    """Counts responses, rows of the inbox, runs of the handler, and effects."""
    async with running_inbox() as inbox, AsyncExitStack() as stack:
        serving = await asyncio.gather(
            *(stack.enter_async_context(inbox.process()) for _ in range(processes))
        )
        answers = await asyncio.gather(
            *(serving[number % processes].post(EVENT) for number in range(deliveries))
        )
        await inbox.until_settled()
        taken = sum(answer.status == 204 for answer in answers)
        rows = inbox.count("SELECT count(*) FROM igniter_webhook_inbox")
        done = inbox.count("SELECT count(*) FROM igniter_webhook_inbox WHERE state = 'done'")
        runs = inbox.count("SELECT count(*) FROM runs")
        effects = inbox.count("SELECT count(*) FROM effects")
    counted = f"{taken} of {deliveries} answered 204; {rows} row, {runs} run, {effects} completed"
    holds = (taken, rows, done, runs, effects) == (deliveries, 1, 1, 1, 1)
    return Figure("inbox-once", counted, "all answered; 1 row, 1 run, 1 completed", holds)
