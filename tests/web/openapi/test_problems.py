"""The problems of a route in the document, beside the answers that it gives."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
from litestar.openapi.datastructures import ResponseSpec

from igniter_connectors.core.http.problem_details import problem_response
from igniter_connectors.core.problem import DatabaseFailed, MissingScopes, NotConnected, Problem
from igniter_connectors.web.openapi.problems import problem_details, refusals
from igniter_connectors.web.openapi.schemas import Json, Schemas, one_of
from tests.web.documented import validator_of

Some = NotConnected | MissingScopes | DatabaseFailed


def schema_of(schemas: Schemas, spec: ResponseSpec) -> Json:
    """The schema of a response, as Litestar makes it of a union."""
    kinds: tuple[type[Problem], ...] = get_args(spec.data_container) or (spec.data_container,)
    return one_of([problem_details(schemas, kind) for kind in kinds])


def test_problems_are_grouped_by_status() -> None:
    """There is one response for each status. Only the answers with that status fit it."""
    schemas = Schemas()
    responses = refusals(Some)
    codes = {status: one.description.partition(": ")[2] for status, one in responses.items()}
    assert codes == {
        403: "CONNECTOR_MISSING_SCOPES",
        404: "CONNECTOR_NOT_CONNECTED",
        503: "CONNECTOR_DATABASE_FAILED",
    }
    written = {status: schema_of(schemas, one) for status, one in responses.items()}
    document: dict[str, Any] = {"components": {"schemas": schemas.components}}
    missing = problem_response(MissingScopes("drive", ("read",), "https://app.example/"))
    for status, schema in written.items():
        is_fit = validator_of(document, schema).is_valid(msgspec.json.decode(missing.body))
        assert is_fit == (status == missing.status)
    assert {one.media_type for one in responses.values()} == {"application/problem+json"}
