"""Saves the tokens that a refresh returned: it retries until the database answers."""

from __future__ import annotations

from contextlib import suppress

from msgspec.structs import replace
from returns.pipeline import is_successful

from igniter_connectors.core.connection.record import ConnectionRecord, Grant
from igniter_connectors.core.event import Recovered, TokenRefreshed
from igniter_connectors.core.oauth.refresh_lease import COMMIT_RETRY_INTERVAL, Lease
from igniter_connectors.core.oauth.revocation import GRANT_REVOCATION_DELAY, revocation_of
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.core.problem import DecryptFailed, TokenProblem
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.event_bus import event_fields
from igniter_connectors.flows.sealing import open_sealed_tokens, seal_tokens
from igniter_connectors.flows.store_errors import database_failed
from igniter_connectors.ports import StoreRefused, StoreUnavailable


async def save_refreshed(
    engine: Engine, record: ConnectionRecord, lease: Lease, tokens: TokenSet
) -> ConnectionRecord | TokenProblem | None:
    """Stores the tokens that a refresh returned, and publishes that it succeeded.

    Returns:
        As `save_tokens`.
    """
    saved = await save_tokens(engine, record, lease, tokens)
    if isinstance(saved, ConnectionRecord):
        now, fields = engine.clock.now(), event_fields(record.key)
        generation = lease.generation + 1
        engine.event_bus.publish(TokenRefreshed(at=now, generation=generation, **fields))
        if lease.failures or lease.unresolved_before:
            engine.event_bus.publish(Recovered(at=now, **fields))
    return saved


async def save_tokens(
    engine: Engine, record: ConnectionRecord, lease: Lease, tokens: TokenSet
) -> ConnectionRecord | TokenProblem | None:
    """Stores new tokens of a leased grant, however long the database takes.

    Returns:
        The row with its new tokens; None if another write came first, so that the row must be
        read again; `DecryptFailed` if the tokens cannot be sealed; or `DatabaseFailed` if the
        database refuses them, however often it is asked.
    """
    key, previous = record.key, record.grant
    generation = lease.generation + 1
    sealed = seal_tokens(engine, tokens, key, row=lease.row, generation=generation)
    if not is_successful(sealed) or previous is None:
        return DecryptFailed(key.connector)
    grant: Grant = replace(
        previous,
        sealed_tokens=sealed.unwrap(),
        generation=generation,
        oauth_scopes=tokens.oauth_scopes or previous.oauth_scopes,
        refreshed_at=engine.clock.now(),
        expires_at=tokens.expires_at,
        refresh_expires_at=tokens.refresh_expires_at,
    )
    # The provider may have rotated, so only this process knows the new refresh token. The
    # write depends on row and generation alone: an expired lease is no reason to drop tokens.
    while True:
        try:
            is_written = await engine.store.save_renewed(
                key, row=lease.row, generation=lease.generation, grant=grant
            )
            break
        except StoreRefused as error:
            await _give_up(engine, record, lease, grant, tokens)
            return database_failed(engine, error)
        except StoreUnavailable as error:
            engine.logger.error("renewed tokens wait for the database: %s", error.reason)
            await engine.clock.sleep(COMMIT_RETRY_INTERVAL.total_seconds())
    if not is_written:
        # Another write came first, or this one was committed and its answer was lost.
        await _queue_revocation(engine, record, grant)
        return None
    return replace(
        record,
        grant=grant,
        status="ok",
        failures=0,
        next_attempt_at=None,
        lease_owner=None,
        unresolved=False,
    )


async def _give_up(
    engine: Engine, record: ConnectionRecord, lease: Lease, grant: Grant, tokens: TokenSet
) -> None:
    """Ends a refresh whose tokens the database refuses.

    If the provider rotated the refresh token, the stored one is used up: the new tokens are
    queued for revocation, since nobody else knows them. Otherwise the stored one still works, and
    a revocation would end the grant.
    """
    stored = open_sealed_tokens(engine, record.key, lease)
    if is_successful(stored) and stored.unwrap().refresh_token != tokens.refresh_token:
        await _add_revocation(engine, record, grant)
    with suppress(StoreUnavailable):
        _ = await engine.store.release_lease(record.key, lease)


async def _queue_revocation(engine: Engine, record: ConnectionRecord, grant: Grant) -> None:
    """Queues the tokens for revocation, unless the row still holds this grant.

    If the row holds the same grant id, its tokens belong to this grant and may even be these.
    """
    while True:
        try:
            current = await engine.store.find(record.key)
        except StoreRefused:
            return  # the row cannot be read: it may hold this grant
        except StoreUnavailable as error:
            await _wait(engine, error)
        else:
            break
    if (
        current is None
        or current.id != record.id
        or current.grant is None
        or current.grant.grant_id != grant.grant_id
    ):
        await _add_revocation(engine, record, grant)


async def _add_revocation(engine: Engine, record: ConnectionRecord, grant: Grant) -> None:
    pending = revocation_of(record, grant, id=engine.new_id())
    while True:
        try:
            await engine.store.revocations.add(pending, due_in=GRANT_REVOCATION_DELAY)
        except StoreRefused as error:
            engine.logger.error("tokens to be revoked cannot be stored: %s", error.reason)
            return
        except StoreUnavailable as error:
            await _wait(engine, error)
        else:
            engine.revocation_queued.set()
            return


async def _wait(engine: Engine, error: StoreUnavailable) -> None:
    engine.logger.error("tokens to be revoked wait for the database: %s", error.reason)
    await engine.clock.sleep(COMMIT_RETRY_INTERVAL.total_seconds())
