"""The refresh tasks of this process: at most one for each connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Final, final

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.problem import TokenProblem
from igniter_connectors.ports import Clock

Renew = Callable[[], Coroutine[object, None, ConnectionRecord | TokenProblem]]
"""Makes the coroutine that renews one connection."""

RenewalTask = asyncio.Task[ConnectionRecord | TokenProblem]

_CLIENT_PAUSE: Final = timedelta(minutes=1)


@final
class Renewals:
    """Runs one refresh for each connection, however many callers wait for it.

    A task belongs to the manager, not to a caller. Callers await it through
    `asyncio.shield`, so a caller's time-out or cancellation does not reach it: a request
    that was sent is always read to its end, and its tokens are always stored.

    Attributes:
        is_closing: True while the manager closes. No request may be sent then.
    """

    def __init__(self, clock: Clock) -> None:
        self.is_closing: bool = False
        self._clock = clock
        self._running: dict[ConnectionKey, RenewalTask] = {}
        self._next: dict[ConnectionKey, Renew] = {}
        self._client_pauses: dict[tuple[str, str], float] = {}

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

    def pause_client(self, provider: OAuthProvider) -> None:
        """Sends nothing as this client for 1 minute: its credentials were refused.

        The application's credentials are wrong, which no tenant can mend.
        """
        until = self._clock.monotonic() + _CLIENT_PAUSE.total_seconds()
        self._client_pauses[provider.token_url, provider.client_id] = until

    def client_pause(self, provider: OAuthProvider) -> timedelta | None:
        """How long this client stays paused; None if it is not paused."""
        until = self._client_pauses.get((provider.token_url, provider.client_id), 0.0)
        left = until - self._clock.monotonic()
        return timedelta(seconds=left) if left > 0 else None

    def _ended(self, key: ConnectionKey) -> None:
        del self._running[key]
        renew = self._next.pop(key, None)
        if renew is not None and not self.is_closing:
            _ = self.run(key, renew)
