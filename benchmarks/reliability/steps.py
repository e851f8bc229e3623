"""The steps of a refresh, and how a campaign stops a process at one of them.

The process tells that it has come to the step, and goes no further with this refresh until it is
told to; everything else in it goes on. Meanwhile the campaign kills it, stops it, or takes its
database away.
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
AFTER_ANSWER: Final = "after the answer"
BEFORE_COMMIT: Final = "before the commit"
AFTER_COMMIT: Final = "after the commit"

BEFORE_GRANT: Final = "before a grant is stored"
"""Of a callback, which may meet a refresh."""

STEPS: Final = (
    BEFORE_LEASE,
    AFTER_LEASE,
    REQUEST_SENT,
    AFTER_ANSWER,
    BEFORE_COMMIT,
    AFTER_COMMIT,
)
"""Of a refresh, in their order. `REQUEST_SENT` is not stopped at: only the provider knows that it
arrived."""


class Steps:
    """Stops a refresh at one step; tells of each that comes there, and of each commit.

    `commits` are what the statement that stores renewed tokens returned: whether a row changed.
    """

    def __init__(self, stops_at: str, tell: Callable[[str], None]) -> None:
        self.commits: list[bool] = []
        self._stops_at = stops_at
        self._tell = tell
        self._go = asyncio.Event()

    def go(self) -> None:
        """Lets every refresh go on, those that come later too."""
        self._go.set()

    async def reach(self, step: str) -> None:
        """Called at each step."""
        if step == self._stops_at:
            self._tell(step)
            await self._go.wait()

    def stop_in(self, store: PostgresStore, http: HttpxClient) -> None:
        """Puts the steps around the calls that a refresh makes."""
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
                await self.reach(AFTER_ANSWER)
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
        ) -> bool:
            await self.reach(BEFORE_GRANT)
            return await save_authorized(
                record,
                expected_grant=expected_grant,
                revocation=revocation,
                keep_config=keep_config,
            )

        # The real store and the real client, each with a call of it seen from outside.
        store.take_lease = taking  # type: ignore[method-assign]
        store.save_renewed = saving  # type: ignore[method-assign]
        store.save_authorized = authorizing  # type: ignore[method-assign]
        http.send = sending  # type: ignore[method-assign]
