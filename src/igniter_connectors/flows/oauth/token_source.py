"""The access token of a connection: as stored, or renewed once for all callers that wait."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from returns.pipeline import is_successful
from typing_extensions import TypeVar

from igniter_connectors.core.api.access_token import AccessToken
from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.connector.definition import OAuthConnector
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.refresh_decision import freshness, is_minted_by
from igniter_connectors.core.oauth.retry_on_401 import is_same_account, may_refresh_after_401
from igniter_connectors.core.oauth.tenant_provider import provider_for
from igniter_connectors.core.problem import (
    DecryptFailed,
    NeedsReauth,
    Problem,
    TokenProblem,
)
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.oauth.refresh_lease import refresh
from igniter_connectors.flows.renewals import RenewalTask
from igniter_connectors.flows.sealing import open_tokens
from igniter_connectors.flows.store_errors import or_database_failed

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")


async def access_token(
    engine: Engine,
    connector: OAuthConnector[Conf, Ctx, Any],
    record: ConnectionRecord,
    config: Conf,
) -> AccessToken | TokenProblem:
    """The access token of a connection. An expired token is renewed first.

    A token that is only due for renewal is returned as it is, and one refresh runs beside
    the call. A plain value, not a Result: every action of an OAuth connector pays for this.
    """
    grant = record.grant
    if grant is None or record.status != "ok":
        return NeedsReauth(connector.key, record.status)
    state = freshness(
        now=engine.clock.now(),
        refreshed_at=grant.refreshed_at,
        expires_at=grant.expires_at,
        spread=grant.grant_id,
    )
    if state == "fresh":
        return _usable(engine, record)
    provider = provider_for(connector.provider, config, connector=connector.key)
    if not is_successful(provider) or not is_minted_by(grant, provider.unwrap()):
        return NeedsReauth(connector.key, "config_changed")
    if state == "due" and grant.refreshable and _may_try(engine, record):
        _ = renewal_of(engine, provider.unwrap(), record.key, grant.generation)
    if state == "expired":
        task = renewal_of(engine, provider.unwrap(), record.key, grant.generation)
        renewed = await asyncio.shield(task)
        if isinstance(renewed, Problem):
            return renewed
        record = renewed
    return _usable(engine, record)


@or_database_failed
async def token_after_401(
    engine: Engine,
    connector: OAuthConnector[Conf, Ctx, Any],
    record: ConnectionRecord,
    config: Conf,
    refused: AccessToken,
) -> AccessToken | TokenProblem | None:
    """A newer token, after an API answered 401 to this one.

    If the row holds another token by now, that token is used without a request. Otherwise
    the token is renewed, once for all who wait, unless `may_refresh_after_401` forbids it.

    Args:
        connector: The connector of the connection.
        record: The row as it was when the call began.
        config: The config of that row, opened.
        refused: The token that was sent.

    Returns:
        The newer token; None if the refused token must not be renewed; or `NeedsReauth`
        (`disconnected` if the row is gone or belongs to another account by now),
        `RefreshFailed`, `DecryptFailed`, `DatabaseFailed`.
    """
    current = await engine.store.find(record.key)
    if current is None or current.grant is None or not is_same_account(current, record):
        return NeedsReauth(connector.key, "disconnected")
    if current.status != "ok":
        return NeedsReauth(connector.key, current.status)
    stored = _usable(engine, current)
    if isinstance(stored, Problem) or stored.value != refused.value:
        return stored
    if not may_refresh_after_401(current, now=engine.clock.now()):
        return None
    provider = provider_for(connector.provider, config, connector=connector.key)
    if not is_successful(provider) or not is_minted_by(current.grant, provider.unwrap()):
        return NeedsReauth(connector.key, "config_changed")
    task = renewal_of(engine, provider.unwrap(), record.key, current.grant.generation)
    renewed = await asyncio.shield(task)
    return renewed if isinstance(renewed, Problem) else _usable(engine, renewed)


def renewal_of(
    engine: Engine, provider: OAuthProvider, key: ConnectionKey, seen: int
) -> RenewalTask:
    """The task that renews this connection: the running one, or a new one."""
    return engine.renewals.run(key, lambda: refresh(engine, provider, key, seen))


def _may_try(engine: Engine, record: ConnectionRecord) -> bool:
    at = record.next_attempt_at
    return at is None or at <= engine.clock.now()


def _usable(engine: Engine, record: ConnectionRecord) -> AccessToken | TokenProblem:
    opened = open_tokens(engine, record)
    if not is_successful(opened) or record.grant is None:
        return DecryptFailed(record.key.connector)
    tokens = opened.unwrap()
    return AccessToken(
        tokens.access_token,
        tokens.token_type,
        record.grant.oauth_scopes,
        tokens.expires_at,
        tokens.dpop_key,
    )
