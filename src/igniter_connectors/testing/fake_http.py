"""A fake HTTP client: returns prepared responses and records requests. No network."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import final

import msgspec
from returns.result import Failure, Result, Success

from igniter_connectors.core.http.messages import (
    DEADLINE,
    RESPONSE_LIMIT_BYTES,
    HttpFailed,
    HttpRequest,
    HttpResponse,
)

FakeResponse = HttpResponse | HttpFailed


@final
class FakeHttp:
    """An `HttpClient` for `ConnectorManager.with_http`; `call.http` then uses it too.

    ```python
    http = FakeHttp([json_response({"id": 7}), HttpFailed(sent=False)])
    ```

    Args:
        responses: Either one response for each request, in order; retries count as requests,
            and a request after the last response raises `AssertionError`. Or a function
            from the request to its response.

    Attributes:
        requests: Every request sent, in order, with its access token. Read it in assertions.

    A response body over the call's `limit_bytes` becomes `HttpFailed(is_too_large=True)`.
    """

    def __init__(
        self, responses: Iterable[FakeResponse] | Callable[[HttpRequest], FakeResponse]
    ) -> None:
        self.requests: list[HttpRequest] = []
        self._respond = responses if callable(responses) else _in_order(responses)

    async def send(
        self,
        request: HttpRequest,
        *,
        deadline: timedelta = DEADLINE,  # noqa: ARG002  # the response comes at once
        limit_bytes: int = RESPONSE_LIMIT_BYTES,
    ) -> Result[HttpResponse, HttpFailed]:
        """Records the request and returns its prepared response."""
        self.requests.append(request)
        response = self._respond(request)
        if isinstance(response, HttpFailed):
            return Failure(response)
        if len(response.body) > limit_bytes:
            return Failure(HttpFailed(sent=True, is_too_large=True))
        return Success(response)


def json_response(
    value: object, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()
) -> HttpResponse:
    """A response whose body is this value as JSON.

    Args:
        value: What msgspec can encode.
        status: The HTTP status.
        headers: Added to the content type. Write names in lower case.
    """
    content_type = ("content-type", "application/json")
    return HttpResponse(status, (content_type, *headers), msgspec.json.encode(value))


def _in_order(responses: Iterable[FakeResponse]) -> Callable[[HttpRequest], FakeResponse]:
    remaining = iter(responses)

    def respond(request: HttpRequest) -> FakeResponse:
        response = next(remaining, None)
        if response is None:
            raise AssertionError(f"no response is left for {request!r}")
        return response

    return respond
