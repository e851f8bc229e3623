"""Keeps tokens that a provider issued: stored, or queued for revocation, however long it takes.

The work runs in a task of the manager and is retried while the database does not answer. A
caller waits for a few seconds and then gets `DatabaseFailed`; the task goes on. What the database
refuses for good is not retried: the tokens are queued for revocation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from msgspec.structs import replace
from returns.pipeline import is_successful
from returns.result import Failure, Result
from typing_extensions import TypeVar

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.connector.definition import OAuthConnector
from igniter_connectors.core.event import AuthorizationCompleted, Connected
from igniter_connectors.core.http.messages import HttpResponse
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.refresh_lease import COMMIT_RETRY_INTERVAL
from igniter_connectors.core.oauth.token_response import unusable_tokens
from igniter_connectors.core.problem import (
    ConfigInvalid,
    Conflict,
    DatabaseFailed,
    EncryptFailed,
    IdentityMismatch,
)
from igniter_connectors.flows.connections.disconnect import revocation_request
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.event_bus import event_fields
from igniter_connectors.flows.oauth.save_grant import NewGrant, save_grant, unsaved_revocation
from igniter_connectors.flows.store_errors import database_failed
from igniter_connectors.ports import StoreRefused, StoreUnavailable

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")
V = TypeVar("V")

_ANSWER_SECONDS: Final = 5.0
"""How long a caller waits while the database does not answer."""


async def keep_grant(
    engine: Engine,
    connector: OAuthConnector[Conf, Ctx, Any],
    key: ConnectionKey,
    new: NewGrant[Conf],
) -> Result[
    ConnectionRecord, IdentityMismatch | ConfigInvalid | EncryptFailed | Conflict | DatabaseFailed
]:
    """Saves a grant as `save_grant` does, and publishes the events of a new connection.

    Returns:
        As `save_grant`; or `DatabaseFailed` after a few seconds without the database. Then the
        grant is stored, or queued for revocation, as soon as the database answers. It comes at
        once if the database refuses the grant, which is then queued for revocation.
    """
    # The same id in every attempt: an attempt finds what one before it has committed.
    identified = replace(new, grant_id=engine.new_id())

    async def save() -> Result[
        ConnectionRecord,
        IdentityMismatch | ConfigInvalid | EncryptFailed | Conflict | DatabaseFailed,
    ]:
        try:
            saved = await save_grant(engine, connector, key, identified)
        except StoreRefused as error:
            await _queue_revocation(engine, connector, key, identified)
            return Failure(database_failed(engine, error))
        if is_successful(saved):
            now = engine.clock.now()
            if new.source == "authorization":
                engine.event_bus.publish(AuthorizationCompleted(at=now, **event_fields(key)))
            engine.event_bus.publish(Connected(at=now, **event_fields(key)))
        return saved

    kept = await _until_answered(engine, save)
    return Failure(DatabaseFailed()) if kept is None else kept


async def revoke_unsaved(
    engine: Engine,
    connector: OAuthConnector[Conf, Ctx, Any],
    key: ConnectionKey,
    new: NewGrant[Conf],
) -> None:
    """Queues tokens for revocation that no row will ever hold.

    Adopted tokens are the application's own and are not revoked.
    """
    _ = await _until_answered(engine, lambda: _queue_revocation(engine, connector, key, new))


async def _queue_revocation(
    engine: Engine,
    connector: OAuthConnector[Conf, Ctx, Any],
    key: ConnectionKey,
    new: NewGrant[Conf],
) -> None:
    pending = unsaved_revocation(engine, connector, key, new)
    request = revocation_request(engine, connector)
    if pending is not None and request is not None:
        await engine.store.revocations.add(pending, due_in=request.due_in)
        engine.revocation_queued.set()


async def revoke_unusable(
    engine: Engine,
    connector: OAuthConnector[Conf, Ctx, Any],
    key: ConnectionKey,
    config: Conf,
    provider: OAuthProvider,
    response: HttpResponse,
) -> None:
    """Queues for revocation what can be read of a token answer that is malformed."""
    tokens = unusable_tokens(response, provider)
    if tokens is not None:
        new = NewGrant(config=config, provider=provider, tokens=tokens, expected_grant=None)
        await revoke_unsaved(engine, connector, key, new)


async def _until_answered(engine: Engine, attempt: Callable[[], Awaitable[V]]) -> V | None:
    """The result of the first attempt that the database answers; None if that takes too long.

    The attempts go on without the caller, one a second, until the manager closes. None also if
    the database refuses the attempt: another would end in the same way.
    """
    is_late = asyncio.Event()

    async def retry() -> V | None:
        started = engine.clock.monotonic()
        while True:
            try:
                return await attempt()
            except StoreRefused as error:
                engine.logger.error("new tokens cannot be stored: %s", error.reason)
                return None
            except StoreUnavailable as error:
                engine.logger.error("new tokens wait for the database: %s", error.reason)
                if engine.clock.monotonic() - started >= _ANSWER_SECONDS:
                    is_late.set()
                await engine.clock.sleep(COMMIT_RETRY_INTERVAL.total_seconds())

    task = engine.owned_tasks.start(retry())
    late = asyncio.create_task(is_late.wait())
    try:
        _ = await asyncio.wait([task, late], return_when=asyncio.FIRST_COMPLETED)
    finally:
        _ = late.cancel()
    return task.result() if task.done() else None
