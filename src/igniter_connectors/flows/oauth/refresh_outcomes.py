"""Ends a refresh that brought no access token: what becomes of the lease, and of its mark."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.event import NeedsReauthEvent, TokenRefreshFailed
from igniter_connectors.core.oauth.refresh import DefiniteFailure, back_off
from igniter_connectors.core.oauth.refresh_lease import DURATION, Lease, dead_status
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.core.problem import NeedsReauth, RefreshFailed, TokenProblem
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.event_bus import event_fields
from igniter_connectors.flows.oauth.save_refreshed import save_tokens


async def keep_refresh_token(
    engine: Engine, record: ConnectionRecord, lease: Lease, tokens: TokenSet
) -> TokenProblem | None:
    """Stores a rotated refresh token that came without a usable access token, and backs off.

    Only this process knows the new refresh token: without it the grant would be lost. It is used
    like any other once the back-off is over.

    Returns:
        As `put_back`; None if another write came first, so that the row must be read again.
    """
    key = record.key
    saved = await save_tokens(engine, record, lease, tokens)
    if not isinstance(saved, ConnectionRecord):
        return saved
    # The commit has ended the lease. The back-off is written under one of its own.
    own = await engine.store.take_lease(
        key, generation=lease.generation + 1, owner=engine.new_id(), duration=DURATION
    )
    if own is None:
        return failed(engine, key, timedelta())
    return await put_back(engine, key, replace(own, failures=lease.failures), DefiniteFailure())


async def mark_grant_dead(
    engine: Engine, record: ConnectionRecord, lease: Lease, leased: TokenSet
) -> TokenProblem | None:
    """Records that the grant is dead: the provider says so, or there is no refresh token.

    Returns:
        `NeedsReauth`; None if another write came first, so that the row must be read again.
    """
    key = record.key
    status = "needs_reauth" if leased.refresh_token is None else dead_status(lease)
    if not await engine.store.save_grant_status(key, lease, status):
        return None
    now = engine.clock.now()
    engine.event_bus.publish(NeedsReauthEvent(at=now, reason=status, **event_fields(key)))
    return NeedsReauth(key.connector, status)


async def give_back(engine: Engine, key: ConnectionKey, lease: Lease) -> None:
    """Ends a lease that was not used. The next attempt may begin at once, in any process."""
    _ = await engine.store.put_back_lease(key, lease, failures=lease.failures, retry_in=timedelta())


async def put_back(
    engine: Engine, key: ConnectionKey, lease: Lease, failure: DefiniteFailure
) -> TokenProblem | None:
    """Ends the lease after a definite failure, and restores the mark that was there before.

    Returns:
        `RefreshFailed`; None if the lease was lost, so that the row must be read again.
    """
    failures = lease.failures + 1
    wait = back_off(failures, failure.retry_after, engine.entropy.fraction())
    if not await engine.store.put_back_lease(key, lease, failures=failures, retry_in=wait):
        return None
    return failed(engine, key, wait)


def failed(engine: Engine, key: ConnectionKey, wait: timedelta) -> RefreshFailed:
    """Publishes the failure, and returns the problem with the time of the next attempt."""
    now = engine.clock.now()
    engine.event_bus.publish(TokenRefreshFailed(at=now, retry_at=now + wait, **event_fields(key)))
    return RefreshFailed(key.connector, now + wait)
