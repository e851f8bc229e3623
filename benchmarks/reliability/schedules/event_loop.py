"""An event loop in virtual time that interleaves simulated processes at random, from a seed.

Each process has its own queue of ready callbacks, first in, first out, as an event loop has. The
loop draws which process runs its next callback, so every await is a point at which another
process may go on. If nobody can run, time jumps to the next timer. The same seed gives the same
order. A process that crashes never runs again; one that is paused runs later.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, ContextVar, copy_context
from itertools import count
from random import Random
from typing import Any, TypeVar

from typing_extensions import TypeVarTuple, override

V = TypeVar("V")
Ts = TypeVarTuple("Ts")


class Lane:
    """The ready callbacks of one simulated process."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ready: deque[asyncio.Handle] = deque()
        self.is_dead = False
        self.runs_at = 0.0

    def crash(self) -> None:
        """Ends the process at the await where it is."""
        self.is_dead = True
        self.ready.clear()


_LANE: ContextVar[Lane] = ContextVar("lane")


class ScheduledLoop(asyncio.BaseEventLoop):
    """Runs one schedule. Only what tasks, futures and time-outs need is implemented."""

    def __init__(self, random: Random) -> None:
        super().__init__()
        self.errors: list[dict[str, Any]] = []
        self._random = random
        self._now = 0.0
        self._numbers = count()
        self._timers: list[tuple[float, int, asyncio.TimerHandle, Lane]] = []
        self._world = Lane("world")
        self._lanes: list[Lane] = [self._world]
        self._tasks: list[asyncio.Task[Any]] = []

    def lane(self, name: str) -> Lane:
        """A new process."""
        lane = Lane(name)
        self._lanes = [one for one in self._lanes if not one.is_dead]
        self._lanes.append(lane)
        return lane

    def start(self, lane: Lane, work: Coroutine[object, None, V]) -> asyncio.Task[V]:
        """Starts a task in a process."""
        context = copy_context()
        _ = context.run(_LANE.set, lane)
        return self.create_task(work, context=context)

    def start_outside(self, work: Coroutine[object, None, V]) -> None:
        """Starts a task in no process: nothing crashes or pauses it."""
        _ = self.start(self._world, work)

    def run(self, work: Coroutine[object, None, V]) -> V:
        """Runs until the work, which is in no process, is done."""
        asyncio.events._set_running_loop(self)
        try:
            task = self.start(self._world, work)
            while not task.done():
                self._step()
            return task.result()
        finally:
            self._end()
            asyncio.events._set_running_loop(None)

    def _step(self) -> None:
        ready = [one for one in self._lanes if one.ready and one.runs_at <= self._now]
        if not ready:
            self._pass_time()
            return
        lane = ready[0] if len(ready) == 1 else self._random.choice(ready)
        handle = lane.ready.popleft()
        if not handle.cancelled():
            handle._run()

    def _pass_time(self) -> None:
        """Jumps to the next timer, or to the end of the next pause."""
        ends = [one.runs_at for one in self._lanes if one.ready and not one.is_dead]
        if self._timers:
            ends.append(self._timers[0][0])
        if not ends:
            raise RuntimeError("everything waits for ever")
        self._now = max(self._now, min(ends))
        while self._timers and self._timers[0][0] <= self._now:
            _, _, handle, lane = heapq.heappop(self._timers)
            if not handle.cancelled() and not lane.is_dead:
                lane.ready.append(handle)

    def _end(self) -> None:
        """Closes what has not ended, so that nothing of this schedule runs in the next one."""
        for lane in self._lanes:
            lane.crash()
        for task in self._tasks:
            if task.done():
                if not task.cancelled():
                    _ = task.exception()
                continue
            task._log_destroy_pending = False  # type: ignore[attr-defined]  # asyncio's own
            work = task.get_coro()
            try:
                if work is not None:
                    work.close()
            except RuntimeError:
                continue  # it awaited in `finally`
        self._tasks.clear()
        self._timers.clear()
        self.close()

    @override
    def time(self) -> float:
        return self._now

    @override
    def call_soon(
        self,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        context = context or copy_context()
        handle = asyncio.Handle(callback, args, self, context)
        lane = context.get(_LANE, self._world)
        if not lane.is_dead:
            lane.ready.append(handle)
        return handle

    @override
    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        context = context or copy_context()
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        lane = context.get(_LANE, self._world)
        heapq.heappush(self._timers, (when, next(self._numbers), handle, lane))
        return handle

    @override
    def call_later(
        self,
        delay: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Nothing: a cancelled timer is skipped when its time comes."""

    @override
    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    @override
    def create_task(
        self,
        coro: Generator[Any, None, V] | Coroutine[Any, Any, V],
        *,
        name: object = None,
        context: Context | None = None,
        **_: object,
    ) -> asyncio.Task[V]:
        task = asyncio.Task(
            coro, loop=self, name=None if name is None else str(name), context=context
        )
        self._tasks.append(task)
        return task

    @override
    def get_debug(self) -> bool:
        return False

    @override
    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.errors.append(context)
