"""Every returned problem has an HTTP status."""

from __future__ import annotations

from typing import get_args

import pytest

from igniter_connectors.core import problem as p
from igniter_connectors.core.http.http_status import status_of
from tests.core.problem.test_problem import KINDS, example_of

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


@pytest.mark.parametrize("kind", RETURNED, ids=lambda kind: kind.__name__)
def test_every_problem_that_is_returned_has_a_status(kind: type[p.Problem]) -> None:
    """No result of an operation makes the HTTP layer fail."""
    assert 400 <= status_of(example_of(kind)) <= 599


@pytest.mark.parametrize("name", SETS)
def test_operations_return_no_problem_of_building(name: str) -> None:
    """The union of each operation has no problem that only building raises."""
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
    """These decide whether a client signs in, gives up or tries again."""
    assert status_of(example_of(kind)) == status
