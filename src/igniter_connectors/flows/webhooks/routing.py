"""Webhook routing: which connections get an event that arrived for the whole application."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any, Final

import msgspec
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from typing_extensions import TypeVar

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.connector.definition import Definition
from igniter_connectors.core.problem import ConfigInvalid, DatabaseFailed
from igniter_connectors.core.redaction import secrets_in
from igniter_connectors.core.storable_text import is_storable
from igniter_connectors.core.webhook.endpoint import WrongRoute
from igniter_connectors.core.webhook.webhook import Webhook
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.report_error import report
from igniter_connectors.flows.sealing import NotOpened, open_config
from igniter_connectors.flows.store_errors import returns_database_failed

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")

_PAGE_SIZE: Final = 500


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


def upstream_account(
    engine: Engine, connector: Definition[Conf, Ctx, Any], key: ConnectionKey, config: Conf
) -> Result[str | None, ConfigInvalid]:
    """The account at the provider that a config names. It is stored in the row of the config.

    Returns:
        Its name; None if the connector does not ask for one, or the config names none; or
        `ConfigInvalid` if the connector's hook raised or returned a name that cannot be stored:
        a connection without its route would lose its events.
    """
    webhook = connector.webhook
    if webhook is None or webhook.account_of is None:
        return Success(None)
    try:
        account = webhook.account_of(config)
    except Exception as error:
        where = f"{connector.key}: account_of"
        secrets = secrets_in(config)
        report(engine, error, where=where, connector=connector.key, key=key, secrets=secrets)
        return Failure(ConfigInvalid(connector.key, "$", "the account that it names is not known"))
    if account and not is_storable(account):
        return Failure(
            ConfigInvalid(connector.key, "$", "the account that it names cannot be stored")
        )
    return Success(account or None)


@returns_database_failed
async def check_routes(engine: Engine) -> Result[tuple[WrongRoute, ...], DatabaseFailed]:
    """The connections of all tenants whose stored account is not the one that the config names."""
    return Success(tuple([wrong async for _, wrong in _wrong_routes(engine)]))


@returns_database_failed
async def repair_routes(engine: Engine) -> Result[tuple[WrongRoute, ...], DatabaseFailed]:
    """As `check_routes`, and stores the account that the config names.

    A connection that is updated meanwhile gets its account from that update.
    """
    repaired: list[WrongRoute] = []
    async for record, wrong in _wrong_routes(engine):
        if await engine.store.routing.correct_account(
            record.key, row=record.id, version=record.version, account=wrong.named
        ):
            repaired.append(wrong)
    return Success(tuple(repaired))


async def _wrong_routes(engine: Engine) -> AsyncGenerator[tuple[ConnectionRecord, WrongRoute]]:
    """A row that cannot be opened is skipped: nobody knows which account it names."""
    for connector in engine.connectors.values():
        if connector.webhook is None or connector.webhook.account_of is None:
            continue
        after: ConnectionKey | None = None
        while page := await engine.store.routing.list_of_connector(
            connector.key, after=after, limit=_PAGE_SIZE
        ):
            after = page[-1].key
            for record in page:
                wrong = _wrong_route(engine, connector, record)
                if wrong is not None:
                    yield record, wrong


def _wrong_route(
    engine: Engine, connector: Definition[Any, Any, Any], record: ConnectionRecord
) -> WrongRoute | None:
    try:
        config = open_config(engine, connector, record)
    except NotOpened:
        return None
    named = upstream_account(engine, connector, record.key, config)
    if not is_successful(named) or named.unwrap() == record.upstream:
        return None
    key = record.key
    return WrongRoute(
        key.scope, key.identity, key.connector, key.account, record.upstream, named.unwrap()
    )
