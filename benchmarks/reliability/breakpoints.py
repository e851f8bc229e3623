"""Breakpoints in a refresh: a process pauses at one of its steps.

The process reports that it reached the step, and pauses this refresh until it is released. Its
other tasks continue. Meanwhile the figure kills or stops the process, or stops the database.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from returns.result import Result

from igniter_connectors import HttpRequest, HttpResponse, PostgresStore
from igniter_connectors.adapters.httpx_client import HttpxClient
from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord, Grant
from igniter_connectors.core.http.messages import RESPONSE_LIMIT_BYTES
from igniter_connectors.core.oauth.refresh_lease import Lease
from igniter_connectors.core.oauth.revocation import RevocationRequest
from igniter_connectors.typing import HttpFailed

BEFORE_LEASE: Final = "before the lease"
AFTER_LEASE: Final = "after the lease"
REQUEST_SENT: Final = "after the request was sent"
AFTER_RESPONSE: Final = "after the response"
BEFORE_COMMIT: Final = "before the commit"
AFTER_COMMIT: Final = "after the commit"

BEFORE_GRANT_SAVED: Final = "before a grant is stored"
"""A step of the callback, which can overlap a refresh."""

REFRESH_STEPS: Final = (
    BEFORE_LEASE,
    AFTER_LEASE,
    REQUEST_SENT,
    AFTER_RESPONSE,
    BEFORE_COMMIT,
    AFTER_COMMIT,
)
"""The steps of a refresh, in order. `REQUEST_SENT` is no breakpoint: only the provider sees it."""


class Breakpoints:
    """Pauses every refresh at one step.

    Attributes:
        commits: For each commit of renewed tokens, whether it changed a row.
    """

    def __init__(self, stop_at: str, on_reached: Callable[[str], None]) -> None:
        self.commits: list[bool] = []
        self._stops_at = stop_at
        self._on_reached = on_reached
        self._released = asyncio.Event()

    def release(self) -> None:
        """Lets every refresh continue, also later ones."""
        self._released.set()

    async def reach(self, step: str) -> None:
        """Called at each step. Waits there if it is the breakpoint."""
        if step == self._stops_at:
            self._on_reached(step)
            await self._released.wait()

    def install(self, store: PostgresStore, http: HttpxClient) -> None:
        """Wraps the calls that a refresh makes."""
        take_lease, save_renewed, send = store.take_lease, store.save_renewed, http.send
        save_authorized = store.save_authorized

        async def taking(
            key: ConnectionKey, *, generation: int, owner: str, duration: timedelta
        ) -> Lease | None:
            await self.reach(BEFORE_LEASE)
            lease = await take_lease(key, generation=generation, owner=owner, duration=duration)
            if lease is not None:
                await self.reach(AFTER_LEASE)
            return lease

        async def sending(
            request: HttpRequest,
            *,
            deadline: timedelta = timedelta(seconds=10),
            limit_bytes: int = RESPONSE_LIMIT_BYTES,
        ) -> Result[HttpResponse, HttpFailed]:
            answer = await send(request, deadline=deadline, limit_bytes=limit_bytes)
            if b"refresh_token" in request.body:
                await self.reach(AFTER_RESPONSE)
            return answer

        async def saving(key: ConnectionKey, *, row: str, generation: int, grant: Grant) -> bool:
            await self.reach(BEFORE_COMMIT)
            changed = await save_renewed(key, row=row, generation=generation, grant=grant)
            self.commits.append(changed)
            await self.reach(AFTER_COMMIT)
            return changed

        async def authorizing(
            record: ConnectionRecord,
            *,
            expected_grant: str | None,
            revocation: RevocationRequest | None = None,
            keep_config: bool = False,
            version: int | None = None,
        ) -> bool:
            await self.reach(BEFORE_GRANT_SAVED)
            return await save_authorized(
                record,
                expected_grant=expected_grant,
                revocation=revocation,
                keep_config=keep_config,
                version=version,
            )

        # The store and the client are real. Only these methods are wrapped.
        store.take_lease = taking  # type: ignore[method-assign]
        store.save_renewed = saving  # type: ignore[method-assign]
        store.save_authorized = authorizing  # type: ignore[method-assign]
        http.send = sending  # type: ignore[method-assign]
