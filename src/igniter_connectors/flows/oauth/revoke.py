"""Revokes queued tokens: best effort, stored sealed until the provider confirms."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, Final, final

from msgspec.structs import replace
from returns.pipeline import is_successful

from igniter_connectors.core.connection.record import ConnectionRecord
from igniter_connectors.core.connector.definition import Definition, OAuthConnector
from igniter_connectors.core.oauth.provider import OAuthProvider, is_openid
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
    tokens_to_revoke,
)
from igniter_connectors.core.oauth.tenant_provider import provider_for
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.oauth.find_account import find_account
from igniter_connectors.flows.sealing import (
    NotOpened,
    log_missing_key,
    open_config,
    open_tokens,
)
from igniter_connectors.flows.stop_tasks import stop_tasks
from igniter_connectors.flows.store_errors import database_failed
from igniter_connectors.flows.tenant_http import oauth_http
from igniter_connectors.ports import StoreUnavailable

_BATCH: Final = 20
_POLL_SECONDS: Final = 30.0
_TOMBSTONE_LIFETIME: Final = timedelta(hours=1)
_MAX_WAIT: Final = timedelta(hours=1)


async def revoke_due(engine: Engine) -> int:
    """Revokes the queued tokens that are due, and returns how many were due.

    Several processes may run this at once: each claims other revocations.

    Raises:
        StoreUnavailable: the database does not answer; claimed revocations are due again later.
    """
    claimed = await engine.store.revocations.claim(limit=_BATCH, duration=CLAIM_DURATION)
    for pending in claimed:
        await _revoke(engine, engine.connectors.get(pending.key.connector), pending)
    return len(claimed)


async def _revoke(
    engine: Engine, connector: Definition[Any, Any, Any] | None, pending: PendingRevocation
) -> None:
    revocations = engine.store.revocations
    opened = _open(engine, connector, pending)
    if opened is None:
        # The connector is not registered in this process, or no key opens the tokens. Another
        # process may do it.
        await _leave_to_others(engine, pending)
        return
    provider, tokens = opened
    if await revocations.is_authorization_pending(pending.key):
        # The provider may be issuing the same grant again: revoking now would end it.
        await revocations.postpone(
            pending.id, attempts=pending.attempts, retry_in=GRANT_REVOCATION_DELAY
        )
        return
    owned = await _with_account(engine, provider, pending, tokens)
    if owned is None:
        await _retry_later(engine, pending, timedelta())
        return
    is_in_use = await _is_in_use(engine, provider, owned, tokens)
    if is_in_use is None:
        await _leave_to_others(engine, pending)
        return
    if is_in_use:
        await revocations.end(pending.id)
        return
    key = pending.key.connector
    for kind, token in tokens_to_revoke(provider, tokens, now=engine.clock.now()):
        request = revoke_request(provider, token, kind=kind, signing=engine.signing_context())
        if request is None:
            break
        answer = await oauth_http(engine, pending.key).send(request)
        judged = judge_revocation(
            answer.unwrap() if is_successful(answer) else answer.failure(),
            provider,
            received_at=engine.clock.now(),
        )
        match judged:
            case Revoked():
                pass
            case RevokeRefused(error=error):
                engine.logger.warning("%s: the provider refused to revoke a token (%s)", key, error)
            case RevokeLater(after=after, error=error):
                if error is not None:
                    engine.logger.warning("%s: a token is not revoked yet (%s)", key, error)
                await _retry_later(engine, pending, after or timedelta())
                return
    await revocations.end(pending.id)


async def _leave_to_others(engine: Engine, pending: PendingRevocation) -> None:
    """Counts no attempt. The jitter gives every process a turn."""
    wait = timedelta(seconds=_POLL_SECONDS * (1 + engine.entropy.fraction()))
    await engine.store.revocations.postpone(pending.id, attempts=pending.attempts, retry_in=wait)


async def _retry_later(engine: Engine, pending: PendingRevocation, asked: timedelta) -> None:
    attempts = pending.attempts + 1
    if attempts >= MAX_ATTEMPTS:
        engine.logger.error("%s: a token could not be revoked", pending.key.connector)
        await engine.store.revocations.end(pending.id)
        return
    # The back-off starts at 1 minute and doubles, so that 20 attempts cover most of a day.
    wait = min(back_off(attempts, asked, engine.entropy.fraction()) * 12, _MAX_WAIT)
    await engine.store.revocations.postpone(
        pending.id, attempts=attempts, retry_in=max(wait, asked)
    )


def _open(
    engine: Engine, connector: Definition[Any, Any, Any] | None, pending: PendingRevocation
) -> tuple[OAuthProvider, TokenSet] | None:
    if not isinstance(connector, OAuthConnector):
        return None
    row = _row(engine, pending)
    try:
        config = open_config(engine, connector, row)
    except NotOpened:
        log_missing_key(engine, connector.key, pending.sealed_config)
        return None
    log_missing_key(engine, connector.key, pending.grant.sealed_tokens)
    provider = provider_for(connector.provider, config, connector=connector.key)
    tokens = open_tokens(engine, row)
    if not is_successful(provider) or not is_successful(tokens):
        return None
    return provider.unwrap(), tokens.unwrap()


def _row(engine: Engine, pending: PendingRevocation) -> ConnectionRecord:
    """The row as it was: its tokens and its config were sealed for it."""
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


async def _with_account(
    engine: Engine, provider: OAuthProvider, pending: PendingRevocation, tokens: TokenSet
) -> PendingRevocation | None:
    """The revocation with the account that its grant is for.

    Where one revocation ends the whole grant, another connection of the same account uses it too.
    Tokens that no row ever held may come without their account, so the provider is asked now.

    Returns:
        None if the account can be known and is not: a revocation could end the grant of a
        connection.
    """
    ends_others = provider.revocation_ends == "grant" and pending.grant.subject is None
    if not ends_others or (provider.userinfo_url is None and not is_openid(provider)):
        return pending
    found = await find_account(engine, provider, tokens, key=pending.key)
    account = found.value_or(None)
    if account is None:
        return None
    return replace(pending, grant=replace(pending.grant, subject=account.subject))


async def _is_in_use(
    engine: Engine, provider: OAuthProvider, pending: PendingRevocation, tokens: TokenSet
) -> bool | None:
    """Whether a connection still needs the tokens or the grant.

    None if the key of the connection's own tokens is missing here, so that this process cannot
    compare them.
    """
    grant = pending.grant
    if provider.revocation_ends == "grant" and await engine.store.revocations.is_grant_shared(
        pending.key.connector, grant.client_id, grant.subject
    ):
        return True
    # Some providers return the same tokens when the account is authorized again.
    current = await engine.store.find(pending.key)
    if current is None or current.grant is None:
        return False
    opened = open_tokens(engine, current)
    if not is_successful(opened):
        sealed = current.grant.sealed_tokens
        log_missing_key(engine, pending.key.connector, sealed)
        return None if engine.ciphers.missing_key(sealed) is not None else False
    stored = opened.unwrap()
    return (
        stored.access_token == tokens.access_token
        or stored.refresh_token == tokens.refresh_token is not None
    )


@final
class RevocationWorker:
    """A task that revokes queued tokens that are due, and purges old tombstones.

    Attributes:
        processed: How many revocations were due, whether or not the provider confirmed them.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._task: asyncio.Task[None] | None = None
        self._is_idle = asyncio.Event()
        self.processed: int = 0

    def start(self) -> None:
        """Starts. Revokes at once, when tokens are queued, and every 30 s."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stops. Revocations that were not confirmed are due again later, in any process."""
        if self._task is not None:
            _ = await stop_tasks(self._task)
            self._task = None

    async def settled(self) -> None:
        """Waits until everything that was due is revoked or postponed."""
        if self._task is not None:
            _ = await self._is_idle.wait()

    async def _run(self) -> None:
        while True:
            self._is_idle.clear()
            try:
                more = True
                while more:
                    processed = await revoke_due(self._engine)
                    self.processed += processed
                    more = processed == _BATCH
                _ = await self._engine.store.purge_tombstones(older_than=_TOMBSTONE_LIFETIME)
            except StoreUnavailable as error:
                _ = database_failed(self._engine, error)
            self._is_idle.set()
            await self._engine.revocation_queued.wait(within_seconds=_POLL_SECONDS)
