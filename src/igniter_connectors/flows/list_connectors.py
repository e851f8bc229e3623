"""The registered connectors, as a catalogue shows them."""

from __future__ import annotations

from typing import Never

import msgspec
from returns.result import Failure, Result, Success

from igniter_connectors.core.connector.definition import OAuthConnector
from igniter_connectors.core.connector.form_fields import FormField
from igniter_connectors.core.pagination import Page, page_size
from igniter_connectors.core.problem import ConnectorNotFound
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.store_errors import returns_database_failed


class ConnectorEntry(msgspec.Struct, frozen=True):
    """A connector in a catalogue.

    Attributes:
        metadata: None if the connector was built without metadata.
        fields: The fields of its config, for a form.
        actions: The keys of its actions.
        connections: How many connections there are, over all tenants.
    """

    key: str
    metadata: msgspec.Struct | None
    fields: tuple[FormField, ...]
    actions: tuple[str, ...]
    has_oauth: bool
    has_webhook: bool
    connections: int


@returns_database_failed
async def list_connectors(
    engine: Engine, *, limit: int, after: str | None
) -> Result[Page[ConnectorEntry], Never]:
    """A page of the registered connectors, ordered by key."""
    counts = await engine.store.count_by_connector()
    keys = sorted(key for key in engine.connectors if key > (after or ""))
    size = page_size(limit)
    entries = tuple(_entry(engine, key, counts.get(key, 0)) for key in keys[:size])
    return Success(Page(entries, keys[size - 1] if len(keys) > size else None))


@returns_database_failed
async def get_connector(engine: Engine, key: str) -> Result[ConnectorEntry, ConnectorNotFound]:
    """One registered connector."""
    if key not in engine.connectors:
        return Failure(ConnectorNotFound(key))
    counts = await engine.store.count_by_connector()
    return Success(_entry(engine, key, counts.get(key, 0)))


def _entry(engine: Engine, key: str, connections: int) -> ConnectorEntry:
    connector = engine.connectors[key]
    return ConnectorEntry(
        key,
        connector.metadata,
        connector.schema.fields,
        tuple(connector.actions),
        isinstance(connector, OAuthConnector),
        connector.webhook is not None,
        connections,
    )
