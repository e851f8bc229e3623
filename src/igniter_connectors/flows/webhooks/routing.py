"""Webhook routing: which connections get an event that arrived for the whole application."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from typing_extensions import TypeVar

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.connector.definition import Definition
from igniter_connectors.core.redaction import secrets_in
from igniter_connectors.core.scope import is_storable
from igniter_connectors.core.webhook.webhook import Webhook
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.report_error import report

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")


def upstream_account(
    engine: Engine, connector: Definition[Conf, Ctx, Any], key: ConnectionKey, config: Conf
) -> str | None:
    """The upstream account that a config names.

    None if the connector has no `account_of`, it raises, or its value cannot be stored.
    """
    webhook = connector.webhook
    if webhook is None or webhook.account_of is None:
        return None
    try:
        account = webhook.account_of(config)
    except Exception as error:
        where = f"{connector.key}: account_of"
        secrets = secrets_in(config)
        report(engine, error, where=where, connector=connector.key, key=key, secrets=secrets)
        return None
    return account if account and is_storable(account) else None


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
