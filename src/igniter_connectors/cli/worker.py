"""`worker`: a process that handles webhooks, renews grants, revokes tokens and purges events."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from datetime import timedelta
from typing import Final, NoReturn

import msgspec

from igniter_connectors.cli.application import load_application
from igniter_connectors.cli.output import print_json, print_line
from igniter_connectors.flows.stop_tasks import stop_tasks
from igniter_connectors.manager.worker import WorkDone, Worker

_STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
# How long a thread of a handler has to end after everything else is closed.
_THREADS_SECONDS: Final = 3.0

_LABELS: Final = {
    "handled": "webhooks handled",
    "failed": "attempts failed",
    "dead": "dead-lettered",
    "renewed": "grants renewed",
    "revocations": "revocations",
    "purged": "events purged",
}


def run_worker(
    app: str,
    handlers: int,
    renew_every: float,
    report_every: float,
    *,
    only_once: bool,
    as_json: bool,
) -> None:
    """Works until a signal stops the process, or with `only_once` until no work is due.

    Args:
        app: `package.module:attribute` of the application's manager.
        handlers: Maximum number of webhooks handled at the same time.
        renew_every: Seconds between searches for grants that expire soon.
        report_every: Seconds between progress lines. A line counts what was done since the
            previous line; it is left out if all counts are 0.
        only_once: Exit as soon as no work is due.
        as_json: Print one JSON object per line.

    Raises:
        WrongWiring: there is no such application.
        StoreUnavailable: the database does not answer at the start. With `only_once`, also
            if it stops answering later.
    """
    asyncio.run(
        _run(app, handlers, renew_every, report_every, only_once=only_once, as_json=as_json)
    )


async def _run(
    app: str,
    handlers: int,
    renew_every: float,
    report_every: float,
    *,
    only_once: bool,
    as_json: bool,
) -> None:
    connectors = load_application(app)
    stop = _stop_event()
    progress = _Progress(as_json=as_json)
    # The application may be built for a web process that handles no webhooks.
    limits = msgspec.structs.replace(connectors.delivery_limits, handlers_at_once=handlers)
    async with connectors.as_worker(limits) as worker:
        if only_once:
            once = asyncio.ensure_future(worker.once())
            stopped = asyncio.ensure_future(stop.wait())
            _ = await asyncio.wait((once, stopped), return_when=asyncio.FIRST_COMPLETED)
            _ = stopped.cancel()
            if once.done():
                once.result()
            _ = await stop_tasks(once)
        else:
            worker.start(renew_every=timedelta(seconds=renew_every))
            progress.print_state("working")
            while not stop.is_set():
                try:
                    async with asyncio.timeout(report_every):
                        _ = await stop.wait()
                except TimeoutError:
                    progress.print_counts(worker)
            progress.print_state("stopping")
    progress.print_counts(worker)
    progress.print_state("done" if only_once else "stopped")
    if not await _has_ended():
        print_line("a handler does not end: the process exits without it", to_stderr=True)
        _exit_now()


async def _has_ended() -> bool:
    """Whether no task and no thread is left that Python would wait for at its exit."""
    own = asyncio.current_task()
    forced = await stop_tasks(*(task for task in asyncio.all_tasks() if task is not own))
    if not all(task.done() for task in forced):
        return False
    executor = asyncio.create_task(asyncio.get_running_loop().shutdown_default_executor())
    _, running = await asyncio.wait({executor}, timeout=_THREADS_SECONDS)
    return not running


def _exit_now() -> NoReturn:
    """Exits with 0: all that must not be lost is stored, and the events are given back."""
    logging.shutdown()
    _ = sys.stdout.flush()
    _ = sys.stderr.flush()
    os._exit(0)


def _stop_event() -> asyncio.Event:
    """Is set by the first stop signal. A second signal has its default effect."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def request_stop() -> None:
        stop.set()
        for number in _STOP_SIGNALS:
            _ = signal.signal(number, signal.SIG_DFL)

    for number in _STOP_SIGNALS:
        # loop.add_signal_handler does not exist on Windows.
        _ = signal.signal(number, lambda *_: loop.call_soon_threadsafe(request_stop))
    return stop


class _Progress:
    """Prints the worker's state, and the counts since the previous progress line."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._reported = WorkDone()

    def print_state(self, state: str) -> None:
        if self._as_json:
            print_json({"state": state})
        else:
            print_line(state)

    def print_counts(self, worker: Worker) -> None:
        done = worker.done()
        since: dict[str, int] = {
            name: count - getattr(self._reported, name)
            for name, count in msgspec.structs.asdict(done).items()
        }
        self._reported = done
        counts = {name: count for name, count in since.items() if count}
        if not counts:
            return
        if self._as_json:
            print_json(counts)
        else:
            print_line(", ".join(f"{count} {_LABELS[name]}" for name, count in counts.items()))
