"""The start route."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from returns.result import Failure, Result

from igniter_connectors import value_or_raise
from igniter_connectors.core.http.messages import HttpFailed, HttpResponse
from igniter_connectors.core.principal import Principal
from igniter_connectors.flows.oauth.authorize import AuthorizationOptions, authorize
from igniter_connectors.flows.oauth.start import start
from igniter_connectors.problems import (
    ConnectorNotFound,
    DatabaseFailed,
    NotConnected,
    OAuthNotConfigured,
    OAuthStateInvalid,
    ParameterInvalid,
    ProviderUnreachable,
    RequestRefused,
    StartRouteProblem,
)
from igniter_connectors.testing import json_response
from tests.flows.forge import ACME, ADA, AUTHORIZE, KEY, Forge, Team, away, forge
from tests.sample import bot

PUSH = "https://forge.example/par"


async def ticket(made: Forge) -> str:
    """The query of a browser that opens a new authorization."""
    options = AuthorizationOptions("ada")
    request = value_or_raise(await authorize(made.engine, made.connector, KEY, Team(), options))
    return urlsplit(request.url).query


async def opened(
    made: Forge, query: str, who: Principal = ADA, *, key: str = "forge", site: str | None = None
) -> Result[HttpResponse, StartRouteProblem]:
    """The answer of the start route."""
    return await start(made.engine, key, query=query, fetch_site=site, principal=who)


async def test_the_browser_gets_a_cookie_and_goes_to_the_provider() -> None:
    """Nothing is cached, and no referrer is sent."""
    made = forge()
    answer = value_or_raise(await opened(made, await ticket(made)))
    location = urlsplit(answer.header("location") or "")
    query = parse_qs(location.query)
    assert location._replace(query="").geturl() == AUTHORIZE
    assert query["redirect_uri"] == ["https://app.example/connectors/forge/oauth/callback"]
    assert query["code_challenge_method"] == ["S256"]
    cookie = answer.header("set-cookie") or ""
    assert cookie.startswith("__Host-igniter-")
    assert {"Secure", "HttpOnly", "SameSite=Lax"} <= {part.strip() for part in cookie.split(";")}
    assert answer.status == 303
    assert answer.header("cache-control") == "no-store"
    assert answer.header("referrer-policy") == "no-referrer"
    assert made.events.names() == ["oauth.started"]


async def test_a_ticket_opens_for_its_subject_only_and_once() -> None:
    """Another subject cannot even burn it."""
    made = forge()
    query = await ticket(made)
    invalid = Failure(OAuthStateInvalid("forge"))
    assert await opened(made, query, Principal(ACME, "eve")) == invalid
    value_or_raise(await opened(made, query))
    assert await opened(made, query) == invalid
    assert await opened(made, "") == invalid


async def test_the_route_names_a_connector_with_oauth() -> None:
    """Before the query is read."""
    made = forge()
    object.__setattr__(made.engine, "connectors", {**made.engine.connectors, "bot": bot})
    none, no_oauth = ConnectorNotFound("none"), OAuthNotConfigured("bot")
    assert await opened(made, "ticket=x", key="none") == Failure(none)
    assert await opened(made, "ticket=x", key="bot") == Failure(no_oauth)


async def test_an_upgrade_needs_a_request_of_our_own_site() -> None:
    """It has no ticket; then it begins to authorize the caller's own connection again."""
    made = forge()
    query = "account=default&oauth_scopes=read"
    for site in ("cross-site", "same-site", None):
        refused = await opened(made, query, site=site)
        assert refused == Failure(RequestRefused("an authorization begins on this site"))
    nothing = await opened(made, query, site="same-origin")
    assert nothing == Failure(NotConnected("forge"))
    await made.connect()
    answer = value_or_raise(await opened(made, query, site="same-origin"))
    assert "/connectors/forge/oauth/start?ticket=" in (answer.header("location") or "")
    more = await opened(made, "account=default&oauth_scopes=admin", site="same-origin")
    assert more == Failure(ParameterInvalid("oauth_scopes"))


async def test_a_ticket_is_not_opened_for_another_site() -> None:
    """A browser that does not send the header may open it."""
    made = forge()
    query = await ticket(made)
    refused = await opened(made, query, site="cross-site")
    assert refused == Failure(RequestRefused("an authorization begins on this site"))
    value_or_raise(await opened(made, query, site=None))


async def test_a_pushed_request_leaves_only_its_handle_in_the_url() -> None:
    """If the provider cannot be reached, the browser stays here."""
    made = forge(pushed_authorization_url=PUSH)
    made.answers[PUSH] = [
        HttpFailed(sent=False),
        json_response({"request_uri": "urn:x", "expires_in": 60}, status=201),
    ]
    failed = await opened(made, await ticket(made))
    assert failed == Failure(ProviderUnreachable("forge"))
    answer = value_or_raise(await opened(made, await ticket(made)))
    query = parse_qs(urlsplit(answer.header("location") or "").query)
    assert query == {"client_id": ["app"], "request_uri": ["urn:x"]}


async def test_a_database_that_is_away_is_a_problem() -> None:
    """The ticket stays valid."""
    made = forge()
    query = await ticket(made)
    take = made.store.take_authorization
    made.store.take_authorization = away  # type: ignore[method-assign]  # the outage
    assert await opened(made, query) == Failure(DatabaseFailed())
    made.store.take_authorization = take  # type: ignore[method-assign]
    value_or_raise(await opened(made, query))
