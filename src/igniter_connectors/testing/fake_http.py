"""An HTTP client that plays scripted answers and keeps what was sent. No network."""

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

Answer = HttpResponse | HttpFailed


@final
class FakeHttp:
    """Give it to `ConnectorManager.with_http`, and `call.http` plays what it was given.

    ```python
    http = FakeHttp([json_answer({"id": 7}), HttpFailed(sent=False)])
    ```

    Args:
        answers: Played in order, one a request, repetitions included; or a function of
            the request. A request after the last answer raises `AssertionError`.

    `requests` are those sent, in order, with their token: they are a test's to look into.
    A response over the call's `limit_bytes` is played as the failure that it would be.
    """

    def __init__(self, answers: Iterable[Answer] | Callable[[HttpRequest], Answer]) -> None:
        self.requests: list[HttpRequest] = []
        self._play = answers if callable(answers) else _in_order(answers)

    async def send(
        self,
        request: HttpRequest,
        *,
        deadline: timedelta = DEADLINE,  # noqa: ARG002  # an answer at once is always in time
        limit_bytes: int = RESPONSE_LIMIT_BYTES,
    ) -> Result[HttpResponse, HttpFailed]:
        """The next answer."""
        self.requests.append(request)
        answer = self._play(request)
        if isinstance(answer, HttpFailed):
            return Failure(answer)
        if len(answer.body) > limit_bytes:
            return Failure(HttpFailed(sent=True, is_too_large=True))
        return Success(answer)


def json_answer(
    value: object, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()
) -> HttpResponse:
    """A response with this value as JSON; further headers as given, names in lower case."""
    kind = ("content-type", "application/json")
    return HttpResponse(status, (kind, *headers), msgspec.json.encode(value))


def _in_order(answers: Iterable[Answer]) -> Callable[[HttpRequest], Answer]:
    waiting = iter(answers)

    def play(request: HttpRequest) -> Answer:
        answer = next(waiting, None)
        if answer is None:
            raise AssertionError(f"no answer is left for {request!r}")
        return answer

    return play
