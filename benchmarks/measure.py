"""Measures two sides in one run and checks the ratio between them against a bar.

Machines are shared and noisy, so no absolute time is checked. A benchmark has two sides. Short
batches of them alternate (ours, the other, ours, the other, ...). Each neighbouring pair gives one
ratio, and the figure is the median of the ratios. A slow second affects both sides of a pair, and a
pair that the scheduler disturbs does not change the median.
"""

import gc
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from statistics import median
from time import perf_counter
from typing import Literal, NamedTuple, TypeAlias, TypeVar

import msgspec

Argument = TypeVar("Argument")

Batch: TypeAlias = Callable[[int], Awaitable[float]]
"""Runs an operation this many times, and returns the seconds that only these runs took."""


class WrongAnswerError(RuntimeError):
    """An operation returns a wrong result, so its time would mean nothing."""


class Sides(NamedTuple):
    """The two sides of a benchmark."""

    ours: Batch
    against: Batch


class AtMost(msgspec.Struct, frozen=True):
    """A limit on time: ours divided by the other's."""

    limit: float

    def ratio(self, *, ours: float, against: float) -> float:
        return ours / against

    def is_held_by(self, ratio: float) -> bool:
        return ratio <= self.limit

    def __str__(self) -> str:
        return f"≤ {self.limit:g}"


class AtLeast(msgspec.Struct, frozen=True):
    """A limit on throughput: ours divided by the other's, which is their time divided by ours."""

    limit: float

    def ratio(self, *, ours: float, against: float) -> float:
        return against / ours

    def is_held_by(self, ratio: float) -> bool:
        return ratio >= self.limit

    def __str__(self) -> str:
        return f"≥ {self.limit:g}"


class NoBar(msgspec.Struct, frozen=True):
    """No limit: the ratio is only shown."""

    of: Literal["time", "throughput"]

    def ratio(self, *, ours: float, against: float) -> float:
        return ours / against if self.of == "time" else against / ours

    def is_held_by(self, ratio: float) -> None:  # noqa: ARG002  # same signature as the others
        return None

    def __str__(self) -> str:
        return "–"


class Benchmark(msgspec.Struct, frozen=True, kw_only=True):
    """One row: its two sides, which exist while `open_sides` is entered, and its bar."""

    name: str
    against: str
    bar: AtMost | AtLeast | NoBar
    open_sides: Callable[[], AbstractAsyncContextManager[Sides]]
    open_small_sides: Callable[[], AbstractAsyncContextManager[Sides]] | None = None
    """The same with less data, for a smoke run. None: use `open_sides`."""

    def open_for(self, effort: "Effort") -> AbstractAsyncContextManager[Sides]:
        if self.open_small_sides is None or effort.checks_bar:
            return self.open_sides()
        return self.open_small_sides()


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a row. Times are the median seconds of one operation."""

    name: str
    ours: float
    against: float
    ratio: float
    bar: str
    holds: bool | None
    """None if the row has no bar, or if the run was a smoke run."""


class Effort(msgspec.Struct, frozen=True, kw_only=True):
    """How long to measure: as many pairs as fit into `seconds`, within the two limits."""

    warm_up_seconds: float
    batch_seconds: float
    seconds: float
    min_pairs: int
    max_pairs: int
    checks_bar: bool


FULL = Effort(
    warm_up_seconds=0.5,
    batch_seconds=0.01,
    seconds=5.0,
    min_pairs=25,
    max_pairs=201,
    checks_bar=True,
)
SMOKE = Effort(
    warm_up_seconds=0.0,
    batch_seconds=0.001,
    seconds=0.0,
    min_pairs=3,
    max_pairs=3,
    checks_bar=False,
)


def repeat(operation: Callable[[Argument], object], argument: Argument, answer: object) -> Batch:
    """Batches of a synchronous call. Its result is checked first."""
    require_answer(operation(argument), answer)

    async def batch(iterations: int) -> float:
        started = perf_counter()
        for _ in range(iterations):
            operation(argument)
        return perf_counter() - started

    return batch


async def repeat_awaited(
    operation: Callable[[Argument], Awaitable[object]], argument: Argument, answer: object
) -> Batch:
    """Batches of awaited calls, one after another. The result is checked first."""
    require_answer(await operation(argument), answer)

    async def batch(iterations: int) -> float:
        started = perf_counter()
        for _ in range(iterations):
            await operation(argument)
        return perf_counter() - started

    return batch


def require_answer(answer: object, expected: object) -> None:
    """Raises `WrongAnswerError` unless the two are equal. Unlike `assert`, also under `-O`."""
    if answer != expected:
        raise WrongAnswerError(f"{answer!r} where {expected!r} was expected")


async def measure(benchmark: Benchmark, effort: Effort) -> Figure:
    """Opens both sides, warms them up, times them in turn and checks the ratio."""
    async with benchmark.open_for(effort) as sides:
        gc.collect()
        gc.freeze()  # a collection before a batch then only examines what batches created
        try:
            iterations = (
                await fitting_iterations(sides.ours, effort),
                await fitting_iterations(sides.against, effort),
            )
            pairs = await timed_pairs(sides, iterations, effort)
        finally:
            gc.unfreeze()
    ratio = median(benchmark.bar.ratio(ours=ours, against=against) for ours, against in pairs)
    return Figure(
        name=benchmark.name,
        ours=median(ours for ours, _ in pairs),
        against=median(against for _, against in pairs),
        ratio=ratio,
        bar=str(benchmark.bar),
        holds=benchmark.bar.is_held_by(ratio) if effort.checks_bar else None,
    )


async def fitting_iterations(batch: Batch, effort: Effort) -> int:
    """The number of operations that fill one batch, found while warming up.

    Each side has its own number, so that both batches of a pair take about the same time.
    """
    iterations, warmed_up = 1, 0.0
    while True:
        seconds = await seconds_of(batch, iterations)
        warmed_up += seconds
        if warmed_up >= effort.warm_up_seconds and seconds >= effort.batch_seconds / 2:
            return iterations
        estimate = int(iterations * effort.batch_seconds / max(seconds, 1e-9))
        iterations = max(1, min(estimate, iterations * 10))


async def timed_pairs(
    sides: Sides, iterations: tuple[int, int], effort: Effort
) -> list[tuple[float, float]]:
    """The seconds of one operation on each side, for each pair."""
    pairs: list[tuple[float, float]] = []
    started = perf_counter()
    while len(pairs) < effort.max_pairs:
        if len(pairs) >= effort.min_pairs and perf_counter() - started >= effort.seconds:
            break
        ours = await seconds_of(sides.ours, iterations[0]) / iterations[0]
        against = await seconds_of(sides.against, iterations[1]) / iterations[1]
        pairs.append((ours, against))
    return pairs


async def seconds_of(batch: Batch, iterations: int) -> float:
    """Runs one batch without the garbage collector, after a collection."""
    gc.collect()
    gc.disable()
    try:
        return await batch(iterations)
    finally:
        gc.enable()
