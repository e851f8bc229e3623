"""A usable access token for a connection: as stored, or renewed once for all who wait."""

from __future__ import annotations

import asyncio
from typing import Any, Final, final

import msgspec
from msgspec.structs import replace
from returns.pipeline import is_successful
from typing_extensions import TypeVar

from igniter_connectors.core.action import AccessToken
from igniter_connectors.core.connection import ConnectionKey, ConnectionRecord, Grant
from igniter_connectors.core.connector import OAuthConnector
from igniter_connectors.core.event import (
    NeedsReauthEvent,
    Recovered,
    TokenRefreshed,
    TokenRefreshFailed,
)
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.refresh import (
    GrantDead,
    NotRenewed,
    Renewed,
    freshness,
    judge_refresh,
    next_attempt,
    refresh_request,
)
from igniter_connectors.core.oauth.token import TokenSet
from igniter_connectors.core.problem import (
    DatabaseFailed,
    DecryptFailed,
    NeedsReauth,
    Problem,
    RefreshFailed,
    TokenProblem,
)
from igniter_connectors.flows.connect import address
from igniter_connectors.flows.runtime import Runtime
from igniter_connectors.flows.seal import open_tokens, seal_tokens
from igniter_connectors.ports import StoreUnavailable

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")

COMMIT_RETRY_SECONDS: Final = 1.0


@final
class Renewals:
    """The refreshes that run in this process: one a connection, however many wait for it.

    Each is a task of the manager's, awaited through a shield: a caller that gives up or is
    cancelled takes nothing down with it. A request that was sent is always read to its
    end, and what it brought is always stored.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._running: dict[ConnectionKey, asyncio.Task[ConnectionRecord | TokenProblem]] = {}
        self._closing = False

    async def access_token(
        self, connector: OAuthConnector[Conf, Ctx, Any], record: ConnectionRecord
    ) -> AccessToken | TokenProblem:
        """The token of a connection, renewed first where it has expired.

        One that is only due for renewal serves as it is, and a refresh runs beside the call.
        """
        grant = record.grant
        if grant is None or record.status != "ok":
            return NeedsReauth(connector.key, record.status)
        state = freshness(
            now=self._runtime.clock.now(),
            refreshed_at=grant.refreshed_at,
            expires_at=grant.expires_at,
        )
        if state == "expired" or (state == "due" and grant.refreshable and self._may_try(record)):
            task = self._task(connector.provider, record)
            if state == "expired":
                renewed = await asyncio.shield(task)
                if isinstance(renewed, Problem):
                    return renewed
                record = renewed
        return _usable(self._runtime, record)

    async def close(self) -> None:
        """Starts no more refreshes, and waits for those that run and what they store."""
        self._closing = True
        while self._running:
            await asyncio.wait(list(self._running.values()))
        self._closing = False

    def _may_try(self, record: ConnectionRecord) -> bool:
        at = record.next_attempt_at
        return at is None or at <= self._runtime.clock.now()

    def _task(
        self, provider: OAuthProvider, record: ConnectionRecord
    ) -> asyncio.Task[ConnectionRecord | TokenProblem]:
        task = self._running.get(record.key)
        if task is None:
            seen = record.grant.generation if record.grant else 0
            task = asyncio.create_task(self._renew(provider, record.key, seen))
            self._running[record.key] = task
            task.add_done_callback(lambda _: self._running.pop(record.key, None))
        return task

    async def _renew(
        self, provider: OAuthProvider, key: ConnectionKey, seen: int
    ) -> ConnectionRecord | TokenProblem:
        try:
            return await self._renew_once(provider, key, seen)
        except StoreUnavailable as error:
            self._runtime.logger.error("the database failed: %s", error.reason)
            return DatabaseFailed()

    async def _renew_once(
        self, provider: OAuthProvider, key: ConnectionKey, seen: int
    ) -> ConnectionRecord | TokenProblem:
        runtime = self._runtime
        record = await runtime.store.find(key)
        if record is None or record.grant is None:
            return NeedsReauth(key.connector, "disconnected")
        if record.grant.generation > seen:
            return record
        if not self._may_try(record) or self._closing:
            return RefreshFailed(key.connector, record.next_attempt_at)
        opened = open_tokens(runtime, record)
        if not is_successful(opened):
            return opened.failure()
        spent = opened.unwrap()
        if spent.refresh_token is None:
            await self._verdict(record, record.grant)
            return NeedsReauth(key.connector, "expired")
        answer = await runtime.http.send(refresh_request(provider, spent.refresh_token))
        outcome = judge_refresh(
            answer.unwrap() if is_successful(answer) else answer.failure(),
            provider,
            spent,
            connector=key.connector,
            received_at=runtime.clock.now(),
        )
        match outcome:
            case Renewed(tokens=tokens):
                return await self._commit(record, record.grant, tokens)
            case GrantDead():
                return await self._verdict(record, record.grant)
            case NotRenewed():
                return await self._back_off(record, record.grant, outcome)

    async def _commit(
        self, record: ConnectionRecord, spent: Grant, tokens: TokenSet
    ) -> ConnectionRecord | TokenProblem:
        runtime, key = self._runtime, record.key
        generation = spent.generation + 1
        sealed = seal_tokens(runtime, tokens, key, row=record.id, generation=generation)
        if not is_successful(sealed):
            return DecryptFailed(key.connector)
        grant = replace(
            spent,
            sealed_tokens=sealed.unwrap(),
            generation=generation,
            oauth_scopes=tokens.oauth_scopes or spent.oauth_scopes,
            refreshable=tokens.refresh_token is not None,
            refreshed_at=runtime.clock.now(),
            expires_at=tokens.expires_at,
        )
        # The provider has rotated: until this is stored the grant hangs on this process.
        while True:
            try:
                written = await runtime.store.save_renewed(
                    key, row=record.id, generation=spent.generation, grant=grant
                )
                break
            except StoreUnavailable as error:
                runtime.logger.error("renewed tokens wait for the database: %s", error.reason)
                await runtime.clock.sleep(COMMIT_RETRY_SECONDS)
        if not written:
            # Somebody else's write came first, or this one's answer was lost: use what is there.
            stored = await runtime.store.find(key)
            return stored or NeedsReauth(key.connector, "disconnected")
        now = runtime.clock.now()
        runtime.announcer.tell(TokenRefreshed(at=now, generation=generation, **address(key)))
        if record.failures:
            runtime.announcer.tell(Recovered(at=now, **address(key)))
        return replace(record, grant=grant, failures=0, next_attempt_at=None)

    async def _verdict(
        self, record: ConnectionRecord, grant: Grant
    ) -> ConnectionRecord | TokenProblem:
        runtime, key = self._runtime, record.key
        written = await runtime.store.save_verdict(
            key,
            row=record.id,
            generation=grant.generation,
            status="needs_reauth",
            failures=record.failures + 1,
            next_attempt_at=None,
        )
        if not written:
            stored = await runtime.store.find(key)
            if stored is not None and stored.grant and stored.grant.generation > grant.generation:
                return stored
        now = runtime.clock.now()
        runtime.announcer.tell(NeedsReauthEvent(at=now, reason="needs_reauth", **address(key)))
        return NeedsReauth(key.connector, "needs_reauth")

    async def _back_off(
        self, record: ConnectionRecord, grant: Grant, outcome: NotRenewed
    ) -> TokenProblem:
        runtime, key = self._runtime, record.key
        failures = record.failures + 1
        now = runtime.clock.now()
        retry_at = next_attempt(now, failures, outcome.retry_after, runtime.entropy.fraction())
        await runtime.store.save_verdict(
            key,
            row=record.id,
            generation=grant.generation,
            status=record.status,
            failures=failures,
            next_attempt_at=retry_at,
        )
        runtime.announcer.tell(TokenRefreshFailed(at=now, retry_at=retry_at, **address(key)))
        return RefreshFailed(key.connector, retry_at)


def _usable(runtime: Runtime, record: ConnectionRecord) -> AccessToken | TokenProblem:
    opened = open_tokens(runtime, record)
    if not is_successful(opened) or record.grant is None:
        return DecryptFailed(record.key.connector)
    tokens = opened.unwrap()
    return AccessToken(
        tokens.access_token,
        tokens.token_type,
        record.grant.oauth_scopes,
        tokens.expires_at,
    )
