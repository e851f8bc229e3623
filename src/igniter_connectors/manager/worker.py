"""A worker process: handles webhooks, renews grants, revokes tokens, purges the inbox."""

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
from igniter_connectors.flows.oauth.renew_expiring import RenewalWorker
from igniter_connectors.flows.oauth.revoke import RevocationWorker
from igniter_connectors.flows.stop_tasks import stop_tasks
from igniter_connectors.flows.webhooks.inbox_worker import InboxWorker
from igniter_connectors.ports import StoreUnavailable

POLL_EVERY: Final = timedelta(seconds=1)
"""How often a worker polls the inbox for webhooks that other processes recorded."""

_LISTEN_RETRY_SECONDS: Final = 5.0

RENEW_EVERY: Final = timedelta(minutes=5)
"""How often a worker renews grants that expire soon; up to a quarter more or less each time."""


class WorkDone(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker has done since it started.

    Attributes:
        handled: Webhook events whose handler succeeded.
        failed: Attempts that failed; each is retried or dead-lettered.
        dead: Events that were dead-lettered: only a replay tries them again.
        renewed: Grants renewed before they expired.
        revocations: Revocations that were due, whether or not the provider confirmed them.
        purged: Inbox events that were deleted or lost their body because their time was over.
    """

    handled: int = 0
    failed: int = 0
    dead: int = 0
    renewed: int = 0
    revocations: int = 0
    purged: int = 0


@final
class Worker:
    """A worker, opened by `Connectors.as_worker`.

    It handles webhooks and revokes queued tokens as soon as it is open. Several workers may
    share one database.
    """

    def __init__(
        self,
        engine: Engine,
        inbox: InboxWorker,
        revocations: RevocationWorker,
        renewals: RenewalWorker,
    ) -> None:
        self._engine = engine
        self._inbox = inbox
        self._revocations = revocations
        self._renewals = renewals
        self._subscription: Subscription | None = None
        self._listening: asyncio.Task[None] | None = None
        self._handled = self._failed = self._dead = 0

    def open(self) -> None:
        """Starts to handle webhooks. Called by the manager."""
        self._subscription = self._engine.event_bus.subscribe(
            self._count, kinds=(WebhookProcessed, WebhookFailedEvent, WebhookDeadLettered)
        )
        self._inbox.look_every = min(POLL_EVERY, self._engine.deliveries.limits.sweep_every)
        self._inbox.open()

    async def close(self) -> None:
        """Starts no more renewals. Called by the manager, which then closes the rest."""
        if self._listening is not None:
            _ = await stop_tasks(self._listening)
            self._listening = None
        await self._renewals.close()

    def start(self, *, renew_every: timedelta = RENEW_EVERY) -> None:
        """Starts the background work that lasts until the worker is closed.

        It renews grants that expire soon, now and at each interval. If the store can notify,
        it listens for webhooks that other processes recorded.
        """
        self._listening = asyncio.create_task(self._listen())
        self._renewals.start(every=renew_every)

    async def once(self) -> None:
        """Does all work that is due now: handles webhooks, revokes tokens, renews grants.

        Does not wait for events in back-off, or for events that another process handles.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        await self._inbox.settled()
        await self._revocations.settled()
        await self._renewals.once()

    def done(self) -> WorkDone:
        """What was done until now. Works after the worker was closed, too."""
        return WorkDone(
            handled=self._handled,
            failed=self._failed,
            dead=self._dead,
            renewed=self._renewals.renewed,
            revocations=self._revocations.processed,
            purged=self._inbox.purged,
        )

    async def _listen(self) -> None:
        while True:
            with suppress(StoreUnavailable):  # polling the inbox reports the failure
                await self._engine.store.inbox.listen(self._engine.deliveries.wake)
            await self._engine.clock.sleep(_LISTEN_RETRY_SECONDS)

    async def _count(self, event: Event) -> None:
        match event:
            case WebhookProcessed():
                self._handled += 1
            case WebhookFailedEvent():
                self._failed += 1
            case _:
                self._dead += 1
