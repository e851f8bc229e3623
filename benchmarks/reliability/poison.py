"""Events whose handler fails, raises or hangs: dead in the end, and in nobody's way."""

import asyncio

from benchmarks.reliability.figure import Figure
from benchmarks.reliability.inbox_site import inbox_site

FAULTS = ("hang", "fail", "raise")
ATTEMPTS = 3

# By the database's clock: from the moment that an event is in the inbox until it is done.
_SLOWEST = """
    SELECT coalesce(max(extract(epoch FROM finished_at - received_at)), 1e9)
    FROM igniter_webhook_inbox WHERE event_id LIKE 'good%'
"""


async def poison(bursts: int = 20, others: int = 25, within_seconds: float = 1.0) -> Figure:
    """Counts the dead, and times the events of other order keys that come while they are tried.

    What fails, raises and hangs is of one order key, so that each waits for the one before,
    and a good event of the same key for them all.
    """
    async with inbox_site() as site, site.process() as process:
        answers = [await process.post(fault, text=fault, sender="poison") for fault in FAULTS]
        answers.append(await process.post("after", sender="poison"))
        for burst in range(bursts):
            posts = (
                process.post(f"good_{burst}_{number}", sender=f"sender_{number}")
                for number in range(others)
            )
            answers.extend(await asyncio.gather(*posts))
            await asyncio.sleep(0.2)
        await site.until_settled()
        sql = "SELECT event_id FROM igniter_webhook_inbox WHERE state = 'dead' AND attempts = {}"
        dead = {row[0] for row in site.rows(sql.format(ATTEMPTS))}
        done = site.count("SELECT count(*) FROM igniter_webhook_inbox WHERE state = 'done'")
        slowest = float(site.rows(_SLOWEST)[0][0])
    sent = bursts * others + 1
    taken = all(answer.status == 204 for answer in answers)
    return Figure(
        "poison",
        f"{len(dead)} of {len(FAULTS)} dead; {done} of {sent} others done,"
        f" those of other keys within {slowest:.2f} s",
        f"{len(FAULTS)} dead; all others done, of other keys in under {within_seconds:g} s",
        taken and dead == set(FAULTS) and done == sent and slowest < within_seconds,
    )
