"""`/connectors`: the connectors that a tenant can connect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Never

import msgspec
from litestar import Controller, get

from igniter_connectors.core.connector.form_fields import FormField
from igniter_connectors.core.pagination import MAX_PAGE_SIZE
from igniter_connectors.core.problem import ConnectorNotFound, DatabaseFailed, ParameterInvalid
from igniter_connectors.flows.list_connectors import ConnectorEntry
from igniter_connectors.manager.scoped import Scoped
from igniter_connectors.web.openapi.problems import refusals
from igniter_connectors.web.parameters import ConnectorKey
from igniter_connectors.web.permissions import (
    CallerDependency,
    CallerProblem,
    ConnectorsDependency,
    requires,
)
from igniter_connectors.web.responses import value_of


class CatalogueEntry(msgspec.Struct, frozen=True):
    """A connector as this tenant sees it: its form, and the accounts that are connected."""

    key: str
    metadata: msgspec.Struct | None
    fields: tuple[FormField, ...]
    has_oauth: bool
    has_webhook: bool
    connected_accounts: tuple[str, ...]


class Catalogue(Controller):
    """Lists the registered connectors."""

    path = "/connectors"
    tags: Sequence[str] | None = ("connectors",)

    @get(
        "/",
        opt=requires("read"),
        operation_id="ListConnectors",
        summary="List the connectors",
        response_description="Every registered connector, by key",
        responses=refusals(CallerProblem | DatabaseFailed),
    )
    async def list_connectors(
        self, caller: CallerDependency, connectors: ConnectorsDependency
    ) -> list[CatalogueEntry]:
        page = value_of(await connectors.list(limit=MAX_PAGE_SIZE))
        accounts = await _accounts(caller.tenant)
        return [_entry(one, accounts) for one in page.items]

    @get(
        "/{key:str}",
        opt=requires("read"),
        operation_id="GetConnector",
        summary="Show a connector",
        response_description="The connector",
        responses=refusals(CallerProblem | ConnectorNotFound | ParameterInvalid | DatabaseFailed),
    )
    async def get_connector(
        self,
        caller: CallerDependency,
        connectors: ConnectorsDependency,
        key: ConnectorKey,
    ) -> CatalogueEntry:
        found = value_of(await connectors.get(key))
        return _entry(found, await _accounts(caller.tenant))


async def _accounts(tenant: Scoped[Never]) -> dict[str, tuple[str, ...]]:
    page = await tenant.list(limit=MAX_PAGE_SIZE)
    accounts: dict[str, tuple[str, ...]] = {}
    for one in page.map(lambda found: found.items).value_or(()):
        accounts[one.connector] = (*accounts.get(one.connector, ()), one.account)
    return accounts


def _entry(entry: ConnectorEntry, accounts: dict[str, tuple[str, ...]]) -> CatalogueEntry:
    return CatalogueEntry(
        entry.key,
        entry.metadata,
        entry.fields,
        entry.has_oauth,
        entry.has_webhook,
        accounts.get(entry.key, ()),
    )
