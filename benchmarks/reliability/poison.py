"""Events whose handler fails, raises or hangs: they become dead and delay no other key."""

import asyncio

from benchmarks.reliability.figure import Figure
from benchmarks.reliability.inbox_cluster import running_inbox

FAULTS = ("hang", "fail", "raise")
ATTEMPTS = 3

# On the database's clock: from the record in the inbox until the event is done.
_SLOWEST = """
    SELECT coalesce(max(extract(epoch FROM finished_at - received_at)), 1e9)
    FROM igniter_webhook_inbox WHERE event_id LIKE 'good%'
"""


async def poison(bursts: int = 20, others: int = 25, within_seconds: float = 1.0) -> Figure:
    """Counts dead events, and times events of other order keys that arrive meanwhile.

    The events that fail, raise and hang share one order key, so each waits for the previous
    one, and a good event of the same key waits for all.
    """
    async with running_inbox() as inbox, inbox.process() as process:
        answers = [await process.post(fault, text=fault, sender="poison") for fault in FAULTS]
        answers.append(await process.post("after", sender="poison"))
        for burst in range(bursts):
            posts = (
                process.post(f"good_{burst}_{number}", sender=f"sender_{number}")
                for number in range(others)
            )
            answers.extend(await asyncio.gather(*posts))
            await asyncio.sleep(0.2)
        await inbox.until_settled()
        sql = "SELECT event_id FROM igniter_webhook_inbox WHERE state = 'dead' AND attempts = {}"
        dead = {row[0] for row in inbox.rows(sql.format(ATTEMPTS))}
        done = inbox.count("SELECT count(*) FROM igniter_webhook_inbox WHERE state = 'done'")
        slowest = float(inbox.rows(_SLOWEST)[0][0])
    sent = bursts * others + 1
    taken = all(answer.status == 204 for answer in answers)
    return Figure(
        "poison",
        f"{len(dead)} of {len(FAULTS)} dead; {done} of {sent} others done,"
        f" those of other keys within {slowest:.2f} s",
        f"{len(FAULTS)} dead; all others done, of other keys in under {within_seconds:g} s",
        taken and dead == set(FAULTS) and done == sent and slowest < within_seconds,
    )
