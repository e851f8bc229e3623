"""A usable access token for a connection: as stored, or renewed once for all who wait."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, Final, final

import msgspec
from returns.pipeline import is_successful
from typing_extensions import TypeVar

from igniter_connectors.core.api.access_token import AccessToken
from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.connector.definition import OAuthConnector
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.refresh_decision import freshness, is_minted_by
from igniter_connectors.core.oauth.retry_on_401 import is_same_account, may_renew_refused
from igniter_connectors.core.oauth.tenant_provider import provider_for
from igniter_connectors.core.problem import (
    DatabaseFailed,
    DecryptFailed,
    NeedsReauth,
    Problem,
    TokenProblem,
)
from igniter_connectors.flows.actions.api_calls import HandlerHttp
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.oauth.refresh_lease import refresh
from igniter_connectors.flows.sealing import open_tokens
from igniter_connectors.ports import StoreUnavailable

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")

_CLIENT_PAUSE: Final = timedelta(minutes=1)


@final
class Renewals:
    """The refreshes that run in this process: one a connection, however many wait for it.

    Each is a task of the manager's, awaited through a shield: a caller that gives up or is
    cancelled takes nothing down with it. A request that was sent is always read to its
    end, and what it brought is always stored.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.handler_http = HandlerHttp(engine, self)
        """What handlers call APIs with: it renews here, so it lives here."""
        self._running: dict[ConnectionKey, asyncio.Task[ConnectionRecord | TokenProblem]] = {}
        self._followed: dict[ConnectionKey, tuple[OAuthProvider, int]] = {}
        self._client_pauses: dict[tuple[str, str], float] = {}
        self._is_closing = False

    async def access_token(
        self,
        connector: OAuthConnector[Conf, Ctx, Any],
        record: ConnectionRecord,
        config: Conf,
    ) -> AccessToken | TokenProblem:
        """The token of a connection, renewed first where it has expired.

        One that is only due for renewal serves as it is, and a refresh runs beside the call.
        """
        grant = record.grant
        if grant is None or record.status != "ok":
            return NeedsReauth(connector.key, record.status)
        state = freshness(
            now=self._engine.clock.now(),
            refreshed_at=grant.refreshed_at,
            expires_at=grant.expires_at,
            spread=grant.grant_id,
        )
        if state == "fresh":
            return _usable(self._engine, record)
        provider = provider_for(connector.provider, config, connector=connector.key)
        if not is_successful(provider) or not is_minted_by(grant, provider.unwrap()):
            return NeedsReauth(connector.key, "config_changed")
        if state == "due" and grant.refreshable and self._may_try(record):
            _ = self._task(provider.unwrap(), record.key, grant.generation)
        if state == "expired":
            renewed = await asyncio.shield(
                self._task(provider.unwrap(), record.key, grant.generation)
            )
            if isinstance(renewed, Problem):
                return renewed
            record = renewed
        return _usable(self._engine, record)

    def renew_lapsing(
        self, provider: OAuthProvider, record: ConnectionRecord
    ) -> asyncio.Task[ConnectionRecord | TokenProblem] | None:
        """Renews a grant before its refresh token lapses; None where it is not the client's."""
        if record.grant is None or not is_minted_by(record.grant, provider):
            return None
        return self._task(provider, record.key, record.grant.generation)

    async def after_401(
        self,
        connector: OAuthConnector[Conf, Ctx, Any],
        record: ConnectionRecord,
        config: Conf,
        refused: AccessToken,
    ) -> AccessToken | TokenProblem | None:
        """A token in place of one that an API answered 401 to.

        What the row holds by now is used without a request where it is another token. Else
        the token is renewed, once for all who wait, unless `may_renew_refused` says no.

        Args:
            connector: The connection's.
            record: As it was when the call began.
            config: The record's, opened.
            refused: The token that was sent.

        Returns:
            The newer token; None where the refused one stays; or `NeedsReauth`
            (`disconnected` where the row is gone or another account's by now),
            `RefreshFailed`, `DecryptFailed`, `DatabaseFailed`.
        """
        try:
            current = await self._engine.store.find(record.key)
        except StoreUnavailable as error:
            self._engine.logger.error("the database failed: %s", error.reason)
            return DatabaseFailed()
        if current is None or current.grant is None or not is_same_account(current, record):
            return NeedsReauth(connector.key, "disconnected")
        if current.status != "ok":
            return NeedsReauth(connector.key, current.status)
        stored = _usable(self._engine, current)
        if isinstance(stored, Problem) or stored.value != refused.value:
            return stored
        if not may_renew_refused(current, now=self._engine.clock.now()):
            return None
        provider = provider_for(connector.provider, config, connector=connector.key)
        if not is_successful(provider) or not is_minted_by(current.grant, provider.unwrap()):
            return NeedsReauth(connector.key, "config_changed")
        task = self._task(provider.unwrap(), record.key, current.grant.generation)
        renewed = await asyncio.shield(task)
        return renewed if isinstance(renewed, Problem) else _usable(self._engine, renewed)

    async def close(self) -> None:
        """Starts no more refreshes, and waits for those that run and what they store."""
        self._is_closing = True
        while self._running:
            _ = await asyncio.wait(list(self._running.values()))
        self._is_closing = False

    def is_closing(self) -> bool:
        """Whether no request may be sent any more."""
        return self._is_closing

    def pause_client(self, provider: OAuthProvider) -> None:
        """Leaves a client alone that its provider refused: no tenant can mend that."""
        until = self._engine.clock.monotonic() + _CLIENT_PAUSE.total_seconds()
        self._client_pauses[provider.token_url, provider.client_id] = until

    def client_pause(self, provider: OAuthProvider) -> timedelta | None:
        """How much longer this client is left alone; None where it is not."""
        until = self._client_pauses.get((provider.token_url, provider.client_id), 0.0)
        left = until - self._engine.clock.monotonic()
        return timedelta(seconds=left) if left > 0 else None

    def try_again(self, provider: OAuthProvider, key: ConnectionKey, *, seen: int) -> None:
        """Has another attempt follow the one that runs."""
        self._followed[key] = (provider, seen)

    def _may_try(self, record: ConnectionRecord) -> bool:
        at = record.next_attempt_at
        return at is None or at <= self._engine.clock.now()

    def _task(
        self, provider: OAuthProvider, key: ConnectionKey, seen: int
    ) -> asyncio.Task[ConnectionRecord | TokenProblem]:
        task = self._running.get(key)
        if task is None:
            task = asyncio.create_task(self._renew(provider, key, seen))
            self._running[key] = task
            task.add_done_callback(lambda _: self._ended(key))
        return task

    def _ended(self, key: ConnectionKey) -> None:
        del self._running[key]
        followed = self._followed.pop(key, None)
        if followed is not None and not self._is_closing:
            _ = self._task(followed[0], key, followed[1])

    async def _renew(
        self, provider: OAuthProvider, key: ConnectionKey, seen: int
    ) -> ConnectionRecord | TokenProblem:
        try:
            return await refresh(self._engine, self, provider, key, seen)
        except StoreUnavailable as error:
            self._engine.logger.error("the database failed: %s", error.reason)
            return DatabaseFailed()


def _usable(engine: Engine, record: ConnectionRecord) -> AccessToken | TokenProblem:
    opened = open_tokens(engine, record)
    if not is_successful(opened) or record.grant is None:
        return DecryptFailed(record.key.connector)
    tokens = opened.unwrap()
    return AccessToken(
        tokens.access_token,
        tokens.token_type,
        record.grant.oauth_scopes,
        tokens.expires_at,
        tokens.dpop_key,
    )
