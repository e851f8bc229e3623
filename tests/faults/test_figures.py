"""The reliability figures as tests, with smaller counts."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest
from benchmarks.reliability.closing import closing
from benchmarks.reliability.commit_unknown import commit_unknown
from benchmarks.reliability.database_down import database_down
from benchmarks.reliability.dead_grant import dead_grant_in
from benchmarks.reliability.figure import Measurement
from benchmarks.reliability.fuzz_signatures import fuzz_signatures
from benchmarks.reliability.inbox_once import inbox_once
from benchmarks.reliability.kill_inbox import kill_inbox
from benchmarks.reliability.kill_refresh import kill_refresh_times
from benchmarks.reliability.no_lost_update import no_lost_update_in
from benchmarks.reliability.poison import poison
from benchmarks.reliability.poison_values import poison_values
from benchmarks.reliability.random_schedules import random_schedules
from benchmarks.reliability.reauthorize_race import reauthorize_race_of
from benchmarks.reliability.registry import FIGURES
from benchmarks.reliability.routes import routes
from benchmarks.reliability.schemathesis_run import schemathesis_run
from benchmarks.reliability.storm import storm_over
from benchmarks.reliability.weather import weather_for
from benchmarks.reliability.zoom_oracle import zoom_oracle

REDUCED: dict[str, Measurement] = FIGURES | {
    "storm-200": storm_over(50),
    "kill-refresh": kill_refresh_times(2),
    "weather": weather_for(14),
    "dead-grant": dead_grant_in(200),
    "reauthorize-race": reauthorize_race_of(2),
    "no-lost-update": no_lost_update_in(200),
    "closing": partial(closing, rounds=3),
    "commit-unknown": partial(commit_unknown, every=4, also_down=False),
    "database-down": partial(database_down, seconds=1.5, within_seconds=5),
    "fuzz-signatures": partial(fuzz_signatures, tries=5_000),
    "inbox-once": partial(inbox_once, deliveries=20, processes=2),
    "kill-inbox": partial(kill_inbox, kills_a_point=1),
    "poison": partial(poison, bursts=3, within_seconds=5),
    "poison-values": partial(poison_values, every=7),
    "random-schedules": partial(random_schedules, schedules=120),
    "routes": partial(routes, connections=6),
    "schemathesis": partial(schemathesis_run, examples=2),
    "zoom-oracle": partial(zoom_oracle, tries=2_000),
}
"""Smaller counts for tests. `python -m benchmarks.reliability` uses the full ones."""

pytestmark = pytest.mark.timeout(360)

# These wait for a lease or a deadline, so they run concurrently.
WAITING = ("slow-provider", "kill-refresh", "late-commit", "weather")


@pytest.mark.parametrize("name", [name for name in FIGURES if name not in WAITING])
async def test_the_figure_holds(name: str) -> None:
    """The figure meets its bar."""
    figure = await REDUCED[name]()
    assert figure.holds, figure


async def test_the_waiting_figures_hold() -> None:
    """The same for figures that take half a minute each, whatever they count."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(REDUCED[name]()) for name in WAITING]
    fails = [task.result() for task in tasks if not task.result().holds]
    assert not fails, fails
