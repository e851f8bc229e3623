"""What a process does that only works: webhooks, renewals, revocations, the inbox's purge."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Final, final

import msgspec

from igniter_connectors.core.event import (
    Event,
    WebhookDeadLettered,
    WebhookFailedEvent,
    WebhookProcessed,
)
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.event_bus import Subscription
from igniter_connectors.flows.oauth.renew_expiring import Sweep
from igniter_connectors.flows.oauth.revoke import Revocations
from igniter_connectors.flows.webhooks.inbox_worker import InboxWorker
from igniter_connectors.ports import StoreUnavailable

LOOK_EVERY: Final = timedelta(seconds=1)
"""How often a worker looks for webhooks that others recorded and left, where no store tells it."""

_LISTEN_AGAIN_SECONDS: Final = 5.0

RENEW_EVERY: Final = timedelta(minutes=5)
"""How often a worker renews what would lapse; each time up to a quarter more or less."""


class WorkDone(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker has done since it began.

    Attributes:
        handled: Webhook events whose handler succeeded.
        failed: Attempts that failed, and are followed by another or by the event's end.
        dead: Events that will not be tried again unless they are replayed.
        renewed: Grants renewed before they would have lapsed.
        revocations: Revocations that were due, whether or not the provider confirmed them.
        purged: Events of the inbox that were deleted or lost their body, their time being over.
    """

    handled: int = 0
    failed: int = 0
    dead: int = 0
    renewed: int = 0
    revocations: int = 0
    purged: int = 0


@final
class Worker:
    """A process that only works, as `Connectors.as_worker` opens it.

    It handles webhooks and revokes queued tokens from the start. Several may
    work on one database at once.
    """

    def __init__(
        self, engine: Engine, inbox: InboxWorker, revocations: Revocations, sweep: Sweep
    ) -> None:
        self._engine = engine
        self._inbox = inbox
        self._revocations = revocations
        self._sweep = sweep
        self._subscription: Subscription | None = None
        self._listening: asyncio.Task[None] | None = None
        self._handled = self._failed = self._dead = 0

    def open(self) -> None:
        """Begins to handle webhooks. The manager's."""
        self._subscription = self._engine.event_bus.subscribe(
            self._hear, kinds=(WebhookProcessed, WebhookFailedEvent, WebhookDeadLettered)
        )
        self._inbox.look_every = min(LOOK_EVERY, self._engine.deliveries.limits.sweep_every)
        self._inbox.open()

    async def close(self) -> None:
        """Begins no more renewals. The manager's, which then closes the rest."""
        if self._listening is not None:
            _ = self._listening.cancel()
            _ = await asyncio.wait([self._listening])
            self._listening = None
        await self._sweep.close()

    def start(self, *, renew_every: timedelta = RENEW_EVERY) -> None:
        """Renews what would lapse, now and every so often until the worker is closed, and
        listens for webhooks that others recorded and left, where the store can tell."""
        self._listening = asyncio.create_task(self._listen())
        self._sweep.start(every=renew_every)

    async def once(self) -> None:
        """Does what there is to do now: handles what is due in the inbox, revokes, renews.

        What waits for a pause after a failure, or for another process, is not waited for.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        await self._inbox.settled()
        await self._revocations.settled()
        await self._sweep.once()

    def done(self) -> WorkDone:
        """What was done until now; also after the worker was closed."""
        return WorkDone(
            handled=self._handled,
            failed=self._failed,
            dead=self._dead,
            renewed=self._sweep.renewed,
            revocations=self._revocations.looked_at,
            purged=self._inbox.purged,
        )

    async def _listen(self) -> None:
        while True:
            with suppress(StoreUnavailable):  # which the looks into the inbox tell too
                await self._engine.store.inbox.listen(self._engine.deliveries.wake)
            await self._engine.clock.sleep(_LISTEN_AGAIN_SECONDS)

    async def _hear(self, event: Event) -> None:
        match event:
            case WebhookProcessed():
                self._handled += 1
            case WebhookFailedEvent():
                self._failed += 1
            case _:
                self._dead += 1
