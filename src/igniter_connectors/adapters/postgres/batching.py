"""Statements that wait together go out together: one for all of them.

Nobody waits for others to come: a batch is whoever has come while the one before it was on its
way. One that is alone in its batch takes the plain statement.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar, final

from igniter_connectors.adapters.postgres.errors import RowUnreadable
from igniter_connectors.ports import StoreUnavailable

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")

# Statements on their way at once, the batches that are late included.
_LIMIT: Final = 4

# A batch is usually answered in less than 1 ms. While one is on its way the next gathers; one
# that takes longer than this holds up nobody any more.
_LATE_SECONDS: Final = 0.02

# Items in one statement: beyond this a row's own cost, some 20 µs, is all there is left to save.
BATCH_LIMIT: Final = 64


@final
class Batches(Generic[Item, Outcome]):
    """One kind of statement for any number of tasks of one event loop.

    Args:
        until: The loop's time at which a call that begins now is over.
        run_one: The plain statement, within that time.
        run_many: The same for several, outcomes in the order of the items; a
            `StoreUnavailable` among them is its own item's alone. Where it raises
            `RowUnreadable`, nothing was changed, and each item is tried by itself.
        plain_limit: So many plain statements at once, in their callers' own tasks, go out
            before any batch: nothing is queued as long as callers are few.
    """

    def __init__(
        self,
        until: Callable[[], float],
        run_one: Callable[[Item, float], Awaitable[Outcome]],
        run_many: Callable[
            [Sequence[Item], float], Awaitable[Sequence[Outcome | StoreUnavailable]]
        ],
        *,
        plain_limit: int = 0,
    ) -> None:
        self._until = until
        self._run_one = run_one
        self._run_many = run_many
        self._plain_limit = plain_limit
        self._in_flight = 0
        # The batch that the queue waits for: none, or one that is not late yet.
        self._gathers_behind: asyncio.Task[None] | None = None
        self._waiting: list[tuple[Item, float, asyncio.Future[Outcome | StoreUnavailable]]] = []
        self._drains: set[asyncio.Task[None]] = set()

    async def submit(self, item: Item) -> Outcome:
        """The item's outcome, within the deadline, the time in the queue included.

        Raises:
            StoreUnavailable: the database does not answer, or did not take this item.
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
            raise StoreUnavailable(outcome.reason)  # each caller an exception of its own
        return outcome

    async def close(self) -> None:
        """Waits for what is on its way."""
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
                late = loop.call_later(_LATE_SECONDS, self._wait_no_longer)
                try:
                    outcomes = await self._answers(batch)
                except BaseException:
                    _tell(batch, [StoreUnavailable("PostgreSQL: the call was ended")] * len(batch))
                    raise
                finally:
                    late.cancel()
                _tell(batch, outcomes)
                # Those who were told run now, and come again before this ends: so tasks that
                # ask in a loop stay together.
                await asyncio.sleep(0)
        finally:
            self._in_flight -= 1
            if self._gathers_behind is own:
                self._gathers_behind = None
            self._drain_if_possible()

    def _wait_no_longer(self) -> None:
        self._gathers_behind = None
        self._drain_if_possible()

    async def _answers(
        self, batch: Sequence[tuple[Item, float, asyncio.Future[Outcome | StoreUnavailable]]]
    ) -> Sequence[Outcome | StoreUnavailable]:
        if len(batch) == 1:
            (item, until, _) = batch[0]
            return [await self._alone(item, until)]
        try:
            # The first has waited longest.
            return await self._run_many([item for item, _, _ in batch], batch[0][1])
        except RowUnreadable:
            return [await self._alone(item, until) for item, until, _ in batch]
        except StoreUnavailable as error:
            return [error] * len(batch)

    async def _alone(self, item: Item, until: float) -> Outcome | StoreUnavailable:
        try:
            return await self._run_one(item, until)
        except StoreUnavailable as error:
            return error


def _tell(
    batch: Sequence[tuple[Item, float, asyncio.Future[Outcome | StoreUnavailable]]],
    outcomes: Sequence[Outcome | StoreUnavailable],
) -> None:
    for (_, _, future), outcome in zip(batch, outcomes, strict=True):
        if not future.done():  # its caller was cancelled, which is nobody else's business
            future.set_result(outcome)
