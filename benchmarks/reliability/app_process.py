"""An application process, and the handle by which a figure controls it.

Each process is forked from a fork server that has imported everything, so that a figure can start
and kill hundreds within a minute. A process exits if its parent has exited.
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

from benchmarks.reliability.application import AppConfig, Application, opened
from benchmarks.reliability.breakpoints import Breakpoints

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_PROCESSES = multiprocessing.get_context("forkserver")
# Includes what a process imports when it builds and opens its manager and sends requests.
# Importing this again in hundreds of processes would take longer than their work.
_PROCESSES.set_forkserver_preload(
    [
        "benchmarks.reliability.registry",
        "igniter_connectors.container",
        "anyio._backends._asyncio",
        "httpcore",
    ]
)


@dataclass(frozen=True)
class _Command:
    number: int
    work: Callable[..., Awaitable[Any]]
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class _Reply:
    number: int
    value: Any
    trace: str = ""


@dataclass(frozen=True)
class _Reached:
    step: str


class AppProcess:
    """A running application process."""

    def __init__(self, config: AppConfig) -> None:
        self._link, theirs = _PROCESSES.Pipe()
        self._process = _PROCESSES.Process(target=_main, args=(config, theirs), daemon=True)
        self._process.start()
        theirs.close()
        self._replies: dict[int, asyncio.Future[Any]] = {}
        self._count = 0
        self._reached = asyncio.Semaphore(0)
        asyncio.get_running_loop().add_reader(self._link.fileno(), self._on_message)

    def submit(
        self, work: Callable[[Application, *Ts], Awaitable[T]], *arguments: *Ts
    ) -> asyncio.Future[T]:
        """Starts a function in the process and returns its future result.

        Args:
            work: A module-level function.
            arguments: Values that can be pickled.
        """
        self._count += 1
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._replies[self._count] = answer
        self._link.send(_Command(self._count, work, arguments))
        return answer

    async def run(self, work: Callable[[Application, *Ts], Awaitable[T]], *arguments: *Ts) -> T:
        """Runs a function in the process and returns its result.

        Raises:
            RuntimeError: the function raised. The text has its traceback.
        """
        return await self.submit(work, *arguments)

    async def wait_at_step(self, times: int = 1) -> None:
        """Waits until this many refreshes have reached the breakpoint."""
        for _ in range(times):
            await self._reached.acquire()

    def kill(self) -> None:
        """Sends SIGKILL and waits until the process has exited."""
        asyncio.get_running_loop().remove_reader(self._link.fileno())
        self._signal(signal.SIGKILL)
        self._process.join()
        self._process.close()
        self._link.close()
        for answer in self._replies.values():
            answer.cancel()

    def pause(self) -> None:
        """Sends SIGSTOP."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Sends SIGCONT."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    def _on_message(self) -> None:
        try:
            message = self._link.recv()
        except (EOFError, OSError):  # it exited: its callers get an exception
            asyncio.get_running_loop().remove_reader(self._link.fileno())
            for answer in self._replies.values():
                answer.set_exception(RuntimeError("the process exited"))
            self._replies = {}
            return
        if isinstance(message, _Reached):
            self._reached.release()
            return
        answer = self._replies.pop(message.number)
        if answer.done():
            return
        if message.trace:
            answer.set_exception(RuntimeError(message.trace))
        else:
            answer.set_result(message.value)


async def release(app: Application) -> None:
    """Releases the breakpoint of this process."""
    app.breakpoints.release()


def _main(config: AppConfig, link: Connection) -> None:
    # The pool's warnings about a stopped database are expected.
    logging.basicConfig(handlers=[logging.NullHandler()])
    asyncio.run(_serve(config, link))


async def _serve(config: AppConfig, link: Connection) -> None:
    loop = asyncio.get_running_loop()
    breakpoints = Breakpoints(config.stop_at, lambda step: link.send(_Reached(step)))
    async with opened(config, breakpoints) as app:
        running: set[asyncio.Task[None]] = set()

        def on_message() -> None:
            try:
                command = link.recv()
            except (EOFError, OSError):
                os._exit(1)
            task = loop.create_task(_execute(app, command, link))
            running.add(task)
            task.add_done_callback(running.discard)

        loop.add_reader(link.fileno(), on_message)
        await loop.create_future()


async def _execute(app: Application, command: _Command, link: Connection) -> None:
    try:
        answer = _Reply(command.number, await command.work(app, *command.arguments))
    except Exception:
        answer = _Reply(command.number, None, traceback.format_exc())
    link.send(answer)
