"""Whose account tokens are for: the user info. ID tokens are tried against real servers too."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from returns.result import Failure, Success

from igniter_connectors import OAuthProvider, Secret
from igniter_connectors.core.connection.view import UpstreamAccount
from igniter_connectors.core.http.messages import HttpFailed, HttpResponse
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.flows.oauth.find_account import find_account
from igniter_connectors.problems import IdTokenInvalid, ProviderUnreachable
from igniter_connectors.testing import json_response
from tests.flows.forge import KEY, PROVIDER, USERINFO, Forge, forge

TOKENS = TokenSet(Secret("access"))
JWKS = "https://forge.example/jwks"
OPENID = replace(PROVIDER, oauth_scopes=("openid",), issuer="https://forge.example", jwks_url=JWKS)


async def found(made: Forge, provider: OAuthProvider = PROVIDER, **more: str) -> object:
    """What the flow returns."""
    id_token = Secret(more["id_token"]) if "id_token" in more else None
    return await find_account(
        made.engine,
        provider,
        TOKENS,
        key=KEY,
        id_token=id_token,
        nonce=more.get("nonce"),
    )


async def test_the_account_comes_from_the_user_info() -> None:
    """Asked with the access token."""
    made = forge()
    assert await found(made) == Success(UpstreamAccount("u1", "Ada"))
    (request,) = made.http.requests
    assert request.header("authorization") == "Bearer access"


async def test_a_provider_that_does_not_tell_leaves_it_unknown() -> None:
    """No request."""
    made = forge()
    assert await found(made, replace(PROVIDER, userinfo_url=None)) == Success(None)
    assert made.http.requests == []


async def test_without_an_answer_it_is_not_known() -> None:
    """The tokens are then not stored."""
    made = forge()
    made.answers[USERINFO] = [HttpFailed(sent=True)]
    assert await found(made) == Failure(ProviderUnreachable("forge"))


async def test_a_requested_id_token_must_be_there() -> None:
    """An authorization with a nonce expects one."""
    made = forge()
    missing = await found(made, OPENID, nonce="n")
    assert missing == Failure(IdTokenInvalid("forge", "is missing"))
    assert made.http.requests == []


@pytest.mark.parametrize(
    "keys", [HttpFailed(sent=True), HttpResponse(200, (), b"{}"), json_response({"keys": []})]
)
async def test_an_id_token_that_no_key_verifies_is_refused(
    keys: HttpResponse | HttpFailed,
) -> None:
    """The user info does not replace it."""
    made = forge()
    made.answers[JWKS] = [keys]
    answer = await found(made, OPENID, id_token="a.b.c")
    assert isinstance(answer, Failure)
    assert [request.url for request in made.http.requests] == [JWKS]
