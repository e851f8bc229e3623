"""Our own requests and answers, to and from Litestar's."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from litestar import Request, Response
from litestar.datastructures import State
from returns.pipeline import is_successful
from returns.result import Result

from igniter_connectors.core.connector.masking import mask_secret
from igniter_connectors.core.http.messages import HttpRequest, HttpResponse
from igniter_connectors.core.http.problem_details import problem_response
from igniter_connectors.core.problem import Problem

V = TypeVar("V")

WebRequest = Request[object, object, State]
WebResponse = Response[bytes]


def as_litestar(answer: HttpResponse) -> WebResponse:
    """An answer of ours as Litestar sends it."""
    media = answer.header("content-type") or "application/octet-stream"
    response = Response(answer.body, status_code=answer.status, media_type=media)
    # A flow sets one cookie at most, so a dictionary of headers loses none.
    for name, value in answer.headers:
        if name.lower() != "content-type":
            response.headers[name] = value
    return response


def problem(found: Problem) -> WebResponse:
    """A problem as problem details."""
    return as_litestar(problem_response(found))


def json(value: object, *, status: int = 200) -> WebResponse:
    """A value as JSON that no cache keeps, with every secret in it masked."""
    body = msgspec.json.encode(value, enc_hook=mask_secret)
    headers = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))
    return as_litestar(HttpResponse(status, headers, body))


def answer(result: Result[V, Problem], *, status: int = 200) -> WebResponse:
    """A Result as JSON or problem details; a value of None as an empty 204."""
    if not is_successful(result):
        return problem(result.failure())
    value = result.unwrap()
    return as_litestar(HttpResponse(204)) if value is None else json(value, status=status)


def as_request(request: WebRequest, url: str) -> HttpRequest:
    """The received request without its body; `url` is built from the base, not from `Host`."""
    headers = tuple(request.headers.multi_items())
    return HttpRequest(request.method, url, headers)
