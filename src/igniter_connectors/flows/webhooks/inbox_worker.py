"""Handling what the inbox holds: bounded tasks of this process, and a look for what others left."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, Final, final

from igniter_connectors.core.api.client import ApiSenders
from igniter_connectors.core.connector.definition import Definition
from igniter_connectors.core.scope import Scope
from igniter_connectors.core.webhook.inbox import InboxEvent
from igniter_connectors.core.webhook.retry_policy import Delivery, DeliveryLimits
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.webhooks.attempt import handle_claimed
from igniter_connectors.ports import StoreUnavailable

# What waits for another event of its order key, or for another process, is looked at this often.
_BLOCKED_SECONDS: Final = 1.0


@final
class Deliveries:
    """The attempts that run in this process.

    An event that is received while there is room is handled at once, in a task of the
    manager's; any other waits in the inbox until this process or another has room. The
    inbox is the only truth: what dies with its process is due again when its lease is over.
    """

    def __init__(
        self,
        engine: Engine,
        senders: ApiSenders,
        connectors: Mapping[str, Definition[Any, Any, Any]],
        kinds: Mapping[str, type[Scope]],
        limits: DeliveryLimits,
    ) -> None:
        self.limits = limits
        self.senders = senders
        self.receiving = 0
        self.purged = 0
        self.look_every = limits.sweep_every  # a worker looks more often
        self._engine = engine
        self._connectors = connectors
        self._kinds = kinds
        self._with_webhook = tuple(key for key, one in connectors.items() if one.webhook)
        self._owner = ""
        # Attempts that run, and places kept for events that are being recorded.
        self._taken = 0
        self._running: dict[asyncio.Task[bool], Delivery] = {}
        self._woken = asyncio.Event()
        self._is_waiting = False
        self._is_behind = False
        self._sweep_at = 0.0
        self._working: asyncio.Task[None] | None = None
        self._holding_on: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begins to handle: what is pending first."""
        if not self._with_webhook:
            return
        self._owner = self._engine.new_id()
        self._woken.set()
        self._working = asyncio.create_task(self._work())
        self._holding_on = asyncio.create_task(self._hold_on())

    async def close(self) -> None:
        """Begins nothing more, waits for what runs, and gives the rest back to the inbox."""
        self._owner = ""
        if self._working is not None:
            # It ends by itself: what a claim on its way has taken is to be given back.
            self._woken.set()
            _ = await asyncio.wait((self._working,))
            self._working = None
        if self._running:
            seconds = self.limits.stop_within.total_seconds()
            _ = await asyncio.wait(self._running, timeout=seconds)
        cut_off = dict(self._running)
        for task in cut_off:
            _ = task.cancel()
        if cut_off:
            _ = await asyncio.wait(cut_off)
            await self._give_back(tuple(cut_off.values()))
        if self._holding_on is not None:
            _ = self._holding_on.cancel()
            _ = await asyncio.wait((self._holding_on,))
            self._holding_on = None

    async def settled(self) -> None:
        """Waits until nothing runs in this process and nothing is due now."""
        self._woken.set()
        while self._taken or (self._working and (self._woken.is_set() or not self._is_waiting)):
            if self._running:
                _ = await asyncio.wait(self._running)
            else:
                await asyncio.sleep(0.002)

    def reserve(self) -> str:
        """Keeps a place for an event that is about to be recorded; "" where there is none.

        What is returned is the owner to record it with. Follow with `start` or `free`.
        """
        if self._owner and self._taken < self.limits.handlers_at_once:
            self._taken += 1
            return self._owner
        return ""

    def free(self, owner: str) -> None:
        """Gives a place back that was kept."""
        if owner:
            self._taken -= 1

    def start(self, work: Coroutine[object, None, bool], delivery: Delivery) -> None:
        """Runs an attempt in the place that was kept for it. It returns whether the event is
        to be handled again."""
        task = asyncio.get_running_loop().create_task(work)
        self._running[task] = delivery
        task.add_done_callback(self._ended)

    def wake(self) -> None:
        """Looks into the inbox soon: something was recorded that nobody handles yet."""
        self._is_behind = True
        if self._taken < self.limits.handlers_at_once:
            self._woken.set()

    def _ended(self, task: asyncio.Task[bool]) -> None:
        del self._running[task]
        self._taken -= 1
        if task.cancelled():
            return
        error = task.exception()
        if error is not None or task.result() or self._is_behind:
            self._woken.set()
        if error is not None:
            reason = error.reason if isinstance(error, StoreUnavailable) else type(error).__name__
            self._engine.logger.error("a webhook's attempt broke off: %s", reason)

    async def _work(self) -> None:
        clock = self._engine.clock
        while self._owner:
            self._woken.clear()
            pause = self.look_every.total_seconds()
            try:
                pause = min(pause, await self._claim_due())
            except StoreUnavailable as error:
                self._engine.logger.error("the database failed: %s", error.reason)
                pause = min(pause, _BLOCKED_SECONDS)
            if not self._owner:
                break
            sleep = asyncio.ensure_future(clock.sleep(pause))
            woken = asyncio.ensure_future(self._woken.wait())
            self._is_waiting = True
            try:
                _ = await asyncio.wait((sleep, woken), return_when=asyncio.FIRST_COMPLETED)
            finally:
                self._is_waiting = False
                _ = sleep.cancel()
                _ = woken.cancel()

    async def _claim_due(self) -> float:
        """Starts what is due, as far as there is room; the seconds until more may be."""
        inbox = self._engine.store.inbox
        while (owner := self._owner) and (free := self.limits.handlers_at_once - self._taken) > 0:
            # The other half is for what comes meanwhile.
            room = (free + 1) // 2
            self._taken += room
            self._is_behind = False
            claimed: Sequence[InboxEvent] = ()
            try:
                claimed = await inbox.claim(
                    self._with_webhook, owner=owner, lease=self.limits.lease, limit=room
                )
            finally:
                self._taken -= room - len(claimed)
            if not self._owner:
                self._taken -= len(claimed)
                await self._give_back([self._delivery(event, owner) for event in claimed])
                return 0.0
            for event in claimed:
                self._start_claimed(event, self._delivery(event, owner))
            # Found no place meanwhile, and may have come too late for the claim.
            if not claimed and not self._is_behind:
                break
        else:
            self._is_behind = True
            return self.limits.sweep_every.total_seconds()
        due = await inbox.until_due(self._with_webhook)
        # Due and yet not claimed: it waits for another of its order key.
        self._is_behind = due is not None and due.total_seconds() <= 0
        now = self._engine.clock.monotonic()
        if now >= self._sweep_at:
            self._sweep_at = now + self.limits.sweep_every.total_seconds()
            self.purged += await inbox.purge()
            if await inbox.release():
                return 0.0
        if due is None:
            return self.limits.sweep_every.total_seconds()
        return due.total_seconds() if due.total_seconds() > 0 else _BLOCKED_SECONDS

    def _start_claimed(self, event: InboxEvent, delivery: Delivery) -> None:
        work = handle_claimed(
            self._engine, self.senders, self._connectors, self._kinds, event, delivery
        )
        self.start(work, delivery)

    def _delivery(self, event: InboxEvent, owner: str) -> Delivery:
        webhook = self._connectors[event.key.connector].webhook
        assert webhook is not None  # no other connector's event was asked for
        return Delivery(event.key, event.id, owner, event.attempts, webhook.keep_body_for)

    async def _give_back(self, deliveries: Sequence[Delivery]) -> None:
        if not deliveries:
            return
        try:
            await self._engine.store.inbox.give_back(deliveries)
        except StoreUnavailable as error:
            self._engine.logger.error("the database failed: %s", error.reason)

    async def _hold_on(self) -> None:
        """Keeps the leases of what runs from ending."""
        third = self.limits.lease.total_seconds() / 3
        while True:
            await self._engine.clock.sleep(third)
            if not self._running:
                continue
            try:
                await self._engine.store.inbox.extend(
                    tuple(self._running.values()), lease=self.limits.lease
                )
            except StoreUnavailable as error:
                self._engine.logger.error("the database failed: %s", error.reason)
