"""Two things timed in turn in one run, and the ratio between them held to a bar where one is set.

Machines are shared and noisy, so no absolute figure is judged. A benchmark has two sides; short
batches of them alternate (ours, the other, ours, the other, ...), each neighbouring pair gives one
ratio, and the median of those is the figure. A slow second therefore falls on both sides of a pair,
and a pair torn by the scheduler is outvoted.
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
"""Runs an operation that many times; returns the seconds that these alone took."""


class WrongAnswerError(RuntimeError):
    """What was about to be timed does not do the work."""


class Sides(NamedTuple):
    """What is measured, and what it is measured against."""

    ours: Batch
    against: Batch


class AtMost(msgspec.Struct, frozen=True):
    """A bar on time: ours divided by the other's."""

    limit: float

    def ratio(self, *, ours: float, against: float) -> float:
        return ours / against

    def is_held_by(self, ratio: float) -> bool:
        return ratio <= self.limit

    def __str__(self) -> str:
        return f"≤ {self.limit:g}"


class AtLeast(msgspec.Struct, frozen=True):
    """A bar on throughput: ours divided by the other's, so the times stand the other way round."""

    limit: float

    def ratio(self, *, ours: float, against: float) -> float:
        return against / ours

    def is_held_by(self, ratio: float) -> bool:
        return ratio >= self.limit

    def __str__(self) -> str:
        return f"≥ {self.limit:g}"


class NoBar(msgspec.Struct, frozen=True):
    """No bar: the ratio is shown, and nobody judges it."""

    of: Literal["time", "throughput"]

    def ratio(self, *, ours: float, against: float) -> float:
        return ours / against if self.of == "time" else against / ours

    def is_held_by(self, ratio: float) -> None:  # noqa: ARG002  # as the others
        return None

    def __str__(self) -> str:
        return "–"


class Benchmark(msgspec.Struct, frozen=True, kw_only=True):
    """One row: two sides that live while `open_sides` is entered, and the bar, if there is one."""

    name: str
    against: str
    bar: AtMost | AtLeast | NoBar
    open_sides: Callable[[], AbstractAsyncContextManager[Sides]]
    open_small_sides: Callable[[], AbstractAsyncContextManager[Sides]] | None = None
    """The same with less data, for a run that judges nothing; None where there is no need."""

    def open_for(self, effort: "Effort") -> AbstractAsyncContextManager[Sides]:
        if self.open_small_sides is None or effort.judges:
            return self.open_sides()
        return self.open_small_sides()


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """What one row came to. Times are the median seconds of one operation."""

    name: str
    ours: float
    against: float
    ratio: float
    bar: str
    holds: bool | None
    """None where the row has no bar, or the run was too short to judge."""


class Effort(msgspec.Struct, frozen=True, kw_only=True):
    """How long to look. Pairs are as many as fit into `seconds`, within the two limits."""

    warm_up_seconds: float
    batch_seconds: float
    seconds: float
    fewest_pairs: int
    most_pairs: int
    judges: bool


FULL = Effort(
    warm_up_seconds=0.5,
    batch_seconds=0.01,
    seconds=5.0,
    fewest_pairs=25,
    most_pairs=201,
    judges=True,
)
SMOKE = Effort(
    warm_up_seconds=0.0,
    batch_seconds=0.001,
    seconds=0.0,
    fewest_pairs=3,
    most_pairs=3,
    judges=False,
)


def repeat(operation: Callable[[Argument], object], argument: Argument, answer: object) -> Batch:
    """Batches of a plain call, once its answer has been seen to be right."""
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
    """Batches of awaits, one after another, once the answer has been seen to be right."""
    require_answer(await operation(argument), answer)

    async def batch(iterations: int) -> float:
        started = perf_counter()
        for _ in range(iterations):
            await operation(argument)
        return perf_counter() - started

    return batch


def require_answer(answer: object, expected: object) -> None:
    """Raise `WrongAnswerError` unless the two are equal; unlike `assert`, under `-O` too."""
    if answer != expected:
        raise WrongAnswerError(f"{answer!r} where {expected!r} was expected")


async def measure(benchmark: Benchmark, effort: Effort) -> Figure:
    """Open both sides, warm them up, time them in turn and judge the ratio."""
    async with benchmark.open_for(effort) as sides:
        gc.collect()
        gc.freeze()  # so that collecting before each batch looks only at what batches made
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
        holds=benchmark.bar.is_held_by(ratio) if effort.judges else None,
    )


async def fitting_iterations(batch: Batch, effort: Effort) -> int:
    """How many operations fill one batch, found while warming up.

    Each side has its own count, so that both batches of a pair last equally long.
    """
    iterations, warmed_up = 1, 0.0
    while True:
        seconds = await seconds_of(batch, iterations)
        warmed_up += seconds
        if warmed_up >= effort.warm_up_seconds and seconds >= effort.batch_seconds / 2:
            return iterations
        wanted = int(iterations * effort.batch_seconds / max(seconds, 1e-9))
        iterations = max(1, min(wanted, iterations * 10))


async def timed_pairs(
    sides: Sides, iterations: tuple[int, int], effort: Effort
) -> list[tuple[float, float]]:
    """Seconds of one operation on each side, pair after pair."""
    pairs: list[tuple[float, float]] = []
    started = perf_counter()
    while len(pairs) < effort.most_pairs:
        if len(pairs) >= effort.fewest_pairs and perf_counter() - started >= effort.seconds:
            break
        ours = await seconds_of(sides.ours, iterations[0]) / iterations[0]
        against = await seconds_of(sides.against, iterations[1]) / iterations[1]
        pairs.append((ours, against))
    return pairs


async def seconds_of(batch: Batch, iterations: int) -> float:
    """One batch, with the garbage of the one before collected and the collector held off."""
    gc.collect()
    gc.disable()
    try:
        return await batch(iterations)
    finally:
        gc.enable()
