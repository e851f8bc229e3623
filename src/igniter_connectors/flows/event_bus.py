"""Publishes events to telemetry and to subscribers, without waiting for subscribers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, final

import msgspec

from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.connector.handler_check import require_async
from igniter_connectors.core.event import Event
from igniter_connectors.flows.stop_tasks import stop_tasks
from igniter_connectors.ports import Observer


def event_fields(key: ConnectionKey) -> dict[str, str]:
    """The four fields by which an event names a connection."""
    return msgspec.structs.asdict(key)


Subscriber = Callable[[Event], Awaitable[None]]

MAX_QUEUED: Final = 1000
"""How many events wait for one subscriber at most."""

HANDLER_SECONDS: Final = 30.0
"""How long a subscriber may take for one event."""

CLOSE_SECONDS: Final = 5.0
"""How long the manager waits for queued events when it closes."""


@final
class Subscription:
    """The queue of one subscriber. Events are handled in order, one at a time.

    Subscribers do not wait for each other. An exception of a subscriber is logged. After
    30 s for one event it is cancelled. If 1,000 events are queued, new events are dropped,
    which is logged.
    """

    def __init__(
        self,
        handler: Subscriber,
        kinds: tuple[type[Event], ...],
        tenant: tuple[str, str] | None,
        logger: logging.Logger,
        drop: Callable[[Subscription], None],
    ) -> None:
        self._handler = handler
        self._kinds = kinds
        self._tenant = tenant
        self._logger = logger
        self._drop = drop
        self._queue: asyncio.Queue[Event] = asyncio.Queue(MAX_QUEUED)
        self._task: asyncio.Task[None] | None = None

    def cancel(self) -> None:
        """Stops: no further events are queued. Events that are queued already are handled."""
        self._drop(self)

    def offer(self, event: Event) -> None:
        """Queues the event if the subscriber subscribed to it. Never waits."""
        if not isinstance(event, self._kinds):
            return
        if self._tenant is not None and self._tenant != (event.scope, event.identity):
            return
        try:
            self._queue.put_nowait(event)
        except asyncio.QueueFull:
            self._logger.error("a subscriber is %d events behind: %s lost", MAX_QUEUED, event.name)
            return
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._work())

    async def drain(self, seconds: float) -> None:
        """Waits for the queued events, then cancels the rest."""
        if self._task is not None and not self._task.done():
            _ = await asyncio.wait({self._task}, timeout=seconds)
            _ = await stop_tasks(self._task)

    async def _work(self) -> None:
        while not self._queue.empty():
            event = self._queue.get_nowait()
            try:
                async with asyncio.timeout(HANDLER_SECONDS):
                    await self._handler(event)
            except Exception as error:
                # Only the type: the text of the exception may hold a secret.
                self._logger.error(
                    "a subscriber failed at %s: %s", event.name, type(error).__name__
                )


@final
class EventBus:
    """Knows the subscribers. `publish` returns at once.

    Attributes:
        is_silent: True if nobody observes or subscribes, so that events need not be made.
    """

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
        tenant: tuple[str, str] | None = None,
    ) -> Subscription:
        """Adds a subscriber.

        Args:
            handler: Called for each event.
            kinds: The kinds of event to receive.
            tenant: The kind and identity of the tenant whose events to receive; None for all.

        Raises:
            WrongWiring: the handler is not an async function of one argument.
        """
        require_async(handler, "the handler of events")
        subscription = Subscription(handler, kinds, tenant, self._logger, self._unsubscribe)
        self._subscriptions.append(subscription)
        self.is_silent = False
        return subscription

    def publish(self, event: Event) -> None:
        """Calls telemetry now, and queues the event for each subscriber of it."""
        if self._observer is not None:
            try:
                self._observer.observe(event)
            except Exception as error:
                self._logger.error("telemetry failed at %s: %s", event.name, type(error).__name__)
        for subscription in self._subscriptions:
            subscription.offer(event)

    async def close(self) -> None:
        """Waits up to 5 s for the queued events."""
        drains = (one.drain(CLOSE_SECONDS) for one in self._subscriptions)
        _ = await asyncio.gather(*drains)

    def _unsubscribe(self, subscription: Subscription) -> None:
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)
        self.is_silent = self._observer is None and not self._subscriptions
