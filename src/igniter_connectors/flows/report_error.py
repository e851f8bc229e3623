"""Reports an exception that an application's handler or hook raised."""

from __future__ import annotations

import asyncio
import traceback
from pathlib import PurePath
from typing import Final

from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.event import ErrorOccurred
from igniter_connectors.core.printable import printable
from igniter_connectors.core.problem import RouteFailed
from igniter_connectors.core.redaction import redact
from igniter_connectors.core.secret import Secret
from igniter_connectors.flows.engine import Engine

_FRAMES: Final = 5


def is_cancellation(error: BaseException) -> bool:
    """Whether an exception out of a handler ends this task too, because the task was cancelled.

    Any other exception is the handler's own failure: also `SystemExit`, and a `CancelledError` that
    comes from something else than this task, such as a task that the handler cancelled itself.
    """
    if isinstance(error, GeneratorExit):
        return True
    task = asyncio.current_task()
    is_cancelled = task is not None and task.cancelling() > 0
    return isinstance(error, asyncio.CancelledError) and is_cancelled


def report(
    engine: Engine,
    error: BaseException,
    *,
    where: str,
    connector: str,
    key: ConnectionKey | None,
    secrets: tuple[Secret, ...],
) -> None:
    """Logs the exception and publishes `ErrorOccurred`: its type, its frames, its redacted text.

    The exception itself is not passed on: its locals, its cause and its `repr` may hold secrets.
    """
    frames = _frames(error)
    text = printable(redact(str(error), secrets))
    name = type(error).__name__
    engine.logger.error("%s raised %s: %s (%s)", where, name, text, " < ".join(reversed(frames)))
    engine.event_bus.publish(
        ErrorOccurred(
            at=engine.clock.now(),
            connector=connector,
            scope=key.scope if key else "",
            identity=key.identity if key else "",
            account=key.account if key else "",
            where=where,
            error=name,
            text=text,
            frames=frames,
        )
    )


def report_route_failure(
    engine: Engine, error: Exception, *, where: str, connector: str = ""
) -> RouteFailed:
    """Logs an exception that would leave a route, and tells `on_error`: its type and frames.

    The text is left out. It may quote the request, whose secrets nobody knows before it is read.
    """
    frames, name = _frames(error), type(error).__name__
    engine.logger.error("%s raised %s (%s)", where, name, " < ".join(reversed(frames)))
    engine.event_bus.publish(
        ErrorOccurred(
            at=engine.clock.now(),
            connector=connector,
            scope="",
            identity="",
            account="",
            where=where,
            error=name,
            text="",
            frames=frames,
        )
    )
    return RouteFailed()


def _frames(error: BaseException) -> tuple[str, ...]:
    return tuple(
        f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    )
