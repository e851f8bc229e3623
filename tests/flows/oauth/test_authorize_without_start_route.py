"""Authorizing at the provider's own URL."""

from __future__ import annotations

import dataclasses
from urllib.parse import parse_qs, urlsplit

import pytest
from msgspec.structs import replace
from returns.pipeline import is_successful
from returns.result import Failure

from igniter_connectors import WrongWiring, value_or_raise
from igniter_connectors.core.principal import Principal
from igniter_connectors.flows.oauth.authorize import AuthorizationOptions
from igniter_connectors.flows.oauth.authorize_without_start_route import (
    authorize_with_cookie,
    authorize_without_browser_binding,
)
from igniter_connectors.problems import DatabaseFailed, OAuthStateInvalid, ReturnToInvalid
from tests.flows.forge import ACME, AUTHORIZE, KEY, PROVIDER, Team, away, forge

ADA = AuthorizationOptions("ada")
INVALID = Failure(OAuthStateInvalid("forge"))


def state_in(url: str) -> str:
    """The state that the provider sends back."""
    assert url.startswith(AUTHORIZE)
    return parse_qs(urlsplit(url).query)["state"][0]


async def test_only_the_browser_with_the_cookie_finishes() -> None:
    """The application sets it."""
    made = forge()
    begun = value_or_raise(
        await authorize_with_cookie(made.engine, made.connector, KEY, Team(), ADA)
    )
    state, cookie = state_in(begun.url), begun.set_cookie.reveal().partition(";")[0]
    assert await made.come_back(state, None) == INVALID
    value_or_raise(await made.come_back(state, cookie))


async def test_without_a_browser_the_subject_stays_bound() -> None:
    """A program has no cookie."""
    made = forge()
    begun = value_or_raise(
        await authorize_without_browser_binding(made.engine, made.connector, KEY, Team(), ADA)
    )
    state = state_in(begun.url)
    assert await made.come_back(state, None, who=Principal(ACME, "eve")) == INVALID
    value_or_raise(await made.come_back(state, None))


@pytest.mark.parametrize("begin", [authorize_with_cookie, authorize_without_browser_binding])
async def test_what_is_wrong_is_said_before_anything_is_stored(begin) -> None:  # type: ignore[no-untyped-def]  # two generic flows
    """The base URL, the place to return to, the database."""
    made = forge()
    stored: list[object] = []

    async def add(pending: object, **_: object) -> None:
        stored.append(pending)

    made.store.add_authorization = add  # type: ignore[method-assign]  # counts
    with pytest.raises(WrongWiring):
        await begin(
            dataclasses.replace(made.engine, base_url=None), made.connector, KEY, Team(), ADA
        )
    elsewhere = AuthorizationOptions("ada", "https://evil.example")
    refused = await begin(made.engine, made.connector, KEY, Team(), elsewhere)
    assert refused == Failure(ReturnToInvalid("forge"))
    assert stored == []
    made.store.add_authorization = away  # type: ignore[method-assign]  # the outage
    failed = await begin(made.engine, made.connector, KEY, Team(), ADA)
    assert failed == Failure(DatabaseFailed())


async def test_a_provider_without_pkce_needs_a_bound_browser() -> None:
    """Neither the verifier nor a cookie would bind the code to the authorization."""
    made = forge(replace(PROVIDER, pkce=False))
    with pytest.raises(WrongWiring, match="refuses PKCE"):
        await authorize_without_browser_binding(made.engine, made.connector, KEY, Team(), ADA)
    assert is_successful(await authorize_with_cookie(made.engine, made.connector, KEY, Team(), ADA))
