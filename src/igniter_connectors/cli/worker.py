"""`worker`: a process that handles webhooks, renews grants, revokes tokens and purges events."""

from __future__ import annotations

import asyncio
import signal
from datetime import timedelta
from typing import Final

import msgspec

from igniter_connectors.cli.application import load_application
from igniter_connectors.cli.output import print_json, print_line
from igniter_connectors.core.webhook.retry_policy import DeliveryLimits
from igniter_connectors.manager.worker import WorkDone, Worker

_STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
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
    async with connectors.as_worker(DeliveryLimits(handlers_at_once=handlers)) as worker:
        if only_once:
            once = asyncio.ensure_future(worker.once())
            stopped = asyncio.ensure_future(stop.wait())
            _ = await asyncio.wait((once, stopped), return_when=asyncio.FIRST_COMPLETED)
            _ = stopped.cancel()
            if once.done():
                once.result()
            _ = once.cancel()
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
