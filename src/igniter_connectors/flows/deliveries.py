"""The webhook attempts that run in this process, and the slots for more."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import final

from igniter_connectors.core.connection.record import ConnectionKey, Tenant
from igniter_connectors.core.webhook.retry_policy import Delivery, DeliveryLimits, share_of
from igniter_connectors.ports import StoreUnavailable


@final
class Deliveries:
    """Bounded tasks of this process that handle webhook events.

    An event that is received while a slot is free is handled at once; every other event
    waits in the inbox. The inbox worker opens and closes this.

    Attributes:
        limits: The limits of this process.
        receiving: How many deliveries are being received now.
        owner: The inbox owner of this process; "" while no event may be started.
        taken: Slots in use: attempts that run, and slots reserved for events that are
            being recorded.
        taken_by: How many of the taken slots each tenant has.
        running: The attempts that run.
        alone: An event that may end the process: nothing else starts until its attempt has ended.
            None if there is none.
        woken: Set when the inbox worker must look into the inbox.
        is_behind: True if an event may be in the inbox that no process handles yet.
    """

    def __init__(self, limits: DeliveryLimits, logger: logging.Logger) -> None:
        self.limits = limits
        self.receiving = 0
        self.owner = ""
        self.taken: int = 0
        self.taken_by: dict[Tenant, int] = {}
        self.running: dict[asyncio.Task[bool], Delivery] = {}
        self.alone: Delivery | None = None
        self.woken: asyncio.Event = asyncio.Event()
        self.is_behind: bool = False
        self._logger = logger

    def reserve(self, key: ConnectionKey) -> str:
        """Reserves a slot for an event of this connection that is about to be recorded.

        Call `start` or `free` afterwards.

        Returns:
            The owner to record the event with; "" if no slot is free, or if the tenant has its
            share of them.
        """
        limits, tenant = self.limits, key.tenant
        if (
            self.owner
            and self.alone is None
            and self.taken < limits.handlers_at_once
            and self.taken_by.get(tenant, 0) < share_of(limits)
        ):
            self.taken += 1
            self.taken_by[tenant] = self.taken_by.get(tenant, 0) + 1
            return self.owner
        return ""

    def free(self, owner: str, key: ConnectionKey) -> None:
        """Gives a reserved slot back. Does nothing if `owner` is ""."""
        if owner:
            self.taken -= 1
            self._leave(key)
            if self.alone is not None:
                self.woken.set()

    def start_claimed(self, work: Coroutine[object, None, bool], delivery: Delivery) -> None:
        """As `start`, in a slot that is taken but belongs to no tenant yet."""
        tenant = delivery.key.tenant
        self.taken_by[tenant] = self.taken_by.get(tenant, 0) + 1
        self.start(work, delivery)

    def start(self, work: Coroutine[object, None, bool], delivery: Delivery) -> None:
        """Runs an attempt in its reserved slot.

        `work` returns whether another event may be due now.
        """
        task = asyncio.get_running_loop().create_task(work)
        self.running[task] = delivery
        task.add_done_callback(self._ended)

    def wake(self) -> None:
        """Makes the inbox worker look soon: an event was recorded that nobody handles yet."""
        self.is_behind = True
        if self.taken < self.limits.handlers_at_once:
            self.woken.set()

    def _ended(self, task: asyncio.Task[bool]) -> None:
        delivery = self.running.pop(task)
        key = delivery.key
        if self.alone is not None:
            self.woken.set()
        if delivery is self.alone:
            self.alone = None
        # A claim that began before this may have left out the tenant's events.
        if self.taken_by[key.tenant] >= share_of(self.limits):
            self.woken.set()
        self._leave(key)
        self.taken -= 1
        if task.cancelled():
            return
        error = task.exception()
        if task.cancelling():  # ended by force: who did that reports it
            self.woken.set()
            return
        if error is not None or task.result() or self.is_behind:
            self.woken.set()
        if error is not None:
            reason = error.reason if isinstance(error, StoreUnavailable) else type(error).__name__
            self._logger.error("a webhook's attempt broke off: %s", reason)

    def _leave(self, key: ConnectionKey) -> None:
        tenant = key.tenant
        self.taken_by[tenant] -= 1
        if not self.taken_by[tenant]:
            del self.taken_by[tenant]
