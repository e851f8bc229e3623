"""Holds back revocations while an authorization that could mint the same grant is pending."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Final

from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.state import PendingAuthorization
from igniter_connectors.flows.engine import Engine
from igniter_connectors.ports import StoreUnavailable

# Long enough for two requests to the provider and the commits.
_CALLBACK_LIMIT: Final = timedelta(minutes=1)


@asynccontextmanager
async def holding_revocations(
    engine: Engine, key: ConnectionKey, provider: OAuthProvider
) -> AsyncGenerator[None, None]:
    """Holds back revocations while tokens are on their way from the provider into a row.

    The state was taken, so no row says any more that an authorization is pending. A grant
    revoked in between could be the very grant that the provider is issuing now.
    """
    hold = await hold_revocations(engine, key, provider, lifetime=_CALLBACK_LIMIT)
    try:
        yield
    finally:
        await release_revocations(engine, hold)


async def hold_revocations(
    engine: Engine, key: ConnectionKey, provider: OAuthProvider, *, lifetime: timedelta
) -> PendingAuthorization | None:
    """Holds back revocations of this connection until `release_revocations` or for `lifetime`.

    Returns:
        The hold; None if the provider cannot revoke.
    """
    if provider.revocation_url is None:
        return None
    handle, binding = engine.entropy.octets(32), engine.entropy.octets(32)
    hold = PendingAuthorization(handle, binding, engine.new_id(), key, b"")
    await engine.store.add_authorization(hold, lifetime=lifetime)
    return hold


async def release_revocations(engine: Engine, hold: PendingAuthorization | None) -> None:
    """Ends a hold. Best effort: if the database does not answer, the hold ends by itself."""
    if hold is not None:
        with suppress(StoreUnavailable):
            _ = await engine.store.take_authorization(hold.handle_hash, hold.binding_hash)
