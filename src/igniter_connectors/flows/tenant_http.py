"""The HTTP client of a tenant: waits for the tenant's turn, and sends."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import final

from returns.result import Failure, Result

from igniter_connectors.core.connection.record import ConnectionKey, Tenant
from igniter_connectors.core.http.http_limits import AtLimit
from igniter_connectors.core.http.messages import (
    DEADLINE,
    RESPONSE_LIMIT_BYTES,
    HttpFailed,
    HttpRequest,
    HttpResponse,
    origin_of,
)
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.request_slots import RequestSlots


@final
class TenantHttp:
    """An `HttpClient` that sends for one tenant, within its share of requests."""

    __slots__ = ("_slots", "_tenant", "engine")

    def __init__(self, engine: Engine, slots: RequestSlots, tenant: Tenant) -> None:
        self.engine: Engine = engine
        self._slots = slots
        self._tenant = tenant

    async def send(
        self,
        request: HttpRequest,
        *,
        deadline: timedelta = DEADLINE,
        limit_bytes: int = RESPONSE_LIMIT_BYTES,
    ) -> Result[HttpResponse, HttpFailed]:
        """As `HttpClient.send`. `deadline` covers the wait for a turn too."""
        slots, tenant, origin = self._slots, self._tenant, origin_of(request.url)
        full = slots.take(tenant, origin)
        if full is not None:
            left = await self._wait(origin, deadline)
            if left is None:
                return self._refused(request, full)
            deadline = left
        try:
            return await self.engine.http.send(request, deadline=deadline, limit_bytes=limit_bytes)
        finally:
            slots.free(tenant, origin)

    async def _wait(self, origin: str, deadline: timedelta) -> timedelta | None:
        """Waits for a slot, and takes it. Returns the time that is left; None if it is over."""
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + deadline.total_seconds()
        try:
            async with asyncio.timeout_at(ends_at):
                await self._slots.wait(self._tenant, origin)
        except TimeoutError:
            return None
        return timedelta(seconds=max(ends_at - loop.time(), 0))

    def _refused(self, request: HttpRequest, full: AtLimit) -> Result[HttpResponse, HttpFailed]:
        self.engine.logger.warning(
            "%s %s was not sent: all %d requests of its %s were under way until its deadline",
            request.method,
            origin_of(request.url),
            full.at_once,
            full.sharer,
        )
        return Failure(HttpFailed(sent=False, at_limit=full))


def oauth_http(engine: Engine, key: ConnectionKey) -> TenantHttp:
    """The client for requests to the authorization server of a tenant's connection."""
    return TenantHttp(engine, engine.oauth_slots, key.tenant)


def api_http(engine: Engine, tenant: Tenant) -> TenantHttp:
    """The client for a handler's requests to APIs."""
    return TenantHttp(engine, engine.api_slots, tenant)
