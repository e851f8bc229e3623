"""What operations refuse with, as responses of an OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from types import UnionType
from typing import Final, cast, get_args

from litestar.openapi.spec import OpenAPIHeader, OpenAPIMediaType, OpenAPIResponse

from igniter_connectors.core.http.http_status import status_of
from igniter_connectors.core.problem import Problem, WebhookOverloaded
from igniter_connectors.web.openapi.schemas import (
    Json,
    JsonSchema,
    Schemas,
    object_of,
    one_of,
    shape_of,
)

_RETRY_AFTER: Final = {
    "Retry-After": OpenAPIHeader(
        schema=JsonSchema(written={"type": "integer"}),
        description="Seconds, where too many came at once",
    )
}


def refusals(schemas: Schemas, problems: UnionType) -> dict[str, OpenAPIResponse]:
    """A response for each status that a closed set of problems has, RFC 9457's problem details.

    Args:
        schemas: Gets a component for each problem.
        problems: A union of problems, as in `core.problem.by_operation`.
    """
    by_status: dict[int, list[type[Problem]]] = {}
    for kind in _kinds(problems):
        by_status.setdefault(_status_of(kind), []).append(kind)
    return {
        str(status): OpenAPIResponse(
            f"{HTTPStatus(status).phrase}: {', '.join(_code_of(kind) for kind in kinds)}",
            headers=dict(_RETRY_AFTER) if WebhookOverloaded in kinds else None,
            content={
                "application/problem+json": OpenAPIMediaType(
                    schema=JsonSchema(
                        written=one_of([_details(schemas, kind, status) for kind in kinds])
                    )
                )
            },
        )
        for status, kinds in sorted(by_status.items())
    }


def _kinds(problems: UnionType) -> Iterable[type[Problem]]:
    # A union knows its members as objects; that all are problems is held by `_status_of`.
    return cast("tuple[type[Problem], ...]", get_args(problems))


def _status_of(kind: type[Problem]) -> int:
    # The status is the type's alone, and nothing checks a struct's fields when it is made.
    make: Callable[..., Problem] = kind
    return status_of(make(*(None for _ in kind.__struct_fields__)))


def _code_of(kind: type[Problem]) -> str:
    return str(kind.__struct_config__.tag)


def _details(schemas: Schemas, kind: type[Problem], status: int) -> Json:
    own = shape_of(kind)
    details = {
        "type": {"const": "about:blank"},
        "title": {"const": HTTPStatus(status).phrase},
        "status": {"const": status},
        "detail": {"type": "string", "description": "One line for a person"},
        "code": {"const": _code_of(kind)},
    }
    schema = {**own, **object_of({**details, **own["properties"]})}
    return schemas.add(f"problem.{kind.__name__}", schema)
