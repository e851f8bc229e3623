"""The HTTP requests of this process that are under way, and those that wait for a slot."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TypeVar, final

from igniter_connectors.core.connection.record import Tenant
from igniter_connectors.core.http.http_limits import AtLimit, HttpLimits

K = TypeVar("K")

_Waiting = OrderedDict[asyncio.Future[None], None]
"""In the order of arrival. Each can be removed at once, when its deadline ends."""


@final
class RequestSlots:
    """Bounds the requests of one kind: of each tenant, to each origin, and in all.

    Whoever waits keeps its order within tenant and origin, and tenants take turns. Memory is
    bounded by the requests that are under way or wait: a counter at zero is deleted.
    """

    def __init__(self, limits: HttpLimits) -> None:
        self.limits = limits
        self._taken = 0
        self._by_tenant: dict[Tenant, int] = {}
        self._by_origin: dict[str, int] = {}
        self._waiting: dict[Tenant, dict[str, _Waiting]] = {}

    def take(self, tenant: Tenant, origin: str) -> AtLimit | None:
        """Takes a slot; call `free` when the request has ended. If there is none, returns the
        limit that is reached."""
        full = self._full(tenant, origin)
        if full is None:
            self._taken += 1
            self._by_tenant[tenant] = self._by_tenant.get(tenant, 0) + 1
            self._by_origin[origin] = self._by_origin.get(origin, 0) + 1
        return full

    async def wait(self, tenant: Tenant, origin: str) -> None:
        """Waits until a slot is taken for the caller, which calls `free` as after `take`."""
        taken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(tenant, {}).setdefault(origin, OrderedDict())
        waiting[taken] = None
        try:
            await taken
        except asyncio.CancelledError:
            if taken.cancelled():
                self._forget(tenant, origin, taken)
            else:  # the slot came together with the cancellation
                self.free(tenant, origin)
            raise

    def free(self, tenant: Tenant, origin: str) -> None:
        """Gives a slot back. Whoever waits and may have one now gets it."""
        self._give_back(tenant, origin)
        # A slot less for the tenant and one less for the origin may let two requests go.
        while self._waiting and self._pass_on():
            pass

    def _give_back(self, tenant: Tenant, origin: str) -> None:
        self._taken -= 1
        _count_down(self._by_tenant, tenant)
        _count_down(self._by_origin, origin)

    def _full(self, tenant: Tenant, origin: str) -> AtLimit | None:
        limits = self.limits
        if self._by_tenant.get(tenant, 0) >= limits.requests_per_tenant:
            return AtLimit("tenant", limits.requests_per_tenant)
        if self._by_origin.get(origin, 0) >= limits.requests_per_origin:
            return AtLimit("origin", limits.requests_per_origin)
        if self._taken >= limits.requests_at_once:
            return AtLimit("process", limits.requests_at_once)
        return None

    def _pass_on(self) -> bool:
        """Takes a slot for the next in turn. False if nobody who waits may have one."""
        if self._taken >= self.limits.requests_at_once:
            return False
        for tenant, origins in self._waiting.items():
            if self._by_tenant.get(tenant, 0) >= self.limits.requests_per_tenant:
                continue
            for origin, waiting in origins.items():
                if self.take(tenant, origin) is None:
                    taken = next(iter(waiting))
                    # Both come last from now on.
                    origins[origin] = origins.pop(origin)
                    self._waiting[tenant] = self._waiting.pop(tenant)
                    self._forget(tenant, origin, taken)
                    if taken.done():  # its task was cancelled, and has not run since
                        self._give_back(tenant, origin)
                    else:
                        taken.set_result(None)
                    return True
        return False

    def _forget(self, tenant: Tenant, origin: str, taken: asyncio.Future[None]) -> None:
        """Removes one that waits no more; it may be gone already."""
        origins = self._waiting.get(tenant, {})
        waiting = origins.get(origin)
        if waiting is None:
            return
        _ = waiting.pop(taken, None)
        if not waiting:
            del origins[origin]
        if not origins:
            del self._waiting[tenant]


def _count_down(counts: dict[K, int], key: K) -> None:
    left = counts[key] - 1
    if left:
        counts[key] = left
    else:
        del counts[key]
