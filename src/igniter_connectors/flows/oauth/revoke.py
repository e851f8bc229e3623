"""Revokes queued tokens: best effort, stored sealed until the provider confirms."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, Final, final

from returns.pipeline import is_successful

from igniter_connectors.core.connection.record import ConnectionRecord
from igniter_connectors.core.connector.definition import Definition, OAuthConnector
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.refresh import back_off
from igniter_connectors.core.oauth.revocation import (
    CLAIM_DURATION,
    GRANT_REVOCATION_DELAY,
    MAX_ATTEMPTS,
    PendingRevocation,
    Revoked,
    RevokeLater,
    RevokeRefused,
    judge_revocation,
    revoke_request,
)
from igniter_connectors.core.oauth.tenant_provider import provider_for
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.sealing import NotOpened, open_config, open_tokens
from igniter_connectors.ports import StoreUnavailable

_BATCH: Final = 20
_LOOK_EVERY_SECONDS: Final = 30.0
_TOMBSTONES_KEPT: Final = timedelta(hours=1)
_LONGEST_WAIT: Final = timedelta(hours=1)


async def revoke_due(engine: Engine) -> int:
    """Revokes what is due, and tells how many were looked at.

    Any process may do it, and several at once: each takes revocations of its own.

    Raises:
        StoreUnavailable: the database does not answer; what was taken is due again later.
    """
    claimed = await engine.store.revocations.claim(limit=_BATCH, duration=CLAIM_DURATION)
    for pending in claimed:
        await _revoke(engine, engine.connectors.get(pending.key.connector), pending)
    return len(claimed)


async def _revoke(
    engine: Engine, connector: Definition[Any, Any, Any] | None, pending: PendingRevocation
) -> None:
    revocations = engine.store.revocations
    known = _known(engine, connector, pending)
    if known is None:
        # Not registered in this process, or not to be opened with the keys that it has.
        await _later(engine, pending, timedelta())
        return
    provider, tokens = known
    if await revocations.is_authorization_pending(pending.key):
        # It could be granted the same grant anew, which this would then end.
        await revocations.postpone(
            pending.id, attempts=pending.attempts, retry_in=GRANT_REVOCATION_DELAY
        )
        return
    if await _is_in_use(engine, provider, pending, tokens):
        await revocations.end(pending.id)
        return
    request = (
        revoke_request(
            provider, tokens.access_token, kind="access_token", signing=engine.signing_context()
        )
        if tokens.refresh_token is None
        else revoke_request(
            provider,
            tokens.refresh_token,
            kind="refresh_token",
            signing=engine.signing_context(),
        )
    )
    if request is None:
        await revocations.end(pending.id)
        return
    answer = await engine.http.send(request)
    judged = judge_revocation(
        answer.unwrap() if is_successful(answer) else answer.failure(),
        received_at=engine.clock.now(),
    )
    match judged:
        case Revoked():
            await revocations.end(pending.id)
        case RevokeRefused(error=error):
            key = pending.key.connector
            engine.logger.warning("%s: the provider will not revoke a token (%s)", key, error)
            await revocations.end(pending.id)
        case RevokeLater(after=after):
            await _later(engine, pending, after or timedelta())


async def _later(engine: Engine, pending: PendingRevocation, asked: timedelta) -> None:
    attempts = pending.attempts + 1
    if attempts >= MAX_ATTEMPTS:
        engine.logger.error("%s: a token could not be revoked", pending.key.connector)
        await engine.store.revocations.end(pending.id)
        return
    # Doubled from a minute each time, so that twenty attempts last for most of a day.
    wait = min(back_off(attempts, asked, engine.entropy.fraction()) * 12, _LONGEST_WAIT)
    await engine.store.revocations.postpone(
        pending.id, attempts=attempts, retry_in=max(wait, asked)
    )


def _known(
    engine: Engine, connector: Definition[Any, Any, Any] | None, pending: PendingRevocation
) -> tuple[OAuthProvider, TokenSet] | None:
    if not isinstance(connector, OAuthConnector):
        return None
    row = _row(engine, pending)
    try:
        config = open_config(engine, connector, row)
    except NotOpened:
        return None
    provider = provider_for(connector.provider, config, connector=connector.key)
    tokens = open_tokens(engine, row)
    if not is_successful(provider) or not is_successful(tokens):
        return None
    return provider.unwrap(), tokens.unwrap()


def _row(engine: Engine, pending: PendingRevocation) -> ConnectionRecord:
    """The row as it was, since what it holds was sealed for it."""
    now = engine.clock.now()
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
    engine: Engine, provider: OAuthProvider, pending: PendingRevocation, tokens: TokenSet
) -> bool:
    """Whether revoking would take something away from a connection that lives."""
    grant = pending.grant
    if provider.revocation_ends == "grant" and await engine.store.revocations.is_grant_shared(
        pending.key.connector, grant.client_id, grant.subject
    ):
        return True
    # Some give the same tokens out again to whoever authorizes again.
    current = await engine.store.find(pending.key)
    if current is None or current.grant is None:
        return False
    opened = open_tokens(engine, current)
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

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._task: asyncio.Task[None] | None = None
        self._is_idle = asyncio.Event()
        self.looked_at: int = 0

    def start(self) -> None:
        """Starts to poll: at once, whenever a revocation is queued, and every 30 s."""
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
                    looked_at = await revoke_due(self._engine)
                    self.looked_at += looked_at
                    more = looked_at == _BATCH
                _ = await self._engine.store.purge_tombstones(older_than=_TOMBSTONES_KEPT)
            except StoreUnavailable as error:
                self._engine.logger.error("the database failed: %s", error.reason)
            self._is_idle.set()
            await self._engine.revocation_queued.wait(within_seconds=_LOOK_EVERY_SECONDS)
