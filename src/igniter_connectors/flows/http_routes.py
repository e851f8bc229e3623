"""Answers a request for one of our routes, for any framework: OAuth and webhooks."""

from __future__ import annotations

from collections.abc import AsyncIterable
from typing import Final
from urllib.parse import urlsplit

from msgspec.structs import replace
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from igniter_connectors.core.http.messages import HttpRequest, HttpResponse, cookies_in
from igniter_connectors.core.http.problem_details import problem_response
from igniter_connectors.core.http.routes import (
    ApplicationWebhookRoute,
    CallbackRoute,
    Route,
    StartRoute,
    WebhookRoute,
    parse_route,
)
from igniter_connectors.core.principal import Permit, Principal
from igniter_connectors.core.problem import (
    Problem,
    RequestOverloaded,
    RequestRefused,
    RequestTooSlow,
    WebhookNotFound,
)
from igniter_connectors.flows.body_reader import BodyFault, NextPart, parts_of
from igniter_connectors.flows.check_access import check_access
from igniter_connectors.flows.engine import Engine, base_url_of
from igniter_connectors.flows.oauth import callback, start
from igniter_connectors.flows.report_error import report_route_failure
from igniter_connectors.flows.webhooks.receive import (
    WEBHOOK_METHODS,
    receive,
    receive_for_application,
)

_NOT_FOUND = HttpResponse(404, (("Content-Type", "text/plain"),), b"not found")

ACCEPTED: Final = HttpResponse(204, (("Cache-Control", "no-store"),))
"""The answer to a delivery that was accepted."""

METHOD_REFUSED: Final = HttpResponse(405, (("Allow", "GET, HEAD, OPTIONS, POST"),))
"""The answer to any method at a webhook route that is neither a delivery's nor a probe's."""


async def handle_request(
    engine: Engine,
    request: HttpRequest,
    principal: Principal | None,
    permit: Permit | None,
    body: AsyncIterable[bytes] | None = None,
) -> HttpResponse:
    """Answers a request for one of our routes; 404 for any other. Never raises for a request."""
    parts = urlsplit(request.url)
    route = parse_route(base_url_of(engine), parts.path)
    if route is None:
        return _NOT_FOUND
    try:
        if isinstance(route, WebhookRoute | ApplicationWebhookRoute):
            return await _webhook(engine, route, request, body)
        if request.method != "GET":
            return HttpResponse(405, (("Allow", "GET"),))
        return await _oauth(engine, route, request, principal, permit)
    except Exception as error:
        # The framework's page for an exception may show it, or the request that led to it.
        problem = report_route_failure(
            engine, error, where=f"the {_name_of(route)} route", connector=route.connector
        )
        return problem_response(problem)


async def _oauth(
    engine: Engine,
    route: StartRoute | CallbackRoute,
    request: HttpRequest,
    principal: Principal | None,
    permit: Permit | None,
) -> HttpResponse:
    allowed = await check_access(engine, principal, "authorize", route.connector, permit)
    if not is_successful(allowed):
        return problem_response(allowed.failure())
    answer: Result[HttpResponse, Problem]
    if isinstance(route, CallbackRoute):
        answer = await callback.finish(
            engine,
            route.connector,
            query=urlsplit(request.url).query,
            cookies=cookies_in(request.headers),
            principal=allowed.unwrap(),
        )
    else:
        answer = await start.start(
            engine,
            route.connector,
            query=urlsplit(request.url).query,
            fetch_site=request.header("sec-fetch-site"),
            principal=allowed.unwrap(),
        )
    return answer.unwrap() if is_successful(answer) else problem_response(answer.failure())


def _name_of(route: Route) -> str:
    return str(route.__struct_config__.tag)


async def _webhook(
    engine: Engine,
    route: WebhookRoute | ApplicationWebhookRoute,
    request: HttpRequest,
    body: AsyncIterable[bytes] | None,
) -> HttpResponse:
    connector = engine.connectors.get(route.connector)
    if connector is None or connector.webhook is None:
        return problem_response(WebhookNotFound())
    if request.method not in WEBHOOK_METHODS:
        return METHOD_REFUSED
    # The host in a framework's URL comes from the request: build the URL from the base instead.
    base, parts = base_url_of(engine), urlsplit(request.url)
    query = f"?{parts.query}" if parts.query else ""
    public = replace(request, url=f"{base.scheme}://{base.authority}{parts.path}{query}")
    next_part = None if body is None else parts_of(body)
    if isinstance(route, WebhookRoute):
        received = await receive(engine, route, public, next_part)
    else:
        received = await receive_for_application(engine, route, public, next_part)
    if type(received) is Failure:
        return problem_response(received.failure())
    return received.unwrap() or ACCEPTED


async def read_body(
    engine: Engine, next_part: NextPart, *, limit_bytes: int
) -> Result[bytes, RequestRefused | RequestTooSlow | RequestOverloaded]:
    """The body of a request of a user, or why it was not read to its end."""
    limits = engine.deliveries.limits
    match await engine.bodies.read(next_part, limit_bytes=limit_bytes, limits=limits):
        case BodyFault.TOO_LARGE:
            return Failure(RequestRefused(f"the body is over {limit_bytes} bytes"))
        case BodyFault.TOO_MANY:
            return Failure(RequestOverloaded(retry_after_seconds=1))
        case BodyFault.TOO_SLOW | BodyFault.GONE:
            return Failure(RequestTooSlow())
        case body:
            return Success(body)
