"""Webhook routing: which connections get an event that arrived for the whole application."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from typing_extensions import TypeVar

from igniter_connectors.core.connection.record import ConnectionRecord
from igniter_connectors.core.storable_text import is_storable
from igniter_connectors.core.webhook.webhook import Webhook
from igniter_connectors.flows.engine import Engine

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")


async def find_routed(
    engine: Engine, webhook: Webhook[Any, Any, Any], connector: str, accounts: Sequence[str]
) -> Sequence[ConnectionRecord]:
    """The connections of the given upstream accounts, without duplicates."""
    routing = engine.store.routing
    find = routing.find_by_subject if webhook.account_of is None else routing.find_by_account
    found: dict[str, ConnectionRecord] = {}
    for account in dict.fromkeys(accounts):
        if account and is_storable(account):  # the provider chose it
            found.update({one.id: one for one in await find(connector, account)})
    return tuple(found.values())
