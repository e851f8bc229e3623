"""The callback route."""

from __future__ import annotations

from typing import Any

import pytest
from returns.result import Failure

from igniter_connectors import value_or_raise
from igniter_connectors.core.http.messages import HttpFailed, HttpResponse
from igniter_connectors.core.principal import Principal
from igniter_connectors.flows.oauth import callback
from igniter_connectors.flows.oauth.authorize import AuthorizationOptions, authorize
from igniter_connectors.problems import (
    ConnectorNotFound,
    DatabaseFailed,
    OAuthStateInvalid,
)
from tests.flows.forge import (
    ACME,
    ADA,
    KEY,
    REVOKE,
    TOKEN,
    USERINFO,
    Forge,
    Team,
    away,
    forge,
    granted,
    refused,
)
from tests.sample import Organization

INVALID = Failure(OAuthStateInvalid("forge"))


async def begun(made: Forge, return_to: str = "") -> tuple[str, str]:
    """The cookie and the state of an authorization that waits for its callback."""
    options = AuthorizationOptions("ada", return_to)
    request = value_or_raise(await authorize(made.engine, made.connector, KEY, Team(), options))
    return await made.open_ticket(request.url)


async def test_the_browser_returns_connected() -> None:
    """The cookie is deleted; the code was exchanged with the verifier."""
    made = forge()
    cookie, state = await begun(made, "/settings?tab=1")
    answer = value_or_raise(await made.come_back(state, cookie))
    assert answer.header("location") == "/settings?tab=1&connected=forge"
    assert "Max-Age=0" in (answer.header("set-cookie") or "")
    assert answer.header("cache-control") == "no-store"
    assert (await made.record()).grant is not None
    (form,) = made.sent(TOKEN)
    assert form["code"] == ["c"]
    assert len(form["code_verifier"][0]) == 43
    assert made.events.names() == [
        "oauth.started",
        "oauth.completed",
        "connector.connected",
    ]


async def test_a_foreign_browser_or_subject_changes_nothing() -> None:
    """The right browser can still finish; a second callback cannot."""
    made = forge()
    cookie, state = await begun(made)
    assert await made.come_back(state, None) == INVALID
    assert await made.come_back(state, cookie + "x") == INVALID
    assert await made.come_back(state, cookie, who=Principal(ACME, "eve")) == INVALID
    other = Principal(Organization("other"), "ada")
    assert await made.come_back(state, cookie, who=other) == INVALID
    assert made.sent(TOKEN) == []
    value_or_raise(await made.come_back(state, cookie))
    assert await made.come_back(state, cookie) == INVALID


async def test_the_query_and_the_route_are_judged_first() -> None:
    """Nothing is looked up."""
    made = forge()
    made.store.take_authorization = away  # type: ignore[method-assign]  # must not be reached
    for key, query, problem in (
        ("forge", "code=c", OAuthStateInvalid("forge")),
        ("forge", "code=c&state=a&state=b", OAuthStateInvalid("forge")),
        ("none", "code=c&state=a", ConnectorNotFound("none")),
    ):
        answer = await callback.finish(made.engine, key, query=query, cookies=None, principal=ADA)
        assert answer == Failure(problem)


@pytest.mark.parametrize(
    ("url", "answer", "code"),
    [
        (TOKEN, refused("invalid_grant"), "CONNECTOR_OAUTH_TOKEN_FAILED"),
        (TOKEN, HttpFailed(sent=True), "CONNECTOR_PROVIDER_UNREACHABLE"),
        (USERINFO, HttpFailed(sent=True), "CONNECTOR_PROVIDER_UNREACHABLE"),
        (USERINFO, HttpResponse(200, (), b"{}"), "CONNECTOR_OAUTH_PARSE_USERINFO_FAILED"),
    ],
)
async def test_a_failure_after_the_state_was_taken_returns_with_its_code(
    url: str, answer: HttpResponse | HttpFailed, code: str
) -> None:
    """No text of the provider reaches the URL."""
    made = forge()
    made.answers[url] = [answer]
    returned = await made.connect()
    assert returned.header("location") == f"/?error={code}"
    assert await made.store.find(KEY) is None
    assert made.events.names()[-1] == "oauth.failed"


async def test_tokens_whose_account_is_not_known_are_queued_for_revocation() -> None:
    """Nobody else knows them."""
    made = forge()
    made.answers[USERINFO] = [HttpFailed(sent=True)]
    await made.connect()
    assert made.engine.revocation_queued._is_set
    assert made.sent(REVOKE) == []


async def test_a_grant_that_changed_meanwhile_costs_no_code() -> None:
    """The tokens could not be stored, so the code is not exchanged."""
    made = forge()
    cookie, state = await begun(made)
    await made.connect()
    exchanged = len(made.sent(TOKEN))
    answer = value_or_raise(await made.come_back(state, cookie))
    assert answer.header("location") == "/?error=CONNECTOR_CONFLICT"
    assert len(made.sent(TOKEN)) == exchanged


async def test_a_database_that_is_away_before_the_state_is_taken_is_a_problem() -> None:
    """The state stays, so the browser can come back again."""
    made = forge()
    cookie, state = await begun(made)
    take = made.store.take_authorization
    made.store.take_authorization = away  # type: ignore[method-assign]  # the outage
    assert await made.come_back(state, cookie) == Failure(DatabaseFailed())
    made.store.take_authorization = take  # type: ignore[method-assign]
    made.store.last_grant = away  # type: ignore[method-assign]
    answer = value_or_raise(await made.come_back(state, cookie))
    assert answer.header("location") == "/?error=CONNECTOR_DATABASE_FAILED"
    assert made.sent(TOKEN) == []


@pytest.mark.parametrize(
    ("told", "scopes"), [({}, ("read", "activity:read")), ({"scope": "write"}, ("write",))]
)
async def test_scopes_that_the_callback_names_are_granted(
    told: Any, scopes: tuple[str, ...]
) -> None:
    """Strava names them there alone. A token response that names scopes takes precedence."""
    made = forge()
    made.answers[TOKEN] = [granted(1, **told)]
    request = value_or_raise(
        await authorize(made.engine, made.connector, KEY, Team(), AuthorizationOptions("ada"))
    )
    cookie, state = await made.open_ticket(request.url)
    query = f"code=c&state={state}&scope=read,activity:read"
    _ = value_or_raise(
        await callback.finish(made.engine, "forge", query=query, cookies=cookie, principal=ADA)
    )
    record = await made.record()
    assert record.grant is not None
    assert record.grant.oauth_scopes == scopes
