"""Refreshing one connection, safe across processes and crashes.

Each step is here for a trace in which a grant is destroyed, stuck or orphaned without it:
the lease before the request, only the token that the lease returned, the wait after
somebody else's unresolved attempt, the commit on row and generation alone, the verdicts
fenced by the owner.
"""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace
from returns.pipeline import is_successful

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord, Grant
from igniter_connectors.core.event import (
    NeedsReauthEvent,
    Recovered,
    TokenRefreshed,
    TokenRefreshFailed,
)
from igniter_connectors.core.oauth.client_credentials import (
    client_credentials_request,
    judge_client_credentials_refresh,
    uses_client_credentials,
)
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.refresh import (
    DefiniteFailure,
    GrantDead,
    Refreshed,
    RefreshOutcome,
    UnknownOutcome,
    back_off,
    judge_refresh,
    refresh_request,
)
from igniter_connectors.core.oauth.refresh_decision import (
    GiveUp,
    TakeLease,
    UseStored,
    WaitForHolder,
    decide,
)
from igniter_connectors.core.oauth.refresh_lease import (
    COMMIT_RETRY_INTERVAL,
    DEADLINE,
    DURATION,
    POLL_INTERVAL,
    SETTLE_TIME,
    Lease,
    dead_status,
    matches_lease,
)
from igniter_connectors.core.oauth.revocation import GRANT_REVOCATION_DELAY, revocation_of
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.core.problem import (
    DecryptFailed,
    NeedsReauth,
    RefreshFailed,
    TokenProblem,
)
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.event_bus import event_fields
from igniter_connectors.flows.oauth.dpop_request import send_bound
from igniter_connectors.flows.sealing import open_sealed_tokens, seal_tokens
from igniter_connectors.flows.store_errors import or_database_failed
from igniter_connectors.ports import StoreUnavailable


@or_database_failed
async def refresh(
    engine: Engine, provider: OAuthProvider, key: ConnectionKey, seen: int
) -> ConnectionRecord | TokenProblem:
    """The connection with a newer generation than the one seen, whoever brought it."""
    was_refused = False
    while True:
        if engine.renewals.is_closing:
            return RefreshFailed(key.connector)
        pause = engine.renewals.client_pause(provider)
        if pause is not None:
            return RefreshFailed(key.connector, engine.clock.now() + pause)
        record = await engine.store.find(key)
        step = decide(record, seen=seen, was_refused=was_refused, connector=key.connector)
        match step:
            case UseStored(record=stored):
                return stored
            case GiveUp(problem=problem):
                return problem
            case WaitForHolder():
                await engine.clock.sleep(POLL_INTERVAL.total_seconds())
                was_refused = False
            case TakeLease(generation=generation):
                # Deadline and lease count from before the lease was asked for.
                began = engine.clock.monotonic()
                lease = await engine.store.take_lease(
                    key, generation=generation, owner=engine.new_id(), duration=DURATION
                )
                was_refused = lease is None
                if lease is not None and record is not None:
                    done = await _hold(engine, provider, record, lease, began)
                    if done is not None:
                        return done


async def _hold(
    engine: Engine,
    provider: OAuthProvider,
    record: ConnectionRecord,
    lease: Lease,
    began: float,
) -> ConnectionRecord | TokenProblem | None:
    """What the holder of a lease does; None means: read again."""
    key = record.key
    if lease.row != record.id:
        # Disconnected and connected anew since the row was read: what follows is about both.
        _ = await engine.store.put_back_lease(
            key, lease, failures=lease.failures, retry_in=timedelta()
        )
        return None
    if lease.unresolved_before:
        # An answer that arrived at the earlier holder is being stored over there.
        await engine.clock.sleep(SETTLE_TIME.total_seconds())
        current = await engine.store.find(key)
        if not matches_lease(current, lease):
            return None
    opened = open_sealed_tokens(engine, key, lease)
    if not is_successful(opened):
        _ = await _put_back(engine, key, lease, DefiniteFailure())
        return DecryptFailed(key.connector)
    spent = opened.unwrap()
    # The lease is of the generation that was read, so the row's own word counts.
    is_client_credentials = record.grant is not None and uses_client_credentials(
        record.grant, spent, provider
    )
    if spent.refresh_token is None and not is_client_credentials:
        return await _mark_grant_dead(engine, record, lease, spent)
    left = DEADLINE - timedelta(seconds=engine.clock.monotonic() - began)
    if left <= timedelta() or engine.renewals.is_closing:
        return await _put_back(engine, key, lease, DefiniteFailure())
    if spent.refresh_token is None:
        request = client_credentials_request(provider, signing=engine.signing_context())
    else:
        request = refresh_request(provider, spent.refresh_token, signing=engine.signing_context())
    answer = await send_bound(engine, request, spent.dpop_key, deadline=left)
    judge = judge_client_credentials_refresh if is_client_credentials else judge_refresh
    outcome: RefreshOutcome = judge(
        answer.unwrap() if is_successful(answer) else answer.failure(),
        provider,
        spent,
        connector=key.connector,
        received_at=engine.clock.now(),
    )
    match outcome:
        case Refreshed(tokens=tokens):
            return await _commit(engine, record, lease, tokens)
        case GrantDead():
            return await _mark_grant_dead(engine, record, lease, spent)
        case DefiniteFailure():
            if outcome.is_client_credentials:
                engine.renewals.pause_client(provider)
            return await _put_back(engine, key, lease, outcome)
        case UnknownOutcome():
            return await _leave_unresolved(engine, provider, key, lease, began)


async def _commit(
    engine: Engine, record: ConnectionRecord, lease: Lease, tokens: TokenSet
) -> ConnectionRecord | TokenProblem | None:
    key, spent = record.key, record.grant
    generation = lease.generation + 1
    sealed = seal_tokens(engine, tokens, key, row=lease.row, generation=generation)
    if not is_successful(sealed) or spent is None:
        return DecryptFailed(key.connector)
    grant: Grant = replace(
        spent,
        sealed_tokens=sealed.unwrap(),
        generation=generation,
        oauth_scopes=tokens.oauth_scopes or spent.oauth_scopes,
        refreshed_at=engine.clock.now(),
        expires_at=tokens.expires_at,
        refresh_expires_at=tokens.refresh_expires_at,
    )
    # The provider has rotated: until this is stored the grant hangs on this process. On row
    # and generation alone: a lease that has passed is no reason to throw tokens away.
    while True:
        try:
            is_written = await engine.store.save_renewed(
                key, row=lease.row, generation=lease.generation, grant=grant
            )
            break
        except StoreUnavailable as error:
            engine.logger.error("renewed tokens wait for the database: %s", error.reason)
            await engine.clock.sleep(COMMIT_RETRY_INTERVAL.total_seconds())
    if not is_written:
        # Somebody else's write came first, or this one landed and its answer was lost.
        await _queue_revocation_unless_named(engine, record, grant)
        return None
    now = engine.clock.now()
    engine.event_bus.publish(TokenRefreshed(at=now, generation=generation, **event_fields(key)))
    if lease.failures or lease.unresolved_before:
        engine.event_bus.publish(Recovered(at=now, **event_fields(key)))
    return replace(
        record,
        grant=grant,
        status="ok",
        failures=0,
        next_attempt_at=None,
        lease_owner=None,
        unresolved=False,
    )


async def _leave_unresolved(
    engine: Engine,
    provider: OAuthProvider,
    key: ConnectionKey,
    lease: Lease,
    began: float,
) -> TokenProblem:
    """Whether the provider rotated is not known: the mark stays, whoever tries next.

    That is when the lease ends. Where the provider answers a spent token for a while, it is
    at once, back-off or not, and nobody needs to ask for the token; but once: an attempt
    after an unresolved one waits for its lease to end.
    """
    if provider.reuse_grace is not None and not lease.unresolved_before:
        _ = await engine.store.release_lease(key, lease)
        engine.renewals.run_again(key, lambda: refresh(engine, provider, key, lease.generation))
        return _failed(engine, key, SETTLE_TIME)
    return _failed(engine, key, DURATION - timedelta(seconds=engine.clock.monotonic() - began))


async def _queue_revocation_unless_named(
    engine: Engine, record: ConnectionRecord, grant: Grant
) -> None:
    """Queues for revocation the tokens of a grant that the row no longer names.

    Where the row names the very grant, its tokens are this grant's own, perhaps these.
    """
    while True:
        try:
            current = await engine.store.find(record.key)
            if (
                current is not None
                and current.id == record.id
                and current.grant is not None
                and current.grant.grant_id == grant.grant_id
            ):
                return
            pending = revocation_of(record, grant, id=engine.new_id())
            await engine.store.revocations.add(pending, due_in=GRANT_REVOCATION_DELAY)
            engine.revocation_queued.set()
            return
        except StoreUnavailable as error:
            engine.logger.error("tokens to be revoked wait for the database: %s", error.reason)
            await engine.clock.sleep(COMMIT_RETRY_INTERVAL.total_seconds())


async def _mark_grant_dead(
    engine: Engine, record: ConnectionRecord, lease: Lease, spent: TokenSet
) -> TokenProblem | None:
    """The provider says that the grant is dead, or there is nothing to refresh it with."""
    key = record.key
    status = "needs_reauth" if spent.refresh_token is None else dead_status(lease)
    if not await engine.store.save_grant_status(key, lease, status):
        # The row has moved on: somebody won the race, and their tokens serve.
        return None
    now = engine.clock.now()
    engine.event_bus.publish(NeedsReauthEvent(at=now, reason=status, **event_fields(key)))
    return NeedsReauth(key.connector, status)


async def _put_back(
    engine: Engine, key: ConnectionKey, lease: Lease, failure: DefiniteFailure
) -> TokenProblem | None:
    """Nothing was spent: the lease ends, and the mark is as it stood before."""
    failures = lease.failures + 1
    wait = back_off(failures, failure.retry_after, engine.entropy.fraction())
    if not await engine.store.put_back_lease(key, lease, failures=failures, retry_in=wait):
        return None
    return _failed(engine, key, wait)


def _failed(engine: Engine, key: ConnectionKey, wait: timedelta) -> RefreshFailed:
    now = engine.clock.now()
    engine.event_bus.publish(TokenRefreshFailed(at=now, retry_at=now + wait, **event_fields(key)))
    return RefreshFailed(key.connector, now + wait)
