"""`call.http`: each method sends its HTTP method, with all given arguments."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from igniter_connectors.core.api.client import ApiClient
from igniter_connectors.core.api.request import DEADLINE, ApiRequest
from igniter_connectors.core.http.messages import DEADLINE as SINGLE_DEADLINE
from igniter_connectors.core.http.messages import RESPONSE_LIMIT_BYTES, HttpRequest
from tests.core.api_calls import Senders

EVERYTHING: dict[str, Any] = {
    "query": {"page": 2},
    "headers": {"X-One": "1"},
    "json": [1],
    "form": {"a": "b"},
    "body": b"x",
    "idempotency_key": "one",
    "deadline": timedelta(seconds=1),
    "limit_bytes": 7,
}
READING = ("query", "headers", "deadline", "limit_bytes")
WRITING = (*READING, "json", "form", "body")


@pytest.mark.parametrize(
    ("method", "takes"),
    [
        ("get", READING),
        ("delete", READING),
        ("put", WRITING),
        ("post", tuple(EVERYTHING)),
        ("patch", tuple(EVERYTHING)),
    ],
)
async def test_each_method_asks_for_itself(method: str, takes: tuple[str, ...]) -> None:
    """With all that it takes, and with nothing but what it was given."""
    senders = Senders()
    ask = getattr(ApiClient(senders), method)
    given = {name: EVERYTHING[name] for name in takes}
    await ask("/users", **given)
    await ask("/users")
    full, bare = senders.asked
    assert full == ApiRequest(method=method.upper(), path="/users", **given)
    assert bare == ApiRequest(method=method.upper(), path="/users")
    assert (bare.deadline, bare.limit_bytes) == (DEADLINE, RESPONSE_LIMIT_BYTES)
    assert bare.json is msgspec.UNSET


async def test_any_method_may_be_asked_for_by_name() -> None:
    """Which are known is judged when the request is built."""
    senders = Senders()
    await ApiClient(senders).request("HEAD", "/users")
    assert senders.asked == [ApiRequest(method="HEAD", path="/users")]


async def test_what_goes_elsewhere_goes_as_it_is() -> None:
    """By the one method with a long name."""
    senders = Senders()
    client = ApiClient(senders)
    request = HttpRequest("GET", "https://other.example/")
    await client.send_anywhere_without_token(request)
    await client.send_anywhere_without_token(request, deadline=timedelta(1), limit_bytes=3)
    assert senders.plain == [
        (request, SINGLE_DEADLINE, RESPONSE_LIMIT_BYTES),
        (request, timedelta(1), 3),
    ]


def test_a_call_is_a_coroutine_that_checkers_see_unawaited() -> None:
    """Nothing is sent until it is awaited."""
    waiting = ApiClient(Senders()).get("/users")
    assert asyncio.iscoroutine(waiting)
    waiting.close()
