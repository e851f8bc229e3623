"""Disconnecting: the row goes, and its tokens are queued for revocation."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from returns.result import Failure, Result, Success

from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.connector.definition import Definition, OAuthConnector
from igniter_connectors.core.event import Disconnected
from igniter_connectors.core.oauth.revocation import GRANT_REVOCATION_DELAY, RevocationRequest
from igniter_connectors.core.problem import NotConnected
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.event_bus import event_fields
from igniter_connectors.flows.store_errors import returns_database_failed


@returns_database_failed
async def disconnect(
    engine: Engine, connector: Definition[Any, Any, Any], key: ConnectionKey
) -> Result[None, NotConnected]:
    """Deletes the config, the tokens and the webhook endpoints of a connection.

    The tokens are queued for revocation, if the provider can revoke.
    """
    now = engine.clock.now()
    request = revocation_request(engine, connector)
    if await engine.store.disconnect(key, revocation=request, now=now) is None:
        return Failure(NotConnected(key.connector, key.account))
    engine.revocation_queued.set()
    engine.event_bus.publish(Disconnected(at=now, **event_fields(key)))
    return Success(None)


def revocation_request(
    engine: Engine, connector: Definition[Any, Any, Any]
) -> RevocationRequest | None:
    """How to queue this connector's tokens for revocation; None if its provider cannot revoke."""
    if not isinstance(connector, OAuthConnector) or connector.provider.revocation_url is None:
        return None
    # A revoked token harms nobody else; a revoked grant may be one that was just made anew.
    ends_grant = connector.provider.revocation_ends == "grant"
    return RevocationRequest(engine.new_id(), GRANT_REVOCATION_DELAY if ends_grant else timedelta())
