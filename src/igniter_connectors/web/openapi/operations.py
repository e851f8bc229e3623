"""What Litestar cannot read from the types of a route handler.

Each class here is the `operation_class` of a route: Litestar makes one from the handler, and the
class adds what is missing. Its docstring says why Litestar cannot know it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from litestar.openapi.spec import (
    OpenAPIHeader,
    OpenAPIMediaType,
    OpenAPIResponse,
    Operation,
    Parameter,
    Reference,
    RequestBody,
    Responses,
)

from igniter_connectors.web.openapi.schemas import Json, JsonSchema, as_json, object_of

_LITESTAR_REFUSAL: Final = object_of(
    {"status_code": {"type": "integer"}, "detail": {"type": "string"}}
)
_TEXT: Final[Json] = {"type": "string"}
_RETRY_AFTER: Final = OpenAPIHeader(
    schema=JsonSchema(written={"type": "integer"}),
    description="Seconds to wait, if there were too many deliveries at once",
)


@dataclass
class OperationWithBody(Operation):
    """A route that takes a body.

    Litestar refuses a body over its own limit before the route runs, in its own format. Our
    problems have the same status, and a `ResponseSpec` has one media type for each status.
    """

    def __post_init__(self) -> None:
        responses = self.responses or {}
        ours = responses.get("413")
        description, content = "Content Too Large", dict[str, OpenAPIMediaType]()
        if isinstance(ours, OpenAPIResponse):
            description, content = ours.description, dict(ours.content or {})
        responses["413"] = OpenAPIResponse(
            description, content=content | as_json(_LITESTAR_REFUSAL)
        )


@dataclass
class StartOperation(Operation):
    """The start route.

    The route reads the raw query, because it refuses a parameter that is given twice (RFC 6749,
    section 3.1). A typed parameter of Litestar holds one of the two values.
    """

    def __post_init__(self) -> None:
        self.parameters: list[Parameter | Reference] | None = [
            *(self.parameters or ()),
            _in_query("ticket", "Opens once, within 10 minutes"),
            _in_query("account", "The connection to authorize again; without a ticket"),
            _in_query(
                "oauth_scopes",
                "The OAuth scopes to ask for beside the granted ones, of those that the connector"
                " declares; separated by spaces",
            ),
        ]


@dataclass
class CallbackOperation(Operation):
    """The redirect URI.

    The route reads the raw query, because it refuses a parameter that is given twice (RFC 6749,
    section 3.1). A typed parameter of Litestar holds one of the two values.
    """

    def __post_init__(self) -> None:
        self.parameters: list[Parameter | Reference] | None = [
            *(self.parameters or ()),
            _in_query("state", "The state that was sent to the provider", required=True),
            _in_query("code", "The authorization code, if access was granted"),
            _in_query("error", "The error code, if access was not granted"),
            _in_query("iss", "The issuer that answers (RFC 9207)"),
        ]


@dataclass
class WebhookOperation(Operation):
    """A request from a provider.

    The answer to a provider's question has one of two media types, and an overloaded receiver
    adds a header. A `ResponseSpec` has one media type and no headers.
    """

    def __post_init__(self) -> None:
        text = {"text/plain": OpenAPIMediaType()}
        responses = self.responses or {}
        overloaded = responses.get("503")
        if isinstance(overloaded, OpenAPIResponse):
            overloaded.headers = {"Retry-After": _RETRY_AFTER}
        self.responses: Responses | None = {
            **responses,
            "200": OpenAPIResponse(
                "The answer to the provider's question",
                content={**text, "application/json": OpenAPIMediaType()},
            ),
            "400": OpenAPIResponse("The provider's question is malformed", content=text),
            "403": OpenAPIResponse("The provider's question is refused", content=text),
            "405": OpenAPIResponse(
                "The method is not POST, nor GET where the provider asks its question with GET"
            ),
        }


@dataclass
class DeliveryOperation(WebhookOperation):
    """A delivery of a webhook.

    Its body is the bytes that the provider signed, of any media type. Litestar describes the
    bodies that it decodes.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        body = {"*/*": OpenAPIMediaType()}
        self.request_body: RequestBody | Reference | None = RequestBody(
            body, "The bytes that the provider signed"
        )


def _in_query(name: str, description: str, *, required: bool = False) -> Parameter:
    schema = JsonSchema(written=_TEXT)
    return Parameter(name, "query", schema=schema, description=description, required=required)
