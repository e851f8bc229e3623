"""Our own routes for any framework: OAuth start and callback, and webhooks."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import msgspec
from msgspec.structs import replace
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.connector.definition import OAuthConnector
from igniter_connectors.core.http.messages import HttpRequest, HttpResponse
from igniter_connectors.core.http.problem_details import problem_response
from igniter_connectors.core.http.routes import (
    ApplicationWebhookRoute,
    CallbackRoute,
    WebhookRoute,
    parse_route,
)
from igniter_connectors.core.principal import Principal
from igniter_connectors.core.problem import (
    CallbackRouteProblem,
    ConnectorNotFound,
    OAuthNotConfigured,
    OAuthStateInvalid,
    PrincipalRequired,
    ReauthorizeProblem,
    RequestRefused,
    StartRouteProblem,
    WebhookNotFound,
)
from igniter_connectors.core.webhook.challenge import answers_get
from igniter_connectors.core.webhook.webhook import Webhook
from igniter_connectors.flows.engine import Engine, base_url_of
from igniter_connectors.flows.oauth import callback
from igniter_connectors.flows.oauth import start as authorize
from igniter_connectors.flows.store_errors import database_failed
from igniter_connectors.flows.webhooks.receive import receive, receive_for_application
from igniter_connectors.ports import StoreUnavailable

_NOT_FOUND = HttpResponse(404, (("Content-Type", "text/plain"),), b"not found")

TAKEN: Final = HttpResponse(204, (("Cache-Control", "no-store"),))
"""The answer to a delivery taken."""

ONLY_POST: Final = HttpResponse(405, (("Allow", "POST"),))
"""The answer to a webhook's route with another method."""


class StartQuery(msgspec.Struct, frozen=True):
    """What a browser brings to the start route: a ticket, or an account that needs more scopes.

    `fetch_site` is the header `Sec-Fetch-Site`; None if the browser sends none.
    """

    ticket: str | None = None
    account: str | None = None
    oauth_scopes: tuple[str, ...] = ()
    fetch_site: str | None = None


async def serve(
    engine: Engine,
    request: HttpRequest,
    principal: Principal | None,
) -> HttpResponse:
    """Answers a request for one of our routes; 404 for any other."""
    parts = urlsplit(request.url)
    route = parse_route(base_url_of(engine), parts.path)
    if route is None:
        return _NOT_FOUND
    if isinstance(route, WebhookRoute | ApplicationWebhookRoute):
        return await _webhook(engine, route, request)
    if request.method != "GET":
        return HttpResponse(405, (("Allow", "GET"),))
    answer: Result[HttpResponse, StartRouteProblem]
    if isinstance(route, CallbackRoute):
        answer = await finish_authorization(
            engine,
            route.connector,
            query=parts.query,
            cookies=request.header("cookie"),
            principal=principal,
        )
    else:
        query = _start_query(parts.query, request.header("sec-fetch-site"))
        answer = await start_authorization(engine, route.connector, query, principal)
    return answer.unwrap() if is_successful(answer) else problem_response(answer.failure())


async def start_authorization(
    engine: Engine, key: str, query: StartQuery, principal: Principal | None
) -> Result[HttpResponse, StartRouteProblem]:
    """The start route: redirects the browser to the provider.

    With an account, it begins to authorize the caller's own connection again, for more scopes
    (`upgrade_url`).
    """
    found = _oauth_connector(engine, key)
    if not is_successful(found):
        return Failure(found.failure())
    if principal is None:
        return Failure(PrincipalRequired())
    # An upgrade has no ticket, so only the browser can tell that this site asked for it.
    is_upgrade = query.account is not None
    if query.fetch_site == "cross-site" or (
        is_upgrade and query.fetch_site not in ("same-origin", "none")
    ):
        return Failure(RequestRefused("an authorization begins on this site"))
    try:
        if is_upgrade:
            return await _upgrade(engine, found.unwrap(), query, principal)
        if query.ticket is None:
            return Failure(OAuthStateInvalid(key))
        return await authorize.start(engine, found.unwrap(), query.ticket, principal.subject)
    except StoreUnavailable as error:
        return Failure(database_failed(engine, error))


async def finish_authorization(
    engine: Engine, key: str, *, query: str, cookies: str | None, principal: Principal | None
) -> Result[HttpResponse, CallbackRouteProblem]:
    """The callback route: connects, and redirects the browser to where it began."""
    found = _oauth_connector(engine, key)
    if not is_successful(found):
        return Failure(found.failure())
    if principal is None:
        return Failure(PrincipalRequired())
    try:
        return await callback.finish(
            engine, found.unwrap(), query=query, cookies=cookies, subject=principal.subject
        )
    except StoreUnavailable as error:
        return Failure(database_failed(engine, error))


def _oauth_connector(
    engine: Engine, key: str
) -> Result[OAuthConnector[Any, Any, Any], ConnectorNotFound | OAuthNotConfigured]:
    connector = engine.connectors.get(key)
    if connector is None:
        return Failure(ConnectorNotFound(key))
    if not isinstance(connector, OAuthConnector):
        return Failure(OAuthNotConfigured(key))
    return Success(connector)


def _start_query(query: str, fetch_site: str | None) -> StartQuery:
    given = parse_qs(query)
    tickets, accounts = given.get("ticket", []), given.get("account", [None])
    return StartQuery(
        ticket=tickets[0] if len(tickets) == 1 else None,
        account=accounts[0],
        oauth_scopes=tuple(given.get("oauth_scopes", [""])[0].split()),
        fetch_site=fetch_site,
    )


async def _upgrade(
    engine: Engine,
    connector: OAuthConnector[Any, Any, Any],
    query: StartQuery,
    principal: Principal,
) -> Result[HttpResponse, ReauthorizeProblem]:
    tenant, account = principal.tenant, query.account or ""
    key = ConnectionKey(tenant.kind, tenant.identity, connector.key, account)
    options = authorize.AuthorizationOptions(principal.subject, oauth_scopes=query.oauth_scopes)
    begun = await authorize.begin_again(engine, connector, key, options)
    if not is_successful(begun):
        return Failure(begun.failure())
    return Success(
        HttpResponse(
            303,
            (
                ("Location", begun.unwrap().url),
                ("Cache-Control", "no-store"),
                ("Referrer-Policy", "no-referrer"),
            ),
        )
    )


async def _webhook(
    engine: Engine,
    route: WebhookRoute | ApplicationWebhookRoute,
    request: HttpRequest,
) -> HttpResponse:
    connector = engine.connectors.get(route.connector)
    if connector is None or connector.webhook is None:
        return problem_response(WebhookNotFound())
    if not takes_method(connector.webhook, request.method):
        return ONLY_POST
    # A framework's URL may name a host that anybody wrote: the base says which is ours.
    base, parts = base_url_of(engine), urlsplit(request.url)
    query = f"?{parts.query}" if parts.query else ""
    public = replace(request, url=f"{base.scheme}://{base.authority}{parts.path}{query}")
    if isinstance(route, WebhookRoute):
        taken = await receive(engine, route, public)
    else:
        taken = await receive_for_application(engine, route, public)
    return problem_response(taken.failure()) if type(taken) is Failure else taken.unwrap() or TAKEN


def takes_method(webhook: Webhook[Any, Any, Any], method: str) -> bool:
    """POST, and GET where the provider asks that way whether the address is ours."""
    return method == "POST" or (method == "GET" and answers_get(webhook.verification))
