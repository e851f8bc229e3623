"""A process of the application, as itself and as the campaign holds it.

Each is forked from one server that has imported everything, so that hundreds can be started and
killed within a figure's minute. One whose campaign is gone ends by itself.
"""

import asyncio
import logging
import multiprocessing
import os
import signal
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, TypeVar, TypeVarTuple

from benchmarks.reliability.application import Application, Setting, opened
from benchmarks.reliability.steps import Steps

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_PROCESSES = multiprocessing.get_context("forkserver")
# What a process imports when it builds its manager, opens it and sends is here already too:
# importing again in each of hundreds would take longer than all they do.
_PROCESSES.set_forkserver_preload(
    [
        "benchmarks.reliability.campaigns",
        "igniter_connectors.container",
        "anyio._backends._asyncio",
        "httpcore",
    ]
)


@dataclass(frozen=True)
class _Order:
    number: int
    work: Callable[..., Awaitable[Any]]
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class _Answer:
    number: int
    value: Any
    trace: str = ""


@dataclass(frozen=True)
class _Reached:
    step: str


class Worker:
    """A running process of the application."""

    def __init__(self, setting: Setting) -> None:
        self._link, theirs = _PROCESSES.Pipe()
        self._process = _PROCESSES.Process(target=_be, args=(setting, theirs), daemon=True)
        self._process.start()
        theirs.close()
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._count = 0
        self._reached = asyncio.Semaphore(0)
        asyncio.get_running_loop().add_reader(self._link.fileno(), self._hear)

    def begin(
        self, work: Callable[[Application, *Ts], Awaitable[T]], *arguments: *Ts
    ) -> asyncio.Future[T]:
        """Has it do something; what comes of it, unless it dies before.

        Args:
            work: A function of a module, which the process imports.
            arguments: Whatever can be pickled.
        """
        self._count += 1
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._answers[self._count] = answer
        self._link.send(_Order(self._count, work, arguments))
        return answer

    async def run(self, work: Callable[[Application, *Ts], Awaitable[T]], *arguments: *Ts) -> T:
        """What it returns for this work.

        Raises:
            RuntimeError: it raised; with its traceback.
        """
        return await self.begin(work, *arguments)

    async def stopped_at_its_step(self, times: int = 1) -> None:
        """Waits until so many of its refreshes have come to the step that they stop at."""
        for _ in range(times):
            await self._reached.acquire()

    def kill(self) -> None:
        """`kill -9`, and waits until it is gone."""
        asyncio.get_running_loop().remove_reader(self._link.fileno())
        self._signal(signal.SIGKILL)
        self._process.join()
        self._process.close()
        self._link.close()
        for answer in self._answers.values():
            answer.cancel()

    def pause(self) -> None:
        """SIGSTOP."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    def _hear(self) -> None:
        try:
            told = self._link.recv()
        except (EOFError, OSError):  # it ended by itself: whoever waits for it is told
            asyncio.get_running_loop().remove_reader(self._link.fileno())
            for answer in self._answers.values():
                answer.set_exception(RuntimeError("the process ended"))
            self._answers = {}
            return
        if isinstance(told, _Reached):
            self._reached.release()
            return
        answer = self._answers.pop(told.number)
        if answer.done():
            return
        if told.trace:
            answer.set_exception(RuntimeError(told.trace))
        else:
            answer.set_result(told.value)


async def go(app: Application) -> None:
    """Work for a worker: lets what stopped at its step go on."""
    app.steps.go()


def _be(setting: Setting, link: Connection) -> None:
    # The pool's complaints about a database that the campaign took away are no news.
    logging.basicConfig(handlers=[logging.NullHandler()])
    asyncio.run(_live(setting, link))


async def _live(setting: Setting, link: Connection) -> None:
    loop = asyncio.get_running_loop()
    steps = Steps(setting.stops_at, lambda step: link.send(_Reached(step)))
    async with opened(setting, steps) as app:
        running: set[asyncio.Task[None]] = set()

        def hear() -> None:
            try:
                order = link.recv()
            except (EOFError, OSError):
                os._exit(1)
            task = loop.create_task(_obey(app, order, link))
            running.add(task)
            task.add_done_callback(running.discard)

        loop.add_reader(link.fileno(), hear)
        await loop.create_future()


async def _obey(app: Application, order: _Order, link: Connection) -> None:
    try:
        answer = _Answer(order.number, await order.work(app, *order.arguments))
    except Exception:
        answer = _Answer(order.number, None, traceback.format_exc())
    link.send(answer)
