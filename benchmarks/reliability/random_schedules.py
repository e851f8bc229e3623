"""Random interleavings of everything that happens to grants, each from a seed of its own.

`python -m benchmarks.reliability.random_schedules SEED` replays one, and prints its trace.
"""

import asyncio
import sys
from random import Random

from benchmarks.reliability.figure import Figure
from benchmarks.reliability.schedules.event_loop import ScheduledLoop
from benchmarks.reliability.schedules.grants import GrantSchedule

SCHEDULES = 1_000
"""What one measurement runs. The bar is 50,000, in about an hour: give the seeds 0 and 50000."""


def faults_of(seed: int) -> tuple[list[str], list[str]]:
    """The faults that one schedule finds, and its trace."""
    loop = ScheduledLoop(Random(seed))
    schedule = GrantSchedule(loop, seed)
    return loop.run(schedule.run()), schedule.world.trace


async def random_schedules(schedules: int = SCHEDULES, first: int = 0) -> Figure:
    """Counts grants that are destroyed, stuck, orphaned or resurrected, and names the seeds."""

    def run() -> dict[int, list[str]]:
        found = {seed: faults_of(seed)[0] for seed in range(first, first + schedules)}
        return {seed: faults for seed, faults in found.items() if faults}

    failed = await asyncio.to_thread(run)
    seeds = "".join(f", seed {seed}: {faults[0]}" for seed, faults in failed.items())
    return Figure(
        "random-schedules",
        f"{schedules} schedules, {len(failed)} with a fault{seeds}",
        "0 grants destroyed, stuck, orphaned or resurrected",
        not failed,
    )


def main() -> None:
    """Replays the schedule of one seed; or, of two numbers, runs the seeds between them."""
    first, end = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    if end:
        figure = asyncio.run(random_schedules(end - first, first))
        print(figure.figure)
        sys.exit(not figure.holds)
    faults, trace = faults_of(first)
    print(*trace, *faults, sep="\n")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
