"""The operations of `/webhooks`, for the OpenAPI document.

Webhooks are a mounted ASGI application, and Litestar does not document a mount. It also refuses
routes with parameters below one. So the handlers here are documented and never called.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from litestar import Router, get, post
from litestar.routes import HTTPRoute

from igniter_connectors.core.problem import WebhookProblem
from igniter_connectors.core.webhook.challenge import answers_get
from igniter_connectors.core.webhook.webhook import Webhook
from igniter_connectors.web.openapi.operations import DeliveryOperation, WebhookOperation
from igniter_connectors.web.openapi.problems import refusals
from igniter_connectors.web.parameters import RoutedWebhookKey, WebhookKey, WebhookToken

AnyWebhook = Webhook[Any, Any, Any]

_RETRY = "The provider sends it again after a 5xx, and after `Retry-After` if there is one."


@post(
    "/webhooks/{connector:str}/{token:str}",
    status_code=204,
    operation_id="ReceiveWebhook",
    operation_class=DeliveryOperation,
    summary="Receive a webhook for one connection",
    description=_RETRY,
    response_description="Stored, now or by an earlier delivery",
    responses=refusals(WebhookProblem),
)
async def receive_webhook(connector: WebhookKey, token: WebhookToken) -> None: ...


@get(
    "/webhooks/{connector:str}/{token:str}",
    status_code=204,
    operation_id="AnswerChallenge",
    operation_class=WebhookOperation,
    summary="Answer the provider that asks whether a connection's endpoint exists",
    response_description="Stored, now or by an earlier delivery",
    responses=refusals(WebhookProblem),
)
async def answer_challenge(connector: WebhookKey, token: WebhookToken) -> None: ...


@post(
    "/webhooks/{connector:str}",
    status_code=204,
    operation_id="ReceiveApplicationWebhook",
    operation_class=DeliveryOperation,
    summary="Receive a webhook for the whole application",
    description=_RETRY,
    response_description="Stored, now or by an earlier delivery",
    responses=refusals(WebhookProblem),
)
async def receive_application_webhook(connector: RoutedWebhookKey) -> None: ...


@get(
    "/webhooks/{connector:str}",
    status_code=204,
    operation_id="AnswerApplicationChallenge",
    operation_class=WebhookOperation,
    summary="Answer the provider that asks whether the application's endpoint exists",
    response_description="Stored, now or by an earlier delivery",
    responses=refusals(WebhookProblem),
)
async def answer_application_challenge(connector: RoutedWebhookKey) -> None: ...


def documented_routes(path: str, webhooks: Mapping[str, AnyWebhook]) -> list[HTTPRoute]:
    """The routes to document: a GET only if a provider asks its question with GET.

    Args:
        path: Where the plugin's routes are in the application.
        webhooks: The webhooks of the registered connectors.
    """
    routed = [one for one in webhooks.values() if one.route is not None]
    handlers = [
        *([receive_webhook] if webhooks else []),
        *([answer_challenge] if _any_get(webhooks.values()) else []),
        *([receive_application_webhook] if routed else []),
        *([answer_application_challenge] if _any_get(routed) else []),
    ]
    router = Router(path, route_handlers=handlers, include_in_schema=True, dto=None)
    routes = [one for one in router.routes if isinstance(one, HTTPRoute)]
    for route in routes:
        route.create_handler_map()
    return routes


def _any_get(webhooks: Iterable[AnyWebhook]) -> bool:
    return any(answers_get(one.verification) for one in webhooks)
