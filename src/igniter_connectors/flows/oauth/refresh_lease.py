"""Refreshes one connection under a lease: safe across processes and crashes.

Without any one of these steps, a grant can be destroyed, stuck or orphaned: take the lease
before the request; send only the token that the lease returned; wait after another process's
unresolved attempt; save on row and generation alone; write a failure only as the lease's owner.
"""

from __future__ import annotations

from datetime import timedelta

from returns.pipeline import is_successful

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
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
    RefreshTokenOnly,
    UnknownOutcome,
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
    DEADLINE,
    DURATION,
    POLL_INTERVAL,
    SETTLE_TIME,
    Lease,
    matches_lease,
)
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.core.problem import (
    DecryptFailed,
    RefreshFailed,
    TokenProblem,
)
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.oauth.client_state import note_refusal
from igniter_connectors.flows.oauth.dpop_request import send_bound
from igniter_connectors.flows.oauth.refresh_outcomes import (
    failed,
    give_back,
    keep_refresh_token,
    mark_grant_dead,
    put_back,
)
from igniter_connectors.flows.oauth.save_refreshed import save_refreshed
from igniter_connectors.flows.sealing import log_missing_key, open_sealed_tokens, opens_here
from igniter_connectors.flows.store_errors import or_database_failed
from igniter_connectors.flows.tenant_http import oauth_http
from igniter_connectors.ports import StoreUnavailable


@or_database_failed
async def refresh(
    engine: Engine, provider: OAuthProvider, key: ConnectionKey, seen: int
) -> ConnectionRecord | TokenProblem:
    """The row with a newer generation than `seen`, whichever process refreshed it."""
    lease_refused = False
    while True:
        if engine.renewals.is_closing:
            return RefreshFailed(key.connector)
        record = await engine.store.find(key)
        step = decide(record, seen=seen, was_refused=lease_refused, connector=key.connector)
        match step:
            case UseStored(record=stored):
                return stored
            case GiveUp(problem=problem):
                return problem
            case WaitForHolder():
                await engine.clock.sleep(POLL_INTERVAL.total_seconds())
                lease_refused = False
            case TakeLease(generation=generation):
                if record is None or not opens_here(engine, record):
                    return DecryptFailed(key.connector)
                pause = engine.renewals.client_pause(provider, key)
                if pause is not None:
                    return RefreshFailed(key.connector, engine.clock.now() + pause)
                engine.renewals.client_used(provider, key)
                # The deadline and the lease both count from before the lease is taken.
                started = engine.clock.monotonic()
                lease = await _take_lease(engine, key, generation)
                lease_refused = lease is None
                if lease is not None:
                    result = await _hold_lease(engine, provider, record, lease, started)
                    if result is not None:
                        return result


async def _take_lease(engine: Engine, key: ConnectionKey, generation: int) -> Lease | None:
    """Takes the lease. If the answer is lost, asks again as the same owner.

    The store returns a lease again to its owner, with the same mark. So a lease that was taken
    without this process knowing delays nobody. If the store fails twice, the owner is
    remembered for the next attempt.

    Raises:
        StoreUnavailable: the database does not answer.
    """
    lost = engine.renewals.lost_owners
    owner = lost.get(key) or engine.new_id()
    try:
        lease = await engine.store.take_lease(
            key, generation=generation, owner=owner, duration=DURATION
        )
    except StoreUnavailable:
        lost[key] = owner
        lease = await engine.store.take_lease(
            key, generation=generation, owner=owner, duration=DURATION
        )
    if lease is not None:
        _ = lost.pop(key, None)
    return lease


async def _hold_lease(
    engine: Engine,
    provider: OAuthProvider,
    record: ConnectionRecord,
    lease: Lease,
    started: float,
) -> ConnectionRecord | TokenProblem | None:
    """Refreshes as the holder of the lease.

    Returns:
        The row with its new tokens, or a problem; None if the row must be read again.
    """
    key = record.key
    if lease.row != record.id:
        # The connection was made anew since the row was read: `record` and `lease` are of
        # different rows.
        await give_back(engine, key, lease)
        return None
    if lease.unresolved_before:
        # The earlier holder may be storing an answer right now.
        await engine.clock.sleep(SETTLE_TIME.total_seconds())
        current = await engine.store.find(key)
        if not matches_lease(current, lease):
            return None
    opened = open_sealed_tokens(engine, key, lease)
    if not is_successful(opened):
        # Sealed anew with another key since the row was read: other processes can open it.
        log_missing_key(engine, key.connector, lease.sealed_tokens)
        await give_back(engine, key, lease)
        return DecryptFailed(key.connector)
    leased = opened.unwrap()
    # The lease has the generation that was read, so the row's own fields are current.
    is_client_credentials = record.grant is not None and uses_client_credentials(
        record.grant, leased, provider
    )
    if leased.refresh_token is None and not is_client_credentials:
        return await mark_grant_dead(engine, record, lease, leased)
    left = DEADLINE - timedelta(seconds=engine.clock.monotonic() - started)
    if left <= timedelta() or engine.renewals.is_closing:
        return await put_back(engine, key, lease, DefiniteFailure())
    outcome = await _request_tokens(
        engine,
        provider,
        leased,
        key=key,
        deadline=left,
        is_client_credentials=is_client_credentials,
    )
    match outcome:
        case Refreshed(tokens=tokens):
            engine.renewals.client_accepted(provider, key)
            return await save_refreshed(engine, record, lease, tokens)
        case RefreshTokenOnly(tokens=tokens):
            return await keep_refresh_token(engine, record, lease, tokens)
        case GrantDead():
            return await mark_grant_dead(engine, record, lease, leased)
        case DefiniteFailure():
            note_refusal(engine, provider, key, outcome)
            return await put_back(engine, key, lease, outcome)
        case UnknownOutcome():
            return await _leave_unresolved(engine, provider, key, lease, started)


async def _request_tokens(
    engine: Engine,
    provider: OAuthProvider,
    leased: TokenSet,
    *,
    key: ConnectionKey,
    deadline: timedelta,
    is_client_credentials: bool,
) -> RefreshOutcome:
    """Sends the refresh token that the lease returned, or else the client's own credentials."""
    signing = engine.signing_context()
    if leased.refresh_token is None:
        request = client_credentials_request(provider, signing=signing)
    else:
        request = refresh_request(provider, leased.refresh_token, signing=signing)
    answer = await send_bound(oauth_http(engine, key), request, leased.dpop_key, deadline=deadline)
    judge = judge_client_credentials_refresh if is_client_credentials else judge_refresh
    return judge(
        answer.unwrap() if is_successful(answer) else answer.failure(),
        provider,
        leased,
        connector=key.connector,
        received_at=engine.clock.now(),
    )


async def _leave_unresolved(
    engine: Engine,
    provider: OAuthProvider,
    key: ConnectionKey,
    lease: Lease,
    started: float,
) -> TokenProblem:
    """Keeps the "outcome unknown" mark: the provider may have rotated the refresh token.

    The next attempt comes when the lease ends. If the provider accepts a used refresh token
    for a while (`reuse_grace`), the next attempt comes at once, even if no caller asks for
    it, but only once: an attempt after an unresolved one waits for its lease to end.
    """
    if provider.reuse_grace is not None and not lease.unresolved_before:
        _ = await engine.store.release_lease(key, lease)
        engine.renewals.run_again(key, lambda: refresh(engine, provider, key, lease.generation))
        return failed(engine, key, SETTLE_TIME)
    return failed(engine, key, DURATION - timedelta(seconds=engine.clock.monotonic() - started))
