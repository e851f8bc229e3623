"""How many connections of the pool writes may hold at once: in all, and for each tenant."""

from __future__ import annotations

import asyncio
from typing import Final, final

from igniter_connectors.ports import StoreUnavailable

NO_CONNECTION: Final = "PostgreSQL: no connection within the deadline"


@final
class WriteShares:
    """Keeps connections free while writes wait for rows that another session has locked.

    A write whose row is locked holds its connection while it waits. So all writes together leave
    a fifth of the pool to reads, and one tenant's writes take a quarter of it. In a pool of one
    connection there is nothing to divide.
    """

    def __init__(self, max_size: int) -> None:
        self._all = asyncio.Semaphore(max(1, max_size - max(1, max_size // 5)))
        self._each = max(1, max_size // 4)
        self._tenants: dict[tuple[str, str], _Share] = {}

    async def take(self, tenant: tuple[str, str] | None, until: float) -> None:
        """Waits for a place. `give_back` must follow.

        Args:
            tenant: Whose row is written; None for a statement of several tenants.
            until: The event loop's time at which the wait ends.

        Raises:
            StoreUnavailable: no place was free in time. Nothing needs to be given back.
        """
        share = None
        if tenant is not None:
            share = self._tenants.setdefault(tenant, _Share(self._each))
            share.users += 1
        try:
            if share is not None:
                await _acquire(share.places, until)
            try:
                await _acquire(self._all, until)
            except BaseException:
                if share is not None:
                    share.places.release()
                raise
        except BaseException:
            self._leave(tenant, share)
            raise

    def give_back(self, tenant: tuple[str, str] | None) -> None:
        """Ends what `take` began."""
        self._all.release()
        if tenant is not None:
            share = self._tenants[tenant]
            share.places.release()
            self._leave(tenant, share)

    def _leave(self, tenant: tuple[str, str] | None, share: _Share | None) -> None:
        if tenant is not None and share is not None:
            share.users -= 1
            if not share.users:
                del self._tenants[tenant]


class _Share:
    """One tenant's places, while it uses or waits for any."""

    __slots__ = ("places", "users")

    def __init__(self, places: int) -> None:
        self.places = asyncio.Semaphore(places)
        self.users = 0


async def _acquire(places: asyncio.Semaphore, until: float) -> None:
    if not places.locked():
        _ = await places.acquire()  # does not wait
        return
    try:
        async with asyncio.timeout_at(until):
            _ = await places.acquire()
    except TimeoutError:
        raise StoreUnavailable(NO_CONNECTION) from None
