"""Operations of an OpenAPI document, and their parameters."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from types import UnionType
from typing import Final

from litestar.openapi.spec import (
    OpenAPIHeader,
    OpenAPIMediaType,
    OpenAPIResponse,
    Operation,
    Parameter,
    Reference,
    RequestBody,
)

from igniter_connectors.web.openapi.problems import refusals
from igniter_connectors.web.openapi.schemas import Json, JsonSchema, Schemas, as_json, object_of

Answers = Mapping[str, OpenAPIResponse]

_FRAMEWORK: Final = object_of(
    {"status_code": {"type": "integer"}, "detail": {"type": "string"}},
)


def in_path(name: str, description: str, values: Iterable[str] | None = None) -> Parameter:
    """A parameter in the path: one of the values, or any text."""
    known: Json = {"type": "string", "minLength": 1} if values is None else {"enum": sorted(values)}
    schema = JsonSchema(written={"type": "string", **known})
    return Parameter(name, "path", schema=schema, description=description, required=True)


def in_query(name: str, description: str, schema: Json, *, required: bool = False) -> Parameter:
    """A parameter in the query."""
    written = JsonSchema(written=schema)
    return Parameter(name, "query", schema=written, description=description, required=required)


def operation(
    schemas: Schemas,
    name: str,
    summary: str,
    *,
    tag: str,
    answers: Answers,
    problems: UnionType,
    parameters: Collection[Parameter] = (),
    body: Json | None = None,
    description: str = "",
) -> Operation:
    """An operation.

    Args:
        schemas: Gets the components of the problems.
        name: Its id, unique in the document.
        summary: A line for a list of operations.
        tag: What it is listed under.
        answers: What it answers where it succeeds, by the status.
        problems: What it refuses with otherwise.
        parameters: Beside those of its path.
        body: The schema of its body in JSON; None where it reads none.
        description: What more there is to say.
    """
    responses: dict[str, OpenAPIResponse | Reference] = {
        **answers,
        **refusals(schemas, problems),
    }
    if body is not None:
        responses["413"] = with_framework(responses.get("413"), "Content Too Large")
    return Operation(
        tags=[tag],
        summary=summary,
        description=description or None,
        operation_id=name,
        parameters=[*parameters] or None,
        request_body=None if body is None else RequestBody(as_json(body), required=True),
        responses=responses,
    )


def with_framework(ours: OpenAPIResponse | Reference | None, phrase: str) -> OpenAPIResponse:
    """A refusal that Litestar itself gives too, before we are asked, in its own form."""
    said, content = phrase, dict[str, OpenAPIMediaType]()
    if isinstance(ours, OpenAPIResponse):
        said, content = ours.description, dict(ours.content or {})
    return OpenAPIResponse(said, content=content | as_json(_FRAMEWORK))


def answered(description: str, schema: Json) -> OpenAPIResponse:
    """An answer in JSON."""
    return OpenAPIResponse(description, content=as_json(schema))


def redirected(description: str) -> OpenAPIResponse:
    """A browser sent elsewhere."""
    location = JsonSchema(written={"type": "string", "format": "uri-reference"})
    header = OpenAPIHeader(schema=location, description="Where to go", required=True)
    return OpenAPIResponse(description, headers={"Location": header})
