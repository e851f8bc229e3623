"""Telling subscribers and telemetry what happened, without waiting for them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, final

import msgspec

from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.event import Event
from igniter_connectors.ports import Observer


def event_fields(key: ConnectionKey) -> dict[str, str]:
    """The four fields by which an event names a connection."""
    return msgspec.structs.asdict(key)


Subscriber = Callable[[Event], Awaitable[None]]

BACKLOG: Final = 1000
HANDLER_SECONDS: Final = 30.0
CLOSE_SECONDS: Final = 5.0


@final
class Subscription:
    """One subscriber's queue: in order, one at a time, apart from everybody else.

    A subscriber that raises is logged; one that takes over 30 s for an event is cut off;
    one that is 1,000 events behind loses the newest, which is logged.
    """

    def __init__(
        self,
        handler: Subscriber,
        kinds: tuple[type[Event], ...],
        place: tuple[str, str] | None,
        logger: logging.Logger,
        drop: Callable[[Subscription], None],
    ) -> None:
        self._handler = handler
        self._kinds = kinds
        self._place = place
        self._logger = logger
        self._drop = drop
        self._queue: asyncio.Queue[Event] = asyncio.Queue(BACKLOG)
        self._task: asyncio.Task[None] | None = None

    def cancel(self) -> None:
        """No further events. One being handled is handled to its end."""
        self._drop(self)

    def offer(self, event: Event) -> None:
        """Queues the event where it is wanted. Never waits."""
        if not isinstance(event, self._kinds):
            return
        if self._place is not None and self._place != (event.scope, event.identity):
            return
        try:
            self._queue.put_nowait(event)
        except asyncio.QueueFull:
            self._logger.error("a subscriber is %d events behind: %s lost", BACKLOG, event.name)
            return
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._work())

    async def drain(self, seconds: float) -> None:
        """Waits for what is queued, then gives up on it."""
        if self._task is not None and not self._task.done():
            _ = await asyncio.wait({self._task}, timeout=seconds)
            _ = self._task.cancel()

    async def _work(self) -> None:
        while not self._queue.empty():
            event = self._queue.get_nowait()
            try:
                async with asyncio.timeout(HANDLER_SECONDS):
                    await self._handler(event)
            except Exception as error:
                # The type alone: a subscriber's text is not ours to judge.
                self._logger.error(
                    "a subscriber failed at %s: %s", event.name, type(error).__name__
                )


@final
class EventBus:
    """Knows who wants which events. `tell` returns at once."""

    def __init__(self, observer: Observer | None, logger: logging.Logger) -> None:
        self._observer = observer
        self._logger = logger
        self._subscriptions: list[Subscription] = []
        self.is_silent: bool = observer is None

    def subscribe(
        self,
        handler: Subscriber,
        *,
        kinds: tuple[type[Event], ...] = (Event,),
        place: tuple[str, str] | None = None,
    ) -> Subscription:
        """Adds a subscriber for some kinds of event, of one tenant or of all."""
        subscription = Subscription(handler, kinds, place, self._logger, self._unsubscribe)
        self._subscriptions.append(subscription)
        self.is_silent = False
        return subscription

    def publish(self, event: Event) -> None:
        """Tells telemetry now, and queues the event for each subscriber that wants it."""
        if self._observer is not None:
            try:
                self._observer.observe(event)
            except Exception as error:
                self._logger.error("telemetry failed at %s: %s", event.name, type(error).__name__)
        for subscription in self._subscriptions:
            subscription.offer(event)

    async def close(self) -> None:
        """Gives subscribers 5 s for what is queued."""
        drains = (one.drain(CLOSE_SECONDS) for one in self._subscriptions)
        _ = await asyncio.gather(*drains)

    def _unsubscribe(self, subscription: Subscription) -> None:
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)
        self.is_silent = self._observer is None and not self._subscriptions
