"""Reading connections: one, or pages of a tenant's; and explaining the state of one."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Never

import msgspec
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from typing_extensions import TypeVar

from igniter_connectors.core.connection.explanation import Explanation, explain
from igniter_connectors.core.connection.health import Health, health_of
from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.connection.view import (
    Authorization,
    Connection,
    ConnectionSummary,
    UpstreamAccount,
)
from igniter_connectors.core.connector.definition import Definition
from igniter_connectors.core.connector.masking import mask
from igniter_connectors.core.json_value import JsonValue
from igniter_connectors.core.pagination import Page, make_cursor, page_size, read_cursor
from igniter_connectors.core.problem import ConfigInvalid, DecryptFailed, NotConnected
from igniter_connectors.core.scope import Scope
from igniter_connectors.core.webhook.inbox import webhook_event
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.sealing import NotOpened, open_config
from igniter_connectors.flows.store_errors import returns_database_failed

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")


@returns_database_failed
async def get_connection(
    engine: Engine, connector: Definition[Conf, Ctx, Any], key: ConnectionKey
) -> Result[Connection[Conf], NotConnected | ConfigInvalid | DecryptFailed]:
    """A connection, opened."""
    record = await engine.store.find(key)
    if record is None:
        return Failure(NotConnected(connector.key, key.account))
    return open_connection(engine, connector, record)


def open_connection(
    engine: Engine, connector: Definition[Conf, Ctx, Any], record: ConnectionRecord
) -> Result[Connection[Conf], ConfigInvalid | DecryptFailed]:
    """A row as the application sees it."""
    try:
        config = open_config(engine, connector, record)
    except NotOpened as error:
        return Failure(error.problem)
    opened = Connection(
        connector.key,
        record.key.account,
        record.id,
        config,
        record.enabled,
        health_of(record),
        record.version,
        record.created_at,
        record.updated_at,
        _authorization(record),
    )
    return Success(opened)


@returns_database_failed
async def list_connections(
    engine: Engine, tenant: Scope, *, limit: int, after: str | None
) -> Result[Page[ConnectionSummary], Never]:
    """A page of one tenant's connections, ordered by connector and account.

    A row that cannot be opened, or whose connector is not registered any more, is listed as
    `broken`; the other rows are not affected. An invalid cursor begins at the beginning.
    """
    size = page_size(limit)
    start = read_cursor(after) if after else None
    rows = await engine.store.list(tenant.kind, tenant.identity, after=start, limit=size + 1)
    summaries = tuple(
        _summary(engine, engine.connectors.get(row.key.connector), row) for row in rows[:size]
    )
    last = rows[size - 1].key if len(rows) > size else None
    cursor = None if last is None else make_cursor(last.connector, last.account)
    return Success(Page(summaries, cursor))


@returns_database_failed
async def count_connections(engine: Engine, tenant: Scope) -> Result[int, Never]:
    """How many connections a tenant has."""
    return Success(await engine.store.count(tenant.kind, tenant.identity))


@returns_database_failed
async def explain_connection(
    engine: Engine, connector: Definition[Any, Any, Any], key: ConnectionKey
) -> Result[Explanation, Never]:
    """The state of a connection, the reason and the remedy. Changes nothing, and sends no
    request."""
    record = await engine.store.find(key)
    opens = record is not None and is_successful(open_connection(engine, connector, record))
    explanation = explain(record, opens=opens, now=engine.clock.now())
    if connector.webhook is None:
        return Success(explanation)
    events = await engine.store.inbox.list(key, state=None, before=None, limit=1)
    last = webhook_event(events[0]) if events else None
    return Success(msgspec.structs.replace(explanation, last_webhook=last))


def _summary(
    engine: Engine,
    connector: Definition[Any, Any, Any] | None,
    record: ConnectionRecord,
) -> ConnectionSummary:
    masked: dict[str, JsonValue] = {}
    health: Health = "broken"
    if connector is not None:
        with suppress(NotOpened):
            masked = mask(open_config(engine, connector, record))
            health = health_of(record)
    return ConnectionSummary(
        record.key.connector,
        record.key.account,
        record.id,
        masked,
        record.enabled,
        health,
        record.version,
        record.created_at,
        record.updated_at,
        _authorization(record),
    )


def _authorization(record: ConnectionRecord) -> Authorization | None:
    grant = record.grant
    if grant is None:
        return None
    try:
        account = msgspec.json.decode(grant.profile, type=UpstreamAccount | None)
    except msgspec.DecodeError:
        account = None
    return Authorization(
        grant.oauth_scopes,
        grant.expires_at,
        grant.refreshed_at,
        grant.generation,
        account,
    )
