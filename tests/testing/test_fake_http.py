"""The HTTP client that a user's tests play answers with."""

from __future__ import annotations

import pytest
from returns.result import Failure, Success

from igniter_connectors import HttpRequest, HttpResponse
from igniter_connectors.testing import FakeHttp, json_answer
from igniter_connectors.typing import HttpFailed

GET = HttpRequest("GET", "https://api.example/canary")


async def test_answers_are_played_in_order_and_requests_kept() -> None:
    """A failure as a failure; after the last, whoever asks hears so, without the address."""
    http = FakeHttp([HttpResponse(201), HttpFailed(sent=True)])
    assert await http.send(GET) == Success(HttpResponse(201))
    assert await http.send(GET) == Failure(HttpFailed(sent=True))
    with pytest.raises(AssertionError, match=r"no answer is left for HttpRequest\(GET") as raised:
        await http.send(GET)
    assert "canary" not in str(raised.value)
    assert http.requests == [GET] * 3


async def test_a_function_answers_by_the_request() -> None:
    """As a small server would."""
    http = FakeHttp(lambda request: HttpResponse(200 if request.method == "GET" else 405))
    assert await http.send(GET) == Success(HttpResponse(200))
    assert await http.send(HttpRequest("PUT", GET.url)) == Success(HttpResponse(405))


async def test_an_answer_over_the_limit_is_the_failure_that_it_would_be() -> None:
    """At the limit it is played, one byte over it is not."""
    http = FakeHttp(lambda _: HttpResponse(200, body=b"1234"))
    assert (await http.send(GET, limit_bytes=4)).unwrap().body == b"1234"
    over = await http.send(GET, limit_bytes=3)
    assert over == Failure(HttpFailed(sent=True, is_too_large=True))


def test_a_json_answer_is_read_as_what_it_was_made_of() -> None:
    """With a type, a status and headers of its own."""
    answer = json_answer({"id": 7}, status=201, headers=(("retry-after", "1"),))
    assert answer.status == 201
    assert answer.header("content-type") == "application/json"
    assert answer.header("Retry-After") == "1"
    assert answer.decode(dict[str, int]) == Success({"id": 7})
