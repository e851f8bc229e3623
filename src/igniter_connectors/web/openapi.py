"""What the application's OpenAPI document says of `/webhooks`, which Litestar cannot see: a mount
has no operations of its own."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from litestar.openapi.spec import (
    OpenAPI,
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Operation,
    Parameter,
    PathItem,
    RequestBody,
    Schema,
)

from igniter_connectors.core.webhook.challenge import answers_get
from igniter_connectors.core.webhook.webhook import Webhook

_PROBLEM: Final = {
    "application/problem+json": OpenAPIMediaType(schema=Schema(type=OpenAPIType.OBJECT))
}
_REFUSALS: Final = {
    "400": "The payload is not of the connector's type",
    "401": "The signature does not match, or its time is too far away",
    "403": "The provider's question is not accepted",
    "404": "There is no such endpoint",
    "405": "Another method than POST, or than GET where the provider asks with one",
    "413": "The body is longer than the connector takes",
    "503": "Not recorded: deliver it again, after Retry-After where there is one",
}


def describe_webhooks(
    document: OpenAPI, webhooks: Collection[Webhook[Any, Any, Any]], path: str
) -> None:
    """Adds the operations to the document, those that the connectors have.

    Args:
        document: The application's, as Litestar made it.
        webhooks: Of the registered connectors.
        path: Where the plugin's routes lie.
    """
    if not webhooks:
        return
    root = f"{path.rstrip('/')}/webhooks"
    takes_get = any(answers_get(one.verification) for one in webhooks)
    paths = {} if document.paths is None else document.paths
    paths[f"{root}/{{connector}}/{{token}}"] = _item(
        "", ("connector", "token"), takes_get=takes_get
    )
    if any(one.route is not None for one in webhooks):
        paths[f"{root}/{{connector}}"] = _item("Application", ("connector",), takes_get=takes_get)
    document.paths = paths


def _item(kind: str, parameters: tuple[str, ...], *, takes_get: bool) -> PathItem:
    of = "the whole application" if kind else "one connection"
    return PathItem(
        parameters=[
            Parameter(name, "path", schema=Schema(type=OpenAPIType.STRING), required=True)
            for name in parameters
        ],
        post=Operation(
            tags=["webhooks"],
            summary=f"Take a provider's delivery for {of}",
            operation_id=f"Receive{kind}Webhook",
            request_body=RequestBody(
                {"*/*": OpenAPIMediaType()}, "What the provider signed, byte for byte"
            ),
            responses=_responses(),
        ),
        get=Operation(
            tags=["webhooks"],
            summary=f"Answer a provider that asks whether the endpoint of {of} is there",
            operation_id=f"Answer{kind}Challenge",
            responses=_responses(),
        )
        if takes_get
        else None,
    )


def _responses() -> dict[str, Any]:  # Litestar's own type allows references too
    return {
        "200": OpenAPIResponse("The answer to a provider's question"),
        "204": OpenAPIResponse("Recorded, or recorded before"),
        **{status: OpenAPIResponse(why, content=_PROBLEM) for status, why in _REFUSALS.items()},
    }
