"""The ratio of a benchmark, and when it misses its bar."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from benchmarks.measure import (
    SMOKE,
    AtLeast,
    AtMost,
    Benchmark,
    Effort,
    Figure,
    NoBar,
    Sides,
    measure,
)

JUDGED = Effort(
    warm_up_seconds=0, batch_seconds=1, seconds=0, min_pairs=3, max_pairs=3, checks_bar=True
)


async def figure_of(bar: AtMost | AtLeast | NoBar, effort: Effort) -> Figure:
    """The figure of a row whose own side reports 3 s per operation and the other side 6 s."""

    async def ours(iterations: int) -> float:
        return 3.0 * iterations

    async def against(iterations: int) -> float:
        return 6.0 * iterations

    @asynccontextmanager
    async def open_sides() -> AsyncGenerator[Sides, None]:
        yield Sides(ours=ours, against=against)

    return await measure(
        Benchmark(name="row", against="another", bar=bar, open_sides=open_sides), effort
    )


@pytest.mark.parametrize(
    ("bar", "ratio", "shown", "holds"),
    [
        (AtMost(0.5), 0.5, "≤ 0.5", True),
        (AtMost(0.49), 0.5, "≤ 0.49", False),
        (AtLeast(2), 2.0, "≥ 2", True),
        (AtLeast(2.01), 2.0, "≥ 2.01", False),
        (NoBar("time"), 0.5, "–", None),
        (NoBar("throughput"), 2.0, "–", None),
    ],
)
async def test_a_bar_holds_at_the_exact_ratio(
    bar: AtMost | AtLeast | NoBar, ratio: float, shown: str, holds: bool | None
) -> None:
    """Half the time is twice the throughput. Without a bar, `holds` is None."""
    figure = await figure_of(bar, JUDGED)
    assert (figure.ratio, figure.bar, figure.holds) == (ratio, shown, holds)


@pytest.mark.parametrize("bar", [AtMost(0.1), AtLeast(10), NoBar("time")])
async def test_a_smoke_run_checks_no_bar(bar: AtMost | AtLeast | NoBar) -> None:
    """Not even a bar that is missed by far."""
    assert (await figure_of(bar, SMOKE)).holds is None
