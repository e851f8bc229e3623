"""The problems that a route returns, as responses of the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from types import UnionType
from typing import Union, cast, get_args

from litestar.openapi.datastructures import ResponseSpec

from igniter_connectors.core.http.http_status import status_of
from igniter_connectors.core.problem import Problem, RouteFailed
from igniter_connectors.web.openapi.schemas import Json, Schemas, object_of, shape_of


def refusals(problems: UnionType) -> dict[int, ResponseSpec]:
    """The `responses` of a route handler: for each status, the problems that have it.

    Args:
        problems: A union of problems, as in `core.problem.by_operation`.
    """
    by_status: dict[int, list[type[Problem]]] = {}
    for kind in _kinds(problems):
        by_status.setdefault(_status_of(kind), []).append(kind)
    return {
        status: ResponseSpec(
            cast("type[Problem]", Union[tuple(kinds)]),  # noqa: UP007 - a union of a list
            generate_examples=False,
            description=f"{HTTPStatus(status).phrase}: {', '.join(map(_code_of, kinds))}",
            media_type="application/problem+json",
        )
        for status, kinds in sorted(by_status.items())
    }


def problem_details(schemas: Schemas, kind: type[Problem]) -> Json:
    """A reference to the problem details of a problem (RFC 9457), as a component."""
    own, status = shape_of(kind), _status_of(kind)
    details = {
        "type": {"const": "about:blank"},
        "title": {"const": HTTPStatus(status).phrase},
        "status": {"const": status},
        "detail": {"type": "string", "description": "One line for a person"},
        "code": {"const": _code_of(kind)},
    }
    schema = {**own, **object_of({**details, **own["properties"]})}
    return schemas.add(f"problem.{kind.__name__}", schema)


def _kinds(problems: UnionType) -> Iterable[type[Problem]]:
    # A union knows its members as objects. `_status_of` fails for one that is not a problem.
    kinds = cast("tuple[type[Problem], ...]", get_args(problems))
    # The document says what a client can react to; an unexpected failure is no such thing.
    return tuple(kind for kind in kinds if kind is not RouteFailed)


def _status_of(kind: type[Problem]) -> int:
    # The status depends on the type alone, and msgspec checks no field of a new struct.
    make: Callable[..., Problem] = kind
    return status_of(make(*(None for _ in kind.__struct_fields__)))


def _code_of(kind: type[Problem]) -> str:
    return str(kind.__struct_config__.tag)
