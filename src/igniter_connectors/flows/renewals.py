"""The refresh tasks of this process: at most one for each connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import final

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.oauth.client_pause import ClientPauses, client_of
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.refresh import DefiniteFailure
from igniter_connectors.core.problem import TokenProblem
from igniter_connectors.ports import Clock

Renew = Callable[[], Coroutine[object, None, ConnectionRecord | TokenProblem]]
"""Makes the coroutine that renews one connection."""

RenewalTask = asyncio.Task[ConnectionRecord | TokenProblem]


@final
class Renewals:
    """Runs one refresh for each connection, however many callers wait for it.

    A task belongs to the manager, not to a caller. Callers await it through
    `asyncio.shield`, so a caller's time-out or cancellation does not reach it: a request
    that was sent is always read to its end, and its tokens are always stored.

    Attributes:
        is_closing: True while the manager closes. No request may be sent then.
        lost_owners: The owner of a lease that was requested, if the answer was lost.
    """

    def __init__(self, clock: Clock) -> None:
        self.is_closing: bool = False
        self.lost_owners: dict[ConnectionKey, str] = {}
        self._clock = clock
        self._running: dict[ConnectionKey, RenewalTask] = {}
        self._next: dict[ConnectionKey, Renew] = {}
        self._pauses = ClientPauses()

    def run(self, key: ConnectionKey, renew: Renew) -> RenewalTask:
        """The task that renews this connection: the running one, or a new one."""
        task = self._running.get(key)
        if task is None:
            task = asyncio.create_task(renew())
            self._running[key] = task
            task.add_done_callback(lambda _: self._ended(key))
        return task

    def run_again(self, key: ConnectionKey, renew: Renew) -> None:
        """Starts another attempt when the running one ends, even if no caller asks for it."""
        self._next[key] = renew

    async def close(self) -> None:
        """Starts no more refreshes, and waits for those that run and for what they store."""
        self.is_closing = True
        while self._running:
            _ = await asyncio.wait(list(self._running.values()))
        self.is_closing = False

    def client_pause(self, provider: OAuthProvider, key: ConnectionKey) -> timedelta | None:
        """How long this tenant may not send anything as this client; None if it may."""
        wait = self._pauses.wait(client_of(provider), key.tenant, now=self._clock.monotonic())
        return timedelta(seconds=wait) if wait else None

    def client_used(self, provider: OAuthProvider, key: ConnectionKey) -> None:
        """Records that this tenant is about to send a request as this client."""
        self._pauses.begin(client_of(provider), key.tenant, now=self._clock.monotonic())

    def client_accepted(self, provider: OAuthProvider, key: ConnectionKey) -> None:
        """Records that the provider accepted this client: its pause ends."""
        self._pauses.accepted(client_of(provider), key.tenant)

    def client_refused(
        self, provider: OAuthProvider, key: ConnectionKey, failure: DefiniteFailure
    ) -> str | None:
        """Pauses this client if the failure, or several in a row, means the client itself.

        Returns the error code if the client is refused from now on; else None.
        """
        if not failure.is_client_credentials and not failure.may_be_client:
            return None
        error = "invalid_client" if failure.is_client_credentials else "unauthorized_client"
        is_new = self._pauses.refused(
            client_of(provider),
            key.tenant,
            error,
            is_clear=failure.is_client_credentials,
            now=self._clock.monotonic(),
        )
        return error if is_new else None

    def _ended(self, key: ConnectionKey) -> None:
        del self._running[key]
        renew = self._next.pop(key, None)
        if renew is not None and not self.is_closing:
            _ = self.run(key, renew)
