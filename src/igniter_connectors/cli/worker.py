"""`worker`: a process that handles webhooks, renews, revokes and purges, and serves nobody."""

from __future__ import annotations

import asyncio
import signal
from datetime import timedelta
from typing import Final

import click
import msgspec

from igniter_connectors.cli.application import load_application
from igniter_connectors.core.webhook.retry_policy import DeliveryLimits
from igniter_connectors.manager.worker import WorkDone, Worker

_ENDINGS: Final = (signal.SIGINT, signal.SIGTERM)
_WORDS: Final = {
    "handled": "webhooks handled",
    "failed": "attempts failed",
    "dead": "dead-lettered",
    "renewed": "grants renewed",
    "revocations": "revocations",
    "purged": "events purged",
}


def work(
    app: str,
    handlers: int,
    renew_every: float,
    tell_every: float,
    *,
    only_once: bool,
    as_json: bool,
) -> None:
    """Works until it is told to stop, or until there is nothing to do.

    Args:
        app: The application's manager.
        handlers: How many webhooks are handled at once.
        renew_every: In seconds.
        tell_every: How often a line says what was done since the last, in seconds. Where
            nothing was, none does.
        only_once: Ends as soon as nothing is due.
        as_json: One JSON object a line.

    Raises:
        WrongWiring: there is no such application.
        StoreUnavailable: the database does not answer at the start, or at all with `only_once`.
    """
    asyncio.run(_work(app, handlers, renew_every, tell_every, only_once=only_once, as_json=as_json))


async def _work(
    app: str,
    handlers: int,
    renew_every: float,
    tell_every: float,
    *,
    only_once: bool,
    as_json: bool,
) -> None:
    connectors = load_application(app)
    stop = _stopped_by_signals()
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
            progress.say("working")
            while not stop.is_set():
                try:
                    async with asyncio.timeout(tell_every):
                        _ = await stop.wait()
                except TimeoutError:
                    progress.tell(worker)
            progress.say("stopping")
    progress.tell(worker)
    progress.say("done" if only_once else "stopped")


def _stopped_by_signals() -> asyncio.Event:
    """Set by the first signal. The next one ends the process as if there were no handler."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def end() -> None:
        stop.set()
        for number in _ENDINGS:
            _ = signal.signal(number, signal.SIG_DFL)

    for number in _ENDINGS:
        # The loop's own handlers are not to be had on Windows.
        _ = signal.signal(number, lambda *_: loop.call_soon_threadsafe(end))
    return stop


class _Progress:
    """Lines that say what was done since the last one."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._told = WorkDone()

    def say(self, state: str) -> None:
        click.echo(msgspec.json.encode({"state": state}) if self._as_json else state)

    def tell(self, worker: Worker) -> None:
        done = worker.done()
        since: dict[str, int] = {
            name: count - getattr(self._told, name)
            for name, count in msgspec.structs.asdict(done).items()
        }
        self._told = done
        counts = {name: count for name, count in since.items() if count}
        if not counts:
            return
        if self._as_json:
            click.echo(msgspec.json.encode(counts))
        else:
            click.echo(", ".join(f"{count} {_WORDS[name]}" for name, count in counts.items()))
