"""Opening and closing a manager: what it holds is opened in order, and closed in reverse."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Final, final

from igniter_connectors.core.connector.definition import OAuthConnector
from igniter_connectors.core.problem import BuildInvalid, WrongWiring
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.oauth.revoke import RevocationWorker
from igniter_connectors.flows.stop_tasks import stop_tasks
from igniter_connectors.flows.webhooks.inbox_worker import InboxWorker

# How long closing waits for the requests that run, and how long for the store.
_HTTP_SECONDS: Final = 30.0
_STORE_SECONDS: Final = 15.0


@final
class Lifecycle:
    """What a manager opens and closes. Open once at a time; it may be opened again after closing.

    A second `open` would start a second set of workers, and the first `close` would then close
    the store under the other, so it is refused.
    """

    def __init__(
        self,
        engine: Engine,
        open_http: Callable[[], object],
        close_http: Callable[[], Awaitable[None]],
    ) -> None:
        self.inbox: InboxWorker = InboxWorker(engine)
        self.revocations: RevocationWorker = RevocationWorker(engine)
        self._engine = engine
        self._open_http = open_http
        self._close_http = close_http
        self._stack = AsyncExitStack()
        self._is_open = False

    async def open(self) -> None:
        """Opens the store and starts the workers, except for the inbox.

        Raises:
            StoreUnavailable: the database does not answer, or its schema has another version.
                Nothing stays open.
            WrongWiring: it is open, or is being opened or closed.
        """
        if self._is_open:
            raise WrongWiring(
                BuildInvalid("the manager is open already: open it once, for the whole application")
            )
        self._is_open = True
        try:
            await self._open()
        except BaseException:
            self._is_open = False
            raise

    async def close(self, *, first: Callable[[], Awaitable[None]] | None = None) -> None:
        """Finishes the work that must not be lost, then closes. Shielded from cancellation.

        Closing is bounded: what does not end is named in the log and left behind. Only renewed
        tokens that wait for the database are waited for as long as that takes, because nobody
        else knows them.

        Args:
            first: Closes what uses the rest; called before anything else is closed.
        """
        await asyncio.shield(self._close(first))

    async def _open(self) -> None:
        engine = self._engine
        async with AsyncExitStack() as stack:
            _ = stack.push_async_callback(
                self._bounded, self._close_http, "the HTTP client", _HTTP_SECONDS
            )
            await engine.store.open()
            _ = stack.push_async_callback(
                self._bounded, engine.store.close, "the store", _STORE_SECONDS
            )
            _ = stack.push_async_callback(engine.event_bus.close)
            _ = stack.push_async_callback(engine.renewals.close)
            _ = stack.push_async_callback(self._close_owned_tasks)
            _ = stack.push_async_callback(self.inbox.close)
            if any(isinstance(one, OAuthConnector) for one in engine.connectors.values()):
                # Opened now: the first refresh may come while many calls run.
                _ = self._open_http()
                self.revocations.start()
                _ = stack.push_async_callback(self.revocations.close)
            self._stack = stack.pop_all()

    async def _close_owned_tasks(self) -> None:
        cut_off = await self._engine.owned_tasks.close()
        if cut_off:
            self._engine.logger.error(
                "closing: %d authorizations did not end in time and are cut off: "
                "their tokens may be lost",
                cut_off,
            )

    async def _bounded(
        self, close: Callable[[], Awaitable[None]], name: str, seconds: float
    ) -> None:
        """Waits until it is closed, but not longer than that."""
        closing = asyncio.ensure_future(close())
        _ = await asyncio.wait((closing,), timeout=seconds)
        if closing.done():
            closing.result()
            return
        self._engine.logger.error("closing: %s did not close in time, and is left behind", name)
        _ = await stop_tasks(closing)

    async def _close(self, first: Callable[[], Awaitable[None]] | None) -> None:
        try:
            if first is not None:
                await first()
        finally:
            try:
                await self._stack.aclose()
            finally:
                self._is_open = False
