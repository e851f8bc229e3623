"""Every request names the application."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from returns.result import Result, Success

from igniter_connectors import ConnectorManager
from igniter_connectors.adapters.user_agent import UserAgentClient
from igniter_connectors.core.http.messages import (
    DEADLINE,
    RESPONSE_LIMIT_BYTES,
    HttpFailed,
    HttpRequest,
    HttpResponse,
)
from igniter_connectors.core.http.user_agent import default_user_agent
from igniter_connectors.core.oauth.client_authentication import token_request
from igniter_connectors.core.oauth.jwks import keys_request
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.revocation import revoke_request
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.core.oauth.userinfo import userinfo_request
from igniter_connectors.core.problem import WrongWiring
from igniter_connectors.core.secret import Secret


class Recorder:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[HttpRequest] = []

    async def send(
        self,
        request: HttpRequest,
        *,
        deadline: timedelta = DEADLINE,
        limit_bytes: int = RESPONSE_LIMIT_BYTES,
    ) -> Result[HttpResponse, HttpFailed]:
        """An empty 200."""
        _ = deadline, limit_bytes
        self.sent.append(request)
        return Success(HttpResponse(200))


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ((), "Acme/1.0"),
        ((("Accept", "a/b"),), "Acme/1.0"),
        ((("user-agent", "own"),), "own"),
        ((("User-Agent", default_user_agent()),), "Acme/1.0"),
    ],
)
async def test_a_request_without_a_user_agent_gets_one(headers: Any, expected: str) -> None:
    """The library's default is replaced. Its own one stays."""
    inner = Recorder()
    await UserAgentClient(inner, "Acme/1.0").send(HttpRequest("GET", "https://a.example", headers))
    assert inner.sent[0].header("user-agent") == expected


@pytest.mark.parametrize("name", ["", "  ", "Ac\nme", "Äcme"])
def test_a_name_that_no_header_carries_is_refused(name: str) -> None:
    """When the manager is built."""
    with pytest.raises(WrongWiring):
        ConnectorManager.create().with_user_agent(name)


def test_every_oauth_request_names_the_library_unless_the_provider_declares_a_name() -> None:
    """At the token endpoint, for user info, keys, revocation and discovery."""
    described = OAuthProvider(
        authorization_url="https://p.example/a",
        token_url="https://p.example/t",
        client_id="c",
        userinfo_url="https://p.example/u",
        jwks_url="https://p.example/k",
        revocation_url="https://p.example/r",
    )
    for judged, name in (
        (described, default_user_agent()),
        (replace(described, request_headers={"User-Agent": "Acme"}), "Acme"),
    ):
        for request in (
            token_request(judged, {}),
            userinfo_request(judged, TokenSet(Secret("t"))),
            keys_request(judged),
            revoke_request(judged, Secret("t"), kind="access_token"),
            revoke_request(
                replace(judged, revocation_body="bearer"), Secret("t"), kind="access_token"
            ),
        ):
            assert request is not None
            assert request.header("user-agent") == name
