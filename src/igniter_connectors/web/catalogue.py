"""`/connectors`: what can be connected, and OAuth's two stations."""

from __future__ import annotations

from typing import Any, Never

import msgspec
from litestar import Controller, get
from litestar.params import FromPath
from returns.pipeline import is_successful

from igniter_connectors.core.connector.form_fields import FormField
from igniter_connectors.core.pagination import LARGEST_PAGE
from igniter_connectors.manager.connectors import ConnectorEntry, Connectors
from igniter_connectors.manager.scoped import Scoped
from igniter_connectors.web.permissions import Callers
from igniter_connectors.web.responses import (
    WebRequest,
    WebResponse,
    as_litestar,
    as_request,
    json,
    problem,
)


class CatalogueEntry(msgspec.Struct, frozen=True):
    """A connector for this tenant: its form, and the accounts that are connected."""

    key: str
    metadata: msgspec.Struct | None
    fields: tuple[FormField, ...]
    has_oauth: bool
    has_webhook: bool
    connected_accounts: tuple[str, ...]


def catalogue(connectors: Connectors[Any, Any], callers: Callers) -> type[Controller]:
    """The controller, bound to what it serves."""

    class Catalogue(Controller):
        path = "/connectors"

        @get("/")
        async def list_connectors(self, request: WebRequest) -> WebResponse:
            caller = await callers.tenant(request, "read", "")
            if not is_successful(caller):
                return problem(caller.failure())
            page = await connectors.list(limit=LARGEST_PAGE)
            accounts = await _accounts(caller.unwrap()[0])
            if not is_successful(page):
                return problem(page.failure())
            return json([_entry(one, accounts) for one in page.unwrap().items])

        @get("/{key:str}")
        async def get_connector(self, request: WebRequest, key: FromPath[str]) -> WebResponse:
            caller = await callers.tenant(request, "read", key)
            if not is_successful(caller):
                return problem(caller.failure())
            found = await connectors.get(key)
            if not is_successful(found):
                return problem(found.failure())
            return json(_entry(found.unwrap(), await _accounts(caller.unwrap()[0])))

        @get("/{key:str}/oauth/start")
        async def start(self, request: WebRequest, key: FromPath[str]) -> WebResponse:
            return await _handle(request, key, "oauth/start")

        @get("/{key:str}/oauth/callback")
        async def callback(self, request: WebRequest, key: FromPath[str]) -> WebResponse:
            return await _handle(request, key, "oauth/callback")

    async def _handle(request: WebRequest, key: str, station: str) -> WebResponse:
        found = connectors.find(key)
        if not is_successful(found):  # what is no key at all would be no route there
            return problem(found.failure())
        query = request.scope["query_string"].decode("latin-1")
        url = f"{connectors.base()}/connectors/{key}/{station}?{query}"
        principal = await callers.principal(request)
        return as_litestar(await connectors.handle(as_request(request, url), principal=principal))

    return Catalogue


async def _accounts(tenant: Scoped[Never]) -> dict[str, tuple[str, ...]]:
    page = await tenant.list(limit=LARGEST_PAGE)
    accounts: dict[str, tuple[str, ...]] = {}
    if is_successful(page):
        for one in page.unwrap().items:
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
