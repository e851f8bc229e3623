"""The webhook inbox."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.webhook.inbox import EventState, InboxEvent, NewEvent, Recorded
from igniter_connectors.core.webhook.retry_policy import Delivery


class InboxStore(Protocol):
    """The webhook inbox: the only truth about what was acknowledged and what became of it.

    Instants and pauses are by the store's own clock. What takes a `Delivery` changes nothing,
    and returns False, where that attempt is no longer the event's latest, or has ended.
    Every method raises `StoreUnavailable` where the database does not answer.
    """

    async def record(self, event: NewEvent, *, owner: str, lease: timedelta) -> Recorded | None:
        """Adds an event; when this returns it is durable. None where its id is there already.

        With an `owner` other than "", and neither held nor ordered, the event is the owner's
        first attempt from the start, and nobody else's before the lease is over.
        """
        ...

    async def claim(
        self, connectors: Collection[str], *, owner: str, lease: timedelta, limit: int
    ) -> Sequence[InboxEvent]:
        """Takes due events of these connectors and any tenant, at most `limit`, the longest
        due first; one more attempt each.

        Of events with the same order key the earliest alone, and none while another is held
        or being handled. Of several callers at once no two get the same. An event whose lease
        is over is due.
        """
        ...

    async def until_due(self, connectors: Collection[str]) -> timedelta | None:
        """How long until some event of these connectors is due, ordered ones that wait for
        another included; 0 or less where one is; None where there is none."""
        ...

    async def extend(self, deliveries: Sequence[Delivery], *, lease: timedelta) -> None:
        """Holds on to attempts that still run; passes over those that are not the latest."""
        ...

    async def give_back(self, deliveries: Sequence[Delivery]) -> None:
        """Ends attempts that did not come to their end, as if they had not begun: due now."""
        ...

    async def complete(self, delivery: Delivery) -> bool:
        """The event is done; its body goes when its time is over."""
        ...

    async def retry(self, delivery: Delivery, *, code: str, pause: timedelta) -> bool:
        """The attempt failed; the next one is due after the pause."""
        ...

    async def dead_letter(self, delivery: Delivery, *, code: str) -> bool:
        """The event is dead."""
        ...

    async def hold(self, delivery: Delivery) -> bool:
        """The event's connection is disabled: held, and the attempt does not count."""
        ...

    async def release(self, key: ConnectionKey | None = None) -> int:
        """Makes held events due whose connection is enabled: one connection's, or some of any
        tenant's. How many."""
        ...

    async def listen(self, wake: Callable[[], None]) -> None:
        """Calls `wake` when an event was recorded that no process has, until it is cancelled.

        No more than a hint: a store that cannot tell waits for ever, one that can may miss some.
        """
        ...

    async def purge(self) -> int:
        """Clears away some bodies and events whose time is over, of any tenant. How many."""
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
        """A connection's events, the latest first, before an instant and id; at most `limit`."""
        ...

    async def replay(self, key: ConnectionKey, id: str) -> bool:
        """Makes an event due whose attempts then count anew.

        False where there is none with a body, or an attempt at it is running.
        """
        ...
