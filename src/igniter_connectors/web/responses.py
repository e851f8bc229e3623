"""Converts between Litestar's requests and responses and the library's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from litestar import Litestar, MediaType, Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException, ValidationException
from litestar.exceptions.responses import create_exception_response
from litestar.response import Redirect
from litestar.response.base import ASGIResponse
from returns.pipeline import is_successful
from returns.result import Result

from igniter_connectors.core.http.messages import HttpResponse
from igniter_connectors.core.http.problem_details import problem_response
from igniter_connectors.core.problem import ConnectorError, ParameterInvalid, Problem, WrongWiring

V = TypeVar("V")

WebRequest = Request[object, object, State]


class Refusal(Exception):
    """Raised inside a route handler to answer with a problem.

    It is not `ConnectorError`, which an application may raise and handle itself.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


def value_of(result: Result[V, Problem]) -> V:
    """The value of a successful result.

    Raises:
        Refusal: the result holds a problem.
    """
    if is_successful(result):
        return result.unwrap()
    raise Refusal(result.failure())


def answer_refusal(_: WebRequest, error: Refusal) -> Response[bytes]:
    """An exception handler: the problem as problem details (RFC 9457)."""
    return _response(problem_response(error.problem))


def answer_invalid_parameter(_: WebRequest, error: ValidationException) -> Response[bytes]:
    """An exception handler: names the parameter that does not fit its type.

    Litestar's own answer repeats the URL, and so the value, which may be a secret.
    """
    found = error.extra if isinstance(error.extra, list) else []
    names = [str(one.get("key", "")).partition(".")[0] for one in found if isinstance(one, dict)]
    return _response(problem_response(ParameterInvalid(", ".join(names))))


def is_client_error(error: Exception) -> bool:
    """Whether an exception is an answer of 4xx that Litestar or the application raised."""
    return isinstance(error, HTTPException) and error.status_code < 500


def answer_unexpected(report: Callable[[Exception], Problem]) -> Callable[..., Response[Any]]:
    """An exception handler for everything that no other handler answers.

    Without it, Litestar's debug page would show the exception's text and the source around
    each frame, and so whatever secret is in them.

    Args:
        report: Logs the exception; returns the problem to answer with.
    """

    def answer(request: WebRequest, error: Exception) -> Response[Any]:
        if is_client_error(error):
            return create_exception_response(request, error)
        return _response(problem_response(report(error)))

    return answer


def answer_connector_error(report: Callable[[Exception], Problem]) -> Callable[..., Response[Any]]:
    """An exception handler for the application's own routes: the problem as problem details.

    Wrong wiring is no answer for a client: it is logged, and the answer is a plain 500.
    """

    def answer(_: WebRequest, error: ConnectorError) -> Response[Any]:
        problem = report(error) if isinstance(error, WrongWiring) else error.problem
        return _response(problem_response(problem))

    return answer


class ExactRedirect(Redirect):
    """A redirect to exactly the given URL: Litestar's own redirect quotes it again.

    Every route here is `no-store` already.
    """

    def to_asgi_response(
        self,
        app: Litestar | None,
        request: Request[Any, Any, Any],
        # The options that Litestar passes on. This class does not need to know them.
        **options: Any,
    ) -> ASGIResponse:
        """The response without the quoting of the URL that `Redirect` adds."""
        return Response.to_asgi_response(self, app, request, **options)

    def __init__(self, answer: HttpResponse) -> None:
        headers = {name: value for name, value in answer.headers if name != "Cache-Control"}
        super().__init__("", status_code=303, headers=headers, media_type=MediaType.TEXT)


def _response(answer: HttpResponse) -> Response[bytes]:
    media = answer.header("content-type") or "application/octet-stream"
    headers = {name: value for name, value in answer.headers if name.lower() != "content-type"}
    return Response(answer.body, status_code=answer.status, media_type=media, headers=headers)
