"""Beginning an authorization."""

from __future__ import annotations

import dataclasses

import pytest
from returns.result import Failure

from igniter_connectors import WrongWiring, problem_of, value_or_raise
from igniter_connectors.flows.oauth.authorize import (
    AuthorizationOptions,
    authorize,
    new_payload,
    reauthorize,
)
from igniter_connectors.problems import ConfigInvalid, DatabaseFailed, NotConnected, ReturnToInvalid
from tests.flows.forge import KEY, Team, away, forge

ADA = AuthorizationOptions("ada")


async def test_the_url_is_our_own_start_route_and_opens_once() -> None:
    """Nothing is sent to the provider yet."""
    made = forge()
    request = value_or_raise(await authorize(made.engine, made.connector, KEY, Team(), ADA))
    assert request.url.startswith("https://app.example/connectors/forge/oauth/start?ticket=")
    assert made.http.requests == []
    await made.open_ticket(request.url)
    with pytest.raises(Exception, match="CONNECTOR_OAUTH_STATE_INVALID"):
        await made.open_ticket(request.url)


@pytest.mark.parametrize(
    ("return_to", "is_allowed"),
    [
        ("", True),
        ("/settings?tab=1", True),
        ("https://other.example/done", True),
        ("https://other.example/done2", False),
        ("//evil.example", False),
        ("https://evil.example", False),
    ],
)
async def test_the_browser_returns_to_our_site_or_to_an_allowed_url(
    return_to: str, is_allowed: bool
) -> None:
    """An open redirect would send the outcome elsewhere."""
    made = forge()
    engine = dataclasses.replace(made.engine, return_urls=frozenset({"https://other.example/done"}))
    options = AuthorizationOptions("ada", return_to)
    answer = await authorize(engine, made.connector, KEY, Team(), options)
    if is_allowed:
        value_or_raise(answer)
    else:
        assert answer == Failure(ReturnToInvalid("forge"))


async def test_a_config_that_does_not_fit_is_refused() -> None:
    """Before anything is stored."""
    made = forge()
    bad = Team(7)  # type: ignore[arg-type]  # the misuse
    problem = problem_of(await authorize(made.engine, made.connector, KEY, bad, ADA))
    assert isinstance(problem, ConfigInvalid)


async def test_the_payload_holds_what_the_callback_needs() -> None:
    """The scopes of the definition come first, each once."""
    made = forge()
    options = AuthorizationOptions(
        "ada", "/x", ("write", "read"), may_replace_account=True, keep_config=True
    )
    payload = value_or_raise(await new_payload(made.engine, made.connector, KEY, Team(), options))
    assert (payload.subject, payload.return_to) == ("ada", "/x")
    assert payload.oauth_scopes == ("read", "write")
    assert (payload.replace_account, payload.keeps_config) == (True, True)
    assert payload.expected_grant is None


async def test_reauthorizing_asks_for_the_granted_scopes_again() -> None:
    """And keeps the stored config."""
    made = forge()
    assert await reauthorize(made.engine, made.connector, KEY, ADA) == Failure(
        NotConnected("forge")
    )
    await made.connect(AuthorizationOptions("ada", oauth_scopes=("write",)))
    before = await made.record()
    request = value_or_raise(
        await reauthorize(
            made.engine, made.connector, KEY, AuthorizationOptions("ada", oauth_scopes=("admin",))
        )
    )
    cookie, state = await made.open_ticket(request.url)
    value_or_raise(await made.come_back(state, cookie))
    after = await made.record()
    assert after.grant is not None
    assert after.grant.oauth_scopes == ("read", "write", "admin")
    assert after.sealed_config == before.sealed_config


async def test_without_a_base_url_nothing_is_stored() -> None:
    """The wiring is wrong, so this raises."""
    made = forge()
    made.store.add_authorization = away  # type: ignore[method-assign]  # must not be reached
    engine = dataclasses.replace(made.engine, base_url=None)
    with pytest.raises(WrongWiring):
        await authorize(engine, made.connector, KEY, Team(), ADA)


async def test_a_database_that_is_away_is_a_problem() -> None:
    """For both."""
    made = forge()
    made.store.add_authorization = away  # type: ignore[method-assign]  # the outage
    made.store.find = away  # type: ignore[method-assign]
    away_now = Failure(DatabaseFailed())
    assert await authorize(made.engine, made.connector, KEY, Team(), ADA) == away_now
    assert await reauthorize(made.engine, made.connector, KEY, ADA) == away_now
