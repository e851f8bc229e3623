"""The fake HTTP client returns its responses and records requests."""

from __future__ import annotations

import pytest
from returns.result import Failure, Success

from igniter_connectors import HttpRequest, HttpResponse
from igniter_connectors.testing import FakeHttp, json_response
from igniter_connectors.typing import HttpFailed

GET = HttpRequest("GET", "https://api.example/canary")


async def test_responses_come_in_order_and_requests_are_recorded() -> None:
    """Failures too. After the last response, a request raises, and the text has no URL path."""
    http = FakeHttp([HttpResponse(201), HttpFailed(sent=True)])
    assert await http.send(GET) == Success(HttpResponse(201))
    assert await http.send(GET) == Failure(HttpFailed(sent=True))
    with pytest.raises(AssertionError, match=r"no response is left for HttpRequest\(GET") as raised:
        await http.send(GET)
    assert "canary" not in str(raised.value)
    assert http.requests == [GET] * 3


async def test_a_function_can_choose_the_response() -> None:
    """It gets the request."""
    http = FakeHttp(lambda request: HttpResponse(200 if request.method == "GET" else 405))
    assert await http.send(GET) == Success(HttpResponse(200))
    assert await http.send(HttpRequest("PUT", GET.url)) == Success(HttpResponse(405))


async def test_a_body_over_the_limit_is_a_failure() -> None:
    """A body of exactly the limit is returned, one byte more is not."""
    http = FakeHttp(lambda _: HttpResponse(200, body=b"1234"))
    assert (await http.send(GET, limit_bytes=4)).unwrap().body == b"1234"
    over = await http.send(GET, limit_bytes=3)
    assert over == Failure(HttpFailed(sent=True, is_too_large=True))


def test_a_json_response_decodes_to_its_value() -> None:
    """It has a content type, a status and additional headers."""
    response = json_response({"id": 7}, status=201, headers=(("retry-after", "1"),))
    assert response.status == 201
    assert response.header("content-type") == "application/json"
    assert response.header("Retry-After") == "1"
    assert response.decode(dict[str, int]) == Success({"id": 7})
