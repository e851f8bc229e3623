"""Showing connections: one opened, or a tenant's in pages."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec
from returns.result import Failure, Result, Success
from typing_extensions import TypeVar

from igniter_connectors.core.connection.health import Health, health_of
from igniter_connectors.core.connection.record import ConnectionRecord
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
from igniter_connectors.core.problem import ConfigInvalid, DecryptFailed
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.sealing import NotOpened, open_config

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")


def open_connection(
    engine: Engine, connector: Definition[Conf, Ctx, Any], record: ConnectionRecord
) -> Result[Connection[Conf], ConfigInvalid | DecryptFailed]:
    """A row as its tenant's code sees it."""
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


async def list_connections(
    engine: Engine,
    scope: str,
    identity: str,
    *,
    limit: int,
    after: str | None,
) -> Page[ConnectionSummary]:
    """A page of one tenant's connections, by connector and account.

    A row that does not open, or whose connector is not registered any more, is listed as
    `broken`, and the others are whole. A cursor that is none begins at the beginning.
    """
    size = page_size(limit)
    rows = await engine.store.list(
        scope, identity, after=read_cursor(after) if after else None, limit=size + 1
    )
    shown = tuple(
        _summary(engine, engine.connectors.get(row.key.connector), row) for row in rows[:size]
    )
    last = rows[size - 1].key if len(rows) > size else None
    return Page(shown, None if last is None else make_cursor(last.connector, last.account))


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
