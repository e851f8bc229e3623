"""Revoking tokens that were handed over: best effort, kept sealed until it is done."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, final

from returns.pipeline import is_successful

from igniter_connectors.core.connection import ConnectionRecord
from igniter_connectors.core.connector import Definition, OAuthConnector
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.refresh import back_off
from igniter_connectors.core.oauth.revocation import (
    CLAIM,
    HELD_BACK,
    MOST_ATTEMPTS,
    PendingRevocation,
)
from igniter_connectors.core.oauth.revoke import (
    Revoked,
    RevokeLater,
    RevokeRefused,
    judge_revocation,
    revoke_request,
)
from igniter_connectors.core.oauth.tenant import provider_for
from igniter_connectors.core.oauth.token import TokenSet
from igniter_connectors.flows.moment import moment_of
from igniter_connectors.flows.runtime import Runtime
from igniter_connectors.flows.seal import NotOpened, open_config, open_tokens
from igniter_connectors.ports import StoreUnavailable

_BATCH: Final = 20
_LOOK_EVERY_SECONDS: Final = 30.0
_TOMBSTONES_KEPT: Final = timedelta(hours=1)
_LONGEST_WAIT: Final = timedelta(hours=1)


async def revoke_due(runtime: Runtime, connectors: Mapping[str, Definition[Any, Any, Any]]) -> int:
    """Revokes what is due, and tells how many were looked at.

    Any process may do it, and several at once: each takes revocations of its own.

    Raises:
        StoreUnavailable: the database does not answer; what was taken is due again later.
    """
    claimed = await runtime.store.revocations.claim(limit=_BATCH, duration=CLAIM)
    for pending in claimed:
        await _revoke(runtime, connectors.get(pending.key.connector), pending)
    return len(claimed)


async def _revoke(
    runtime: Runtime, connector: Definition[Any, Any, Any] | None, pending: PendingRevocation
) -> None:
    revocations = runtime.store.revocations
    known = _known(runtime, connector, pending)
    if known is None:
        # Not registered in this process, or not to be opened with the keys that it has.
        await _later(runtime, pending, timedelta())
        return
    provider, tokens = known
    if await revocations.is_authorization_pending(pending.key):
        # It could be granted the same grant anew, which this would then end.
        await revocations.postpone(pending.id, attempts=pending.attempts, retry_in=HELD_BACK)
        return
    if await _is_in_use(runtime, provider, pending, tokens):
        await revocations.end(pending.id)
        return
    request = (
        revoke_request(
            provider, tokens.access_token, kind="access_token", moment=moment_of(runtime)
        )
        if tokens.refresh_token is None
        else revoke_request(
            provider, tokens.refresh_token, kind="refresh_token", moment=moment_of(runtime)
        )
    )
    if request is None:
        await revocations.end(pending.id)
        return
    answer = await runtime.http.send(request)
    judged = judge_revocation(
        answer.unwrap() if is_successful(answer) else answer.failure(),
        received_at=runtime.clock.now(),
    )
    match judged:
        case Revoked():
            await revocations.end(pending.id)
        case RevokeRefused(error=error):
            key = pending.key.connector
            runtime.logger.warning("%s: the provider will not revoke a token (%s)", key, error)
            await revocations.end(pending.id)
        case RevokeLater(after=after):
            await _later(runtime, pending, after or timedelta())


async def _later(runtime: Runtime, pending: PendingRevocation, asked: timedelta) -> None:
    attempts = pending.attempts + 1
    if attempts >= MOST_ATTEMPTS:
        runtime.logger.error("%s: a token could not be revoked", pending.key.connector)
        await runtime.store.revocations.end(pending.id)
        return
    # Doubled from a minute each time, so that twenty attempts last for most of a day.
    wait = min(back_off(attempts, asked, runtime.entropy.fraction()) * 12, _LONGEST_WAIT)
    await runtime.store.revocations.postpone(
        pending.id, attempts=attempts, retry_in=max(wait, asked)
    )


def _known(
    runtime: Runtime, connector: Definition[Any, Any, Any] | None, pending: PendingRevocation
) -> tuple[OAuthProvider, TokenSet] | None:
    if not isinstance(connector, OAuthConnector):
        return None
    row = _row(runtime, pending)
    try:
        config = open_config(runtime, connector, row)
    except NotOpened:
        return None
    provider = provider_for(connector.provider, config, connector=connector.key)
    tokens = open_tokens(runtime, row)
    if not is_successful(provider) or not is_successful(tokens):
        return None
    return provider.unwrap(), tokens.unwrap()


def _row(runtime: Runtime, pending: PendingRevocation) -> ConnectionRecord:
    """The row as it was, since what it holds was sealed for it."""
    now = runtime.clock.now()
    return ConnectionRecord(
        pending.key,
        pending.row,
        pending.public_config,
        pending.sealed_config,
        enabled=True,
        version=0,
        created_at=now,
        updated_at=now,
        grant=pending.grant,
    )


async def _is_in_use(
    runtime: Runtime, provider: OAuthProvider, pending: PendingRevocation, tokens: TokenSet
) -> bool:
    """Whether revoking would take something away from a connection that lives."""
    grant = pending.grant
    if provider.revocation_ends == "grant" and await runtime.store.revocations.is_grant_shared(
        pending.key.connector, grant.client_id, grant.subject
    ):
        return True
    # Some give the same tokens out again to whoever authorizes again.
    current = await runtime.store.find(pending.key)
    if current is None or current.grant is None:
        return False
    opened = open_tokens(runtime, current)
    if not is_successful(opened):
        return False
    stored = opened.unwrap()
    return (
        stored.access_token == tokens.access_token
        or stored.refresh_token == tokens.refresh_token is not None
    )


@final
class Revocations:
    """The task of this process that revokes what is due, and purges old tombstones."""

    def __init__(
        self, runtime: Runtime, connectors: Mapping[str, Definition[Any, Any, Any]]
    ) -> None:
        self._runtime = runtime
        self._connectors = connectors
        self._task: asyncio.Task[None] | None = None
        self._is_idle = asyncio.Event()
        self.looked_at = 0

    def start(self) -> None:
        """Begins to look, at once, when something was handed over, and every 30 s."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stops. What was not confirmed is due again later, here or elsewhere."""
        if self._task is not None:
            _ = self._task.cancel()
            _ = await asyncio.wait([self._task])
            self._task = None

    async def settled(self) -> None:
        """Waits until what was due is revoked or put off."""
        if self._task is not None:
            _ = await self._is_idle.wait()

    async def _run(self) -> None:
        while True:
            self._is_idle.clear()
            try:
                more = True
                while more:
                    looked_at = await revoke_due(self._runtime, self._connectors)
                    self.looked_at += looked_at
                    more = looked_at == _BATCH
                _ = await self._runtime.store.purge_tombstones(older_than=_TOMBSTONES_KEPT)
            except StoreUnavailable as error:
                self._runtime.logger.error("the database failed: %s", error.reason)
            self._is_idle.set()
            await self._runtime.handed_over.heard(within_seconds=_LOOK_EVERY_SECONDS)
