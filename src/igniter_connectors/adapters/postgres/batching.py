"""Batches statements: concurrent calls share one statement.

No call waits for others to arrive: a batch consists of the calls that arrived while the batch
before it was running. A call that is alone in its batch runs the plain statement.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar, final

from igniter_connectors.adapters.sql.database import RowUnreadable
from igniter_connectors.ports import StoreUnavailable

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")

# Running statements at once, including late batches.
_LIMIT: Final = 4

# A batch usually takes less than 1 ms, and the next one gathers meanwhile. After this time the
# next one no longer waits for it.
_LATE_SECONDS: Final = 0.02

# Items in one statement. A larger batch saves nothing: each row costs some 20 µs of its own.
BATCH_LIMIT: Final = 64

_CANCELLED: Final = StoreUnavailable("PostgreSQL: the call was cancelled")


@final
class Batches(Generic[Item, Outcome]):
    """One kind of statement for any number of tasks of one event loop.

    Args:
        until: The event loop's time at which a call that begins now must end.
        run_one: Runs the plain statement, within that time.
        run_many: Runs one statement for several items, and returns their outcomes in order. A
            `StoreUnavailable` among the outcomes concerns its own item only.
        separated_by: What `run_many` raises if one item may be the cause, and nothing was changed.
            Then each item is run alone, so that the others are not lost with it.
        plain_limit: Up to this many calls run plain statements at once, in their own tasks.
            While callers are few, nothing is queued.
    """

    def __init__(
        self,
        until: Callable[[], float],
        run_one: Callable[[Item, float], Awaitable[Outcome]],
        run_many: Callable[
            [Sequence[Item], float], Awaitable[Sequence[Outcome | StoreUnavailable]]
        ],
        *,
        separated_by: tuple[type[StoreUnavailable], ...] = (RowUnreadable,),
        plain_limit: int = 0,
    ) -> None:
        self._until = until
        self._run_one = run_one
        self._run_many = run_many
        self._separated_by = separated_by
        self._plain_limit = plain_limit
        self._in_flight = 0
        # The batch that the queue waits for: None, or one that is not late yet.
        self._gathers_behind: asyncio.Task[None] | None = None
        self._waiting: list[tuple[Item, float, asyncio.Future[Outcome | StoreUnavailable]]] = []
        self._drains: set[asyncio.Task[None]] = set()

    async def submit(self, item: Item) -> Outcome:
        """The item's outcome. The deadline includes the time in the queue.

        Raises:
            StoreUnavailable: the database does not answer, or refused this item.
        """
        if (
            self._in_flight < self._plain_limit
            and self._gathers_behind is None
            and not self._waiting
        ):
            self._in_flight += 1
            try:
                return await self._run_one(item, self._until())
            finally:
                self._in_flight -= 1
                self._drain_if_possible()
        future: asyncio.Future[Outcome | StoreUnavailable] = (
            asyncio.get_running_loop().create_future()
        )
        self._waiting.append((item, self._until(), future))
        self._drain_if_possible()
        outcome = await future
        if isinstance(outcome, StoreUnavailable):
            # One exception object per caller, of the same type: what is refused is not retried.
            raise type(outcome)(outcome.reason)
        return outcome

    async def close(self) -> None:
        """Waits for running statements."""
        while self._drains:
            _ = await asyncio.wait(self._drains)

    def _drain_if_possible(self) -> None:
        if self._waiting and self._gathers_behind is None and self._in_flight < _LIMIT:
            self._in_flight += 1
            task = self._gathers_behind = asyncio.create_task(self._drain())
            self._drains.add(task)
            task.add_done_callback(self._drains.discard)

    async def _drain(self) -> None:
        own = asyncio.current_task()
        loop = asyncio.get_running_loop()
        try:
            while self._waiting and self._gathers_behind is own:
                batch = self._waiting[:BATCH_LIMIT]
                self._waiting = self._waiting[BATCH_LIMIT:]
                late = loop.call_later(_LATE_SECONDS, self._stop_waiting)
                try:
                    outcomes = await self._outcomes(batch)
                except BaseException:
                    _resolve(batch, [_CANCELLED] * len(batch))
                    raise
                finally:
                    late.cancel()
                if outcomes:
                    _resolve(batch, outcomes)
                # The callers run now, and may call again before the next batch is taken. So tasks
                # that call in a loop stay in one batch.
                await asyncio.sleep(0)
        finally:
            self._in_flight -= 1
            if self._gathers_behind is own:
                self._gathers_behind = None
            self._drain_if_possible()

    def _stop_waiting(self) -> None:
        self._gathers_behind = None
        self._drain_if_possible()

    async def _outcomes(
        self, batch: Sequence[tuple[Item, float, asyncio.Future[Outcome | StoreUnavailable]]]
    ) -> Sequence[Outcome | StoreUnavailable]:
        """The outcome of each item; none if they are run alone, which resolves them later."""
        if len(batch) == 1:
            (item, until, _) = batch[0]
            return [await self._alone(item, until)]
        try:
            # The first has waited longest, so its deadline counts.
            return await self._run_many([item for item, _, _ in batch], batch[0][1])
        except self._separated_by:
            # In tasks of their own: one that waits for a lock holds up neither the others nor the
            # next batch.
            for one in batch:
                task = asyncio.create_task(self._resolve_alone(one))
                self._drains.add(task)
                task.add_done_callback(self._drains.discard)
            return []
        except StoreUnavailable as error:
            return [error] * len(batch)

    async def _resolve_alone(
        self, one: tuple[Item, float, asyncio.Future[Outcome | StoreUnavailable]]
    ) -> None:
        try:
            outcome = await self._alone(one[0], one[1])
        except BaseException:
            _resolve([one], [_CANCELLED])
            raise
        _resolve([one], [outcome])

    async def _alone(self, item: Item, until: float) -> Outcome | StoreUnavailable:
        try:
            return await self._run_one(item, until)
        except StoreUnavailable as error:
            return error


def _resolve(
    batch: Sequence[tuple[Item, float, asyncio.Future[Outcome | StoreUnavailable]]],
    outcomes: Sequence[Outcome | StoreUnavailable],
) -> None:
    for (_, _, future), outcome in zip(batch, outcomes, strict=True):
        if not future.done():  # else its caller was cancelled
            future.set_result(outcome)
