"""The inbox worker: claims due events, and renews the leases of running attempts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Final, final

from igniter_connectors.core.webhook.inbox import InboxEvent, may_end_process
from igniter_connectors.core.webhook.retry_policy import Delivery, share_of
from igniter_connectors.core.webhook.turns import Share
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.stop_tasks import STOP_SECONDS, stop_tasks
from igniter_connectors.flows.webhooks.attempt import Attempt, handle_claimed
from igniter_connectors.ports import StoreUnavailable

# How often to look at a due event that was not claimed.
_BLOCKED_SECONDS: Final = 1.0

# A purge that removed so much has probably left more, so that the next one follows at once.
_LARGE_PURGE: Final = 500


@final
class InboxWorker:
    """Claims due events from the inbox, and keeps the leases of the attempts that run.

    The inbox is the only truth: if a process dies, its events are due again when their
    leases end.

    Attributes:
        look_every: The longest time between two looks into the inbox.
        purged: How many events were deleted or lost their body, because their time was over.
    """

    def __init__(self, engine: Engine) -> None:
        self.look_every: timedelta = engine.deliveries.limits.sweep_every
        self.purged: int = 0
        self._engine = engine
        self._deliveries = engine.deliveries
        self._with_webhook = tuple(key for key, one in engine.connectors.items() if one.webhook)
        self._is_waiting = False
        # An event that runs as soon as nothing else does.
        self._waiting_alone: InboxEvent | None = None
        # The attempts that are ended by force.
        self._overdue: dict[asyncio.Task[bool], asyncio.Task[object]] = {}
        self._working: asyncio.Task[None] | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._sweeping: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Starts to handle events, pending ones first."""
        if not self._with_webhook:
            return
        self._deliveries.owner = self._engine.new_id()
        self._deliveries.woken.set()
        self._working = asyncio.create_task(self._work())
        self._renewing = asyncio.create_task(self._renew_leases())
        self._sweeping = asyncio.create_task(self._sweep())

    async def close(self) -> None:
        """Starts nothing more, waits for what runs, and gives the rest back to the inbox.

        A handler that does not end when it is cancelled is ended by force, and its event is named
        in the log.
        """
        deliveries = self._deliveries
        deliveries.owner = ""
        seconds = deliveries.limits.stop_within.total_seconds()
        if self._sweeping is not None:
            _ = await stop_tasks(self._sweeping)
        if self._working is not None:
            # It ends by itself: it gives back what a claim on its way has taken.
            deliveries.woken.set()
            _ = await asyncio.wait((self._working,), timeout=seconds + STOP_SECONDS)
            _ = await stop_tasks(self._working)
        if deliveries.running:
            _ = await asyncio.wait(deliveries.running, timeout=seconds)
        cut_off = dict(deliveries.running)
        forced = await stop_tasks(*cut_off)
        await self._give_back(tuple(cut_off.values()))
        for task in forced:
            key, event = cut_off[task].key, cut_off[task].id
            self._engine.logger.error(
                "%s: the handler of the webhook event %s does not end when it is cancelled: "
                "it is ended by force, and the event is given back",
                key.connector,
                event,
            )
        if self._renewing is not None:
            _ = await stop_tasks(self._renewing)
        self._sweeping = self._working = self._renewing = None

    async def settled(self) -> None:
        """Waits until nothing runs in this process and nothing is due now."""
        deliveries = self._deliveries
        deliveries.woken.set()
        while deliveries.taken or (
            self._working and (deliveries.woken.is_set() or not self._is_waiting)
        ):
            if deliveries.running:
                _ = await asyncio.wait(deliveries.running)
            else:
                await asyncio.sleep(0.002)

    async def _work(self) -> None:
        clock, deliveries = self._engine.clock, self._deliveries
        while deliveries.owner:
            deliveries.woken.clear()
            pause = self.look_every.total_seconds()
            try:
                pause = min(pause, await self._claim_due())
            except StoreUnavailable as error:
                self._engine.logger.error("the database failed: %s", error.reason)
                pause = min(pause, _BLOCKED_SECONDS)
            if not deliveries.owner:
                await self._give_back_waiting()
                break
            sleep = asyncio.ensure_future(clock.sleep(pause))
            woken = asyncio.ensure_future(deliveries.woken.wait())
            self._is_waiting = True
            try:
                _ = await asyncio.wait((sleep, woken), return_when=asyncio.FIRST_COMPLETED)
            finally:
                self._is_waiting = False
                _ = sleep.cancel()
                _ = woken.cancel()

    async def _claim_due(self) -> float:
        """Starts due events while slots are free. Returns the seconds until more may be due."""
        inbox, deliveries = self._engine.store.inbox, self._deliveries
        if deliveries.alone is not None:
            return self._start_alone()
        while (owner := deliveries.owner) and (
            free := deliveries.limits.handlers_at_once - deliveries.taken
        ) > 0:
            # The other half of the slots is for events that arrive in the meantime.
            room = (free + 1) // 2
            deliveries.taken += room
            deliveries.is_behind = False
            claimed: Sequence[InboxEvent] = ()
            try:
                claimed = await inbox.claim(
                    self._with_webhook,
                    owner=owner,
                    lease=deliveries.limits.lease,
                    limit=room,
                    share=Share(share_of(deliveries.limits), deliveries.taken_by),
                )
            finally:
                deliveries.taken -= room - len(claimed)
            if not deliveries.owner:
                deliveries.taken -= len(claimed)
                await self._give_back([self._attempt(event, owner) for event in claimed])
                return 0.0
            alone = [event for event in claimed if may_end_process(event.last_code)]
            for event in claimed:
                if event not in alone:
                    self._start_claimed(event, self._attempt(event, owner))
            if alone:
                return await self._wait_alone(alone, owner)
            # If behind: an event found no slot, and may have been recorded after the claim.
            if not claimed and not deliveries.is_behind:
                break
        else:
            deliveries.is_behind = True
            return deliveries.limits.sweep_every.total_seconds()
        due = await inbox.until_due(self._with_webhook)
        # Due but not claimed: another process is claiming it, or its tenant has its share of slots.
        deliveries.is_behind = due is not None and due.total_seconds() <= 0
        if due is None:
            return deliveries.limits.sweep_every.total_seconds()
        return due.total_seconds() if due.total_seconds() > 0 else _BLOCKED_SECONDS

    async def _wait_alone(self, events: Sequence[InboxEvent], owner: str) -> float:
        """Keeps the first of these until nothing else runs, and gives the others back.

        If a process ends, no event in it but the one that ran alone is counted for it.
        """
        deliveries, (first, *others) = self._deliveries, events
        deliveries.alone, self._waiting_alone = self._attempt(first, owner), first
        deliveries.taken -= len(others)
        await self._give_back([self._attempt(event, owner) for event in others])
        return self._start_alone()

    def _start_alone(self) -> float:
        """Starts the event that must run alone, if nothing else runs. As `_claim_due`."""
        deliveries, event = self._deliveries, self._waiting_alone
        if event is not None and deliveries.alone is not None and deliveries.taken == 1:
            self._waiting_alone = None
            attempt = deliveries.alone
            assert isinstance(attempt, Attempt)  # `_wait_alone` made it
            self._start_claimed(event, attempt)
        deliveries.is_behind = True
        return self.look_every.total_seconds()

    async def _give_back_waiting(self) -> None:
        alone = self._deliveries.alone
        if self._waiting_alone is not None and alone is not None:
            self._waiting_alone = self._deliveries.alone = None
            self._deliveries.taken -= 1
            await self._give_back([alone])

    def _start_claimed(self, event: InboxEvent, attempt: Attempt) -> None:
        self._deliveries.start_claimed(handle_claimed(self._engine, event, attempt), attempt)

    def _attempt(self, event: InboxEvent, owner: str) -> Attempt:
        webhook = self._engine.connectors[event.key.connector].webhook
        assert webhook is not None  # only events of connectors with a webhook are claimed
        return Attempt(
            event.key,
            event.id,
            owner,
            event.attempts,
            webhook.keep_body_for,
            event.event_id,
            event.received_at,
            event.possible_replay,
        )

    async def _give_back(self, deliveries: Sequence[Delivery]) -> None:
        if not deliveries:
            return
        try:
            await self._engine.store.inbox.give_back(deliveries)
        except StoreUnavailable as error:
            self._engine.logger.error("the database failed: %s", error.reason)

    async def _sweep(self) -> None:
        """Purges what has expired, and releases held events, however busy the handlers are."""
        inbox, clock = self._engine.store.inbox, self._engine.clock
        while True:
            try:
                while (purged := await inbox.purge()) >= _LARGE_PURGE:
                    self.purged += purged
                self.purged += purged
                if await inbox.release():
                    self._deliveries.wake()
            except StoreUnavailable as error:
                self._engine.logger.error("the database failed: %s", error.reason)
            await clock.sleep(self._deliveries.limits.sweep_every.total_seconds())

    def _longest_seconds(self, delivery: Delivery) -> float:
        """How long an attempt may run, with time for its handler to clean up."""
        webhook = self._engine.connectors[delivery.key.connector].webhook
        limit = webhook.time_limit if webhook is not None else timedelta(0)
        return (limit + self._deliveries.limits.lease).total_seconds()

    def _stop_overdue(self, task: asyncio.Task[bool], delivery: Delivery) -> None:
        if task in self._overdue:
            return
        self._engine.logger.error(
            "%s: the handler of the webhook event %s does not end after its time limit: "
            "it is ended by force, and the event is tried again",
            delivery.key.connector,
            delivery.id,
        )
        stopping = asyncio.create_task(stop_tasks(task, within_seconds=0))
        self._overdue[task] = stopping
        task.add_done_callback(self._overdue.pop)

    async def _renew_leases(self) -> None:
        """Renews the leases of the running attempts, three times per lease."""
        third = self._deliveries.limits.lease.total_seconds() / 3
        first_seen: dict[asyncio.Task[bool], float] = {}
        while True:
            await self._engine.clock.sleep(third)
            running, now = dict(self._deliveries.running), self._engine.clock.monotonic()
            first_seen = {task: first_seen.get(task, now) for task in running}
            for task in list(running):
                if now - first_seen[task] > self._longest_seconds(running[task]):
                    # Its lease ends, and the next attempt begins.
                    self._stop_overdue(task, running.pop(task))
            deliveries = list(running.values())
            if self._waiting_alone is not None and self._deliveries.alone is not None:
                deliveries.append(self._deliveries.alone)
            if not deliveries:
                continue
            try:
                await self._engine.store.inbox.extend(
                    tuple(deliveries), lease=self._deliveries.limits.lease
                )
            except StoreUnavailable as error:
                self._engine.logger.error("the database failed: %s", error.reason)
