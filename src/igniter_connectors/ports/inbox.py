"""The webhook inbox."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.webhook.inbox import EventState, InboxEvent, NewEvent, Recorded
from igniter_connectors.core.webhook.retry_policy import Delivery
from igniter_connectors.core.webhook.turns import Share


class InboxStore(Protocol):
    """The webhook inbox: the only record of what was acknowledged, and of what happened to it.

    All instants and pauses use the store's own clock. A method that takes a `Delivery` changes
    nothing and returns False if that attempt is not the event's latest, or has ended.
    Every method raises `StoreUnavailable` if the database does not answer.
    """

    async def record(self, event: NewEvent, *, owner: str, lease: timedelta) -> Recorded | None:
        """Adds an event, which is durable when this returns. None if its id is there already.

        With an `owner` other than "", an event that is neither held nor ordered begins as the
        owner's first attempt: nobody else can claim it until the lease ends.
        """
        ...

    async def claim(
        self,
        connectors: Collection[str],
        *,
        owner: str,
        lease: timedelta,
        limit: int,
        share: Share | None = None,
    ) -> Sequence[InboxEvent]:
        """Claims due events of these connectors and any tenant, and counts an attempt for each.

        At most `limit`. The tenants with due events take turns, also from claim to claim, so no
        queue of one tenant delays the others. `share` limits the events of each tenant. Of one
        tenant and connector the longest due come first. The cost does not depend on how many
        events wait. A claim looks at a limited number of tenants, so it may return fewer events
        than there are, or none: claim again while `until_due` says that one is due. An event
        whose lease has ended is due. Concurrent callers never get the same event.

        Of the events of one order key only one, the head, is ever claimed, and the others cost a
        claim nothing. When the head is done, dead or held, the earliest of the rest is the next
        head, unless that is held.

        An event whose attempt in another process never ended gets the `ended_code` of its last
        code: that process has ended, or it lost the lease.
        """
        ...

    async def until_due(self, connectors: Collection[str]) -> timedelta | None:
        """How long until the next event of these connectors is due; None if there is none.

        0 or less if one is due. Does not count events that wait for another of their order key.
        """
        ...

    async def extend(self, deliveries: Sequence[Delivery], *, lease: timedelta) -> None:
        """Extends the leases of attempts that still run; ignores those that are not the latest."""
        ...

    async def give_back(
        self, deliveries: Sequence[Delivery], *, pause: timedelta = timedelta(0)
    ) -> None:
        """Ends attempts without counting them. Their events are due after the pause."""
        ...

    async def complete(self, delivery: Delivery) -> bool:
        """Marks the event as done. Its body is deleted after `keep_body_for`."""
        ...

    async def retry(
        self, delivery: Delivery, *, code: str, pause: timedelta, reason: str = ""
    ) -> bool:
        """Records a failed attempt, with its code and reason. The next is due after the pause."""
        ...

    async def dead_letter(self, delivery: Delivery, *, code: str, reason: str = "") -> bool:
        """Makes the event a dead letter, with its code and reason."""
        ...

    async def hold(self, delivery: Delivery) -> bool:
        """Holds the event, because its connection is disabled. The attempt does not count."""
        ...

    async def release(self, key: ConnectionKey | None = None) -> int:
        """Makes held events due if their connection is enabled; returns how many.

        All of one connection. Without a key: some of any tenant, and also heads of order keys that
        a crash left waiting.
        """
        ...

    async def listen(self, wake: Callable[[], None]) -> None:
        """Calls `wake` when an event was recorded that no process owns. Runs until cancelled.

        Only a hint: a store without notifications waits for ever, and others may miss some.
        """
        ...

    async def purge(self) -> int:
        """Deletes some expired bodies and events of any tenant; returns how many."""
        ...

    async def find(self, key: ConnectionKey, id: str) -> InboxEvent | None:
        """One event of a connection."""
        ...

    async def list(
        self,
        key: ConnectionKey,
        *,
        state: EventState | None,
        before: tuple[datetime, str] | None,
        limit: int,
    ) -> Sequence[InboxEvent]:
        """One page of a connection's events, latest first, at most `limit`.

        `before` is the arrival and the id of the last event of the page before.
        """
        ...

    async def replay(self, key: ConnectionKey, id: str) -> bool:
        """Makes an event due, and resets its attempts.

        False if there is no such event, if its body was deleted, or if an attempt runs.
        """
        ...
