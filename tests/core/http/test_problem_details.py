"""Problems over HTTP: each has a status, and an answer holds the problem's fields alone."""

from __future__ import annotations

from http import HTTPStatus
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igniter_connectors.core import problem as p
from igniter_connectors.core.http.problem_details import problem_response, status_of
from tests.core.test_problem import KINDS, example_of

# Raised inside `WrongWiring` while an application is built, so never on their way to HTTP.
BUILD_TIME = {
    p.BuildInvalid,
    p.BuildConfigRequired,
    p.BuildScopesRequired,
    p.BuildConnectorsRequired,
    p.DatabaseRequired,
    p.EncryptionSecretRequired,
    p.SettingInvalid,
}
RETURNED = [kind for kind in KINDS if kind not in BUILD_TIME]
SETS = {
    name: value
    for name, value in vars(p).items()
    if name.endswith("Problem") and value is not p.Problem
}


def test_who_is_asked_to_come_again_is_told_when() -> None:
    """Nobody else is."""
    overloaded = problem_response(p.WebhookOverloaded(retry_after_seconds=7))
    assert overloaded.header("retry-after") == "7"
    assert problem_response(p.DatabaseFailed()).header("retry-after") is None


@pytest.mark.parametrize("kind", RETURNED, ids=lambda kind: kind.__name__)
def test_every_problem_that_is_returned_has_a_status(kind: type[p.Problem]) -> None:
    """No operation's answer makes the HTTP layer fail."""
    assert 400 <= status_of(example_of(kind)) <= 599


@pytest.mark.parametrize("name", SETS)
def test_operations_return_no_problem_of_building(name: str) -> None:
    """The closed sets that operations name hold nothing that only building raises."""
    members = get_args(SETS[name]) or (SETS[name],)
    assert BUILD_TIME.isdisjoint(members)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (p.PrincipalRequired, 401),
        (p.RequestRefused, 403),
        (p.NotConnected, 404),
        (p.WebhookNotFound, 404),
        (p.Conflict, 409),
        (p.EncryptFailed, 413),
        (p.WebhookTooLarge, 413),
        (p.ConfigInvalid, 422),
        (p.DecryptFailed, 500),
        (p.DatabaseFailed, 503),
        (p.WebhookFailed, 503),
        (p.WebhookOverloaded, 503),
        (p.WebhookEventNotFound, 404),
        (p.WebhookEventNotReplayable, 409),
    ],
)
def test_the_statuses_that_clients_act_on(kind: type[p.Problem], status: int) -> None:
    """Whether a client signs in, gives up or tries again hangs on these."""
    assert status_of(example_of(kind)) == status


def test_a_webhook_that_may_be_sent_again_is_answered_5xx() -> None:
    """A provider delivers again after a 5xx alone: a failure of ours is never its fault."""
    ours: list[type[p.Problem]] = [p.WebhookOverloaded, p.DatabaseFailed, p.DecryptFailed]
    theirs: list[type[p.Problem]] = [p.WebhookVerificationFailed, p.WebhookPayloadInvalid]
    assert all(status_of(example_of(kind)) >= 500 for kind in ours)
    assert all(status_of(example_of(kind)) < 500 for kind in theirs)


@pytest.mark.parametrize("kind", RETURNED, ids=lambda kind: kind.__name__)
def test_an_answer_says_what_the_problem_says(kind: type[p.Problem]) -> None:
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
def test_an_answer_survives_whatever_a_handler_gave_as_its_reason(reason: str) -> None:
    """Quotes, braces and line ends in a reason stay inside their JSON string."""
    body = msgspec.json.decode(problem_response(p.ActionFailed("telegram", "send", reason)).body)
    assert body["reason"] == reason
