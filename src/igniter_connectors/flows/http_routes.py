"""Our own routes for any framework: OAuth start and callback, and webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from msgspec.structs import replace
from returns.pipeline import is_successful
from returns.result import Failure

from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.connector.definition import OAuthConnector
from igniter_connectors.core.http.messages import HttpRequest, HttpResponse
from igniter_connectors.core.http.problem_details import problem_response
from igniter_connectors.core.http.routes import (
    ApplicationWebhookRoute,
    CallbackRoute,
    StartRoute,
    WebhookRoute,
    parse_route,
)
from igniter_connectors.core.principal import Principal
from igniter_connectors.core.problem import (
    ConnectorNotFound,
    DatabaseFailed,
    OAuthNotConfigured,
    OAuthStateInvalid,
    PrincipalRequired,
    RequestRefused,
    WebhookNotFound,
)
from igniter_connectors.core.webhook.challenge import answers_get
from igniter_connectors.core.webhook.webhook import Webhook
from igniter_connectors.flows.engine import Engine, base_url_of
from igniter_connectors.flows.oauth import callback
from igniter_connectors.flows.oauth import start as authorize
from igniter_connectors.flows.webhooks.receive import receive, receive_for_application
from igniter_connectors.ports import StoreUnavailable

_NOT_FOUND = HttpResponse(404, (("Content-Type", "text/plain"),), b"not found")

TAKEN: Final = HttpResponse(204, (("Cache-Control", "no-store"),))
"""The answer to a delivery taken."""

ONLY_POST: Final = HttpResponse(405, (("Allow", "POST"),))
"""The answer to a webhook's route with another method."""


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
    connector = engine.connectors.get(route.connector)
    if request.method != "GET":
        return HttpResponse(405, (("Allow", "GET"),))
    if connector is None:
        return problem_response(ConnectorNotFound(route.connector))
    if not isinstance(connector, OAuthConnector):
        return problem_response(OAuthNotConfigured(route.connector))
    if principal is None:
        return problem_response(PrincipalRequired())
    try:
        return await _oauth(engine, connector, route, request, parts.query, principal)
    except StoreUnavailable as error:
        engine.logger.error("the database failed: %s", error.reason)
        return problem_response(DatabaseFailed())


async def _oauth(
    engine: Engine,
    connector: OAuthConnector[Any, Any, Any],
    route: StartRoute | CallbackRoute,
    request: HttpRequest,
    query: str,
    principal: Principal,
) -> HttpResponse:
    if isinstance(route, CallbackRoute):
        answer = await callback.finish(
            engine,
            connector,
            query=query,
            cookies=request.header("cookie"),
            subject=principal.subject,
        )
        return answer.unwrap() if is_successful(answer) else problem_response(answer.failure())
    if request.header("sec-fetch-site") == "cross-site":
        return problem_response(RequestRefused("an authorization begins on this site"))
    asked = parse_qs(query)
    if "account" in asked:
        return await _upgrade(engine, connector, request, asked, principal)
    tickets = asked.get("ticket", [])
    if len(tickets) != 1:
        return problem_response(OAuthStateInvalid(connector.key))
    begun = await authorize.start(engine, connector, tickets[0], principal.subject)
    return begun.unwrap() if is_successful(begun) else problem_response(begun.failure())


async def _upgrade(
    engine: Engine,
    connector: OAuthConnector[Any, Any, Any],
    request: HttpRequest,
    asked: Mapping[str, list[str]],
    principal: Principal,
) -> HttpResponse:
    """Begins to authorize the caller's own connection again, for more scopes (`upgrade_url`)."""
    # It has no ticket, so nothing but the browser says that this site asked for it.
    if request.header("sec-fetch-site") not in ("same-origin", "none"):
        return problem_response(RequestRefused("an authorization begins on this site"))
    tenant = principal.tenant
    key = ConnectionKey(tenant.kind, tenant.identity, connector.key, asked["account"][0])
    scopes = tuple(asked.get("oauth_scopes", [""])[0].split())
    options = authorize.AuthorizationOptions(principal.subject, oauth_scopes=scopes)
    begun = await authorize.begin_again(engine, connector, key, options)
    if not is_successful(begun):
        return problem_response(begun.failure())
    return HttpResponse(
        303,
        (
            ("Location", begun.unwrap().url),
            ("Cache-Control", "no-store"),
            ("Referrer-Policy", "no-referrer"),
        ),
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
