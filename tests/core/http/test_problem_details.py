"""Problems over HTTP: each has a status, and the response has only the problem's fields."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from http import HTTPStatus

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igniter_connectors.core import problem as p
from igniter_connectors.core.http.http_status import status_of
from igniter_connectors.core.http.problem_details import problem_response
from tests.core.http.test_http_status import RETURNED
from tests.core.problem.test_problem import example_of


def test_retry_after_is_sent_with_a_problem_that_has_it() -> None:
    """Other problems have no such header."""
    overloaded = problem_response(p.WebhookOverloaded(retry_after_seconds=7))
    assert overloaded.header("retry-after") == "7"
    assert problem_response(p.DatabaseFailed()).header("retry-after") is None


@pytest.mark.parametrize(
    "make",
    [
        lambda at: p.ApiRateLimited("c", at),
        lambda at: p.RefreshFailed("c", at),
        lambda at: p.ActionFailed("c", "a", "why", at),
        lambda at: p.WebhookFailed("c", "why", at),
    ],
)
def test_a_problem_that_knows_when_to_retry_says_so_in_the_header(
    make: Callable[[datetime | None], p.Problem],
) -> None:
    """`Retry-After` as a date in whole seconds, rounded up (RFC 9110 section 10.2.3)."""
    tokyo = timezone(timedelta(hours=9))
    for at, date in (
        (datetime(2030, 1, 1, 12, 0, 0, tzinfo=UTC), "Tue, 01 Jan 2030 12:00:00 GMT"),
        (datetime(2030, 1, 1, 12, 0, 0, 1, tzinfo=UTC), "Tue, 01 Jan 2030 12:00:01 GMT"),
        (datetime(2030, 1, 1, 21, 0, 0, tzinfo=tokyo), "Tue, 01 Jan 2030 12:00:00 GMT"),
        (datetime.max.replace(tzinfo=UTC), None),
        (datetime(2030, 1, 1), None),  # noqa: DTZ001 - a handler's mistake, and no instant
        (None, None),
    ):
        assert problem_response(make(at)).header("retry-after") == date


def test_a_webhook_that_can_be_sent_again_gets_a_5xx() -> None:
    """A provider delivers again only after a 5xx, so a failure on our side never gets a 4xx."""
    ours: list[type[p.Problem]] = [p.WebhookOverloaded, p.DatabaseFailed, p.DecryptFailed]
    theirs: list[type[p.Problem]] = [p.WebhookVerificationFailed, p.WebhookPayloadInvalid]
    assert all(status_of(example_of(kind)) >= 500 for kind in ours)
    assert all(status_of(example_of(kind)) < 500 for kind in theirs)


@pytest.mark.parametrize("kind", RETURNED, ids=lambda kind: kind.__name__)
def test_the_body_has_what_the_problem_has(kind: type[p.Problem]) -> None:
    """Problem details with type, title, status, detail, code and the fields, and no more."""
    problem = example_of(kind)
    answer = problem_response(problem)
    body = msgspec.json.decode(answer.body)
    assert answer.status == body["status"] == status_of(problem)
    assert answer.header("content-type") == "application/problem+json"
    assert answer.header("cache-control") == "no-store"
    assert answer.header("x-content-type-options") == "nosniff"
    own = {"type", "title", "status", "detail"}
    assert body["type"] == "about:blank"
    assert (body["title"], body["detail"]) == (HTTPStatus(answer.status).phrase, problem.message)
    assert body["code"] == problem.code
    assert own.isdisjoint(kind.__struct_fields__)
    assert set(body) == own | {"code"} | set(kind.__struct_fields__)


@given(st.text())
def test_any_reason_of_a_handler_is_valid_in_the_body(reason: str) -> None:
    """Quotes, braces and line ends in a reason stay inside their JSON string."""
    body = msgspec.json.decode(problem_response(p.ActionFailed("telegram", "send", reason)).body)
    assert body["reason"] == reason
