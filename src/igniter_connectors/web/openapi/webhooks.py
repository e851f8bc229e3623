"""What the application's OpenAPI document says of `/webhooks`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from litestar.openapi.spec import (
    OpenAPIMediaType,
    OpenAPIResponse,
    Operation,
    Parameter,
    PathItem,
    Reference,
    RequestBody,
)

from igniter_connectors.core.problem import WebhookProblem
from igniter_connectors.core.webhook.challenge import answers_get
from igniter_connectors.core.webhook.webhook import Webhook
from igniter_connectors.web.openapi.operations import in_path
from igniter_connectors.web.openapi.problems import refusals
from igniter_connectors.web.openapi.schemas import Schemas

AnyWebhook = Webhook[Any, Any, Any]
_TEXT: Final = "text/plain"
_ONLY_POST: Final = "Another method than POST, or than GET where the provider asks with one"


def webhook_paths(schemas: Schemas, webhooks: Mapping[str, AnyWebhook]) -> dict[str, PathItem]:
    """The operations that the connectors have, by the path below the plugin's own."""
    paths: dict[str, PathItem] = {}
    takes_get = any(answers_get(one.verification) for one in webhooks.values())
    if webhooks:
        token = in_path("token", "Which endpoint; no one else knows it than the provider")
        parameters = [in_path("connector", "The connector's key", webhooks), token]
        paths["/webhooks/{connector}/{token}"] = _item(schemas, "", parameters, takes_get=takes_get)
    routed = [key for key, one in webhooks.items() if one.route is not None]
    if routed:
        paths["/webhooks/{connector}"] = _item(
            schemas,
            "Application",
            [in_path("connector", "The connector's key", routed)],
            takes_get=any(answers_get(webhooks[key].verification) for key in routed),
        )
    return paths


def _item(schemas: Schemas, kind: str, parameters: list[Parameter], *, takes_get: bool) -> PathItem:
    of = "the whole application" if kind else "one connection"
    return PathItem(
        parameters=[*parameters],
        post=Operation(
            tags=["webhooks"],
            summary=f"Take a provider's delivery for {of}",
            description="To come again after a 5xx, and after Retry-After where there is one.",
            operation_id=f"Receive{kind}Webhook",
            request_body=RequestBody(
                {"*/*": OpenAPIMediaType()}, "What the provider signed, byte for byte"
            ),
            responses=_responses(schemas),
        ),
        get=Operation(
            tags=["webhooks"],
            summary=f"Answer a provider that asks whether the endpoint of {of} is there",
            operation_id=f"Answer{kind}Challenge",
            responses=_responses(schemas),
        )
        if takes_get
        else None,
    )


def _responses(schemas: Schemas) -> dict[str, OpenAPIResponse | Reference]:
    return {
        "200": OpenAPIResponse(
            "The answer to a provider's question",
            content={_TEXT: OpenAPIMediaType(), "application/json": OpenAPIMediaType()},
        ),
        "204": OpenAPIResponse("Recorded, or recorded before"),
        "400": OpenAPIResponse(
            "The provider's question cannot be read", content={_TEXT: OpenAPIMediaType()}
        ),
        "403": OpenAPIResponse(
            "The provider's question is not accepted", content={_TEXT: OpenAPIMediaType()}
        ),
        "405": OpenAPIResponse(_ONLY_POST),
        **refusals(schemas, WebhookProblem),
    }
