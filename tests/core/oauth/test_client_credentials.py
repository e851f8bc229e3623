"""Tokens for the client itself. RFC 6749 section 4.4."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qsl

import msgspec
import pytest
from msgspec.structs import replace

from igniter_connectors import HttpResponse, OAuthProvider
from igniter_connectors.core.connection.record import Grant
from igniter_connectors.core.oauth.client_credentials import (
    client_credentials_request,
    judge_client_credentials,
    judge_client_credentials_refresh,
    uses_client_credentials,
)
from igniter_connectors.core.oauth.refresh import DefiniteFailure, Refreshed, RefreshOutcome
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.core.problem import TokenMalformed, TokenRefused
from igniter_connectors.core.secret import Secret
from igniter_connectors.typing import HttpFailed
from tests.core.examples import NOW

from .providers import PROVIDER, answer, provider
from .test_client_assertion import SIGNING, signing

FORGE = OAuthProvider(
    authorization_url="https://forge.example/authorize",
    token_url="https://forge.example/token",
    client_id="app",
    client_secret=Secret("a secret"),
)
PUBLIC = replace(FORGE, client_secret=None)
GRANT = Grant(
    sealed_tokens=b"",
    generation=1,
    grant_id="g",
    oauth_scopes=(),
    refreshable=True,
    refreshed_at=NOW,
)
FORMER = TokenSet(Secret("old"), dpop_key=Secret("{}"))


class Extras(msgspec.Struct):
    instance_url: str


def test_the_request_has_grant_type_scopes_and_authentication() -> None:
    """Section 4.4.2."""
    request = client_credentials_request(
        provider(oauth_scopes=("a", "b"), oauth_scope_separator=",")
    )
    assert request.url == PROVIDER.token_url
    assert request.body == b"grant_type=client_credentials&scope=a%2Cb"
    assert request.header("authorization") is not None
    assert client_credentials_request(PROVIDER).body == b"grant_type=client_credentials"


def test_a_client_that_signs_sends_an_assertion() -> None:
    """Instead of a secret."""
    form = dict(parse_qsl(client_credentials_request(signing(), signing=SIGNING).body.decode()))
    assert form["grant_type"] == "client_credentials"
    assert "client_assertion" in form


def test_a_public_client_has_no_request() -> None:
    """Section 4.4: only confidential clients."""
    with pytest.raises(ValueError, match="authenticates"):
        client_credentials_request(provider(client_secret=None))


def test_a_refresh_token_is_ignored() -> None:
    """Section 4.4.3 says that a response should not have one."""
    body = {"access_token": "a", "expires_in": 60, "refresh_token": "r"}
    judged = judge_client_credentials(
        answer({**body, "refresh_token_expires_in": 60}),
        PROVIDER,
        connector="telegram",
        received_at=NOW,
    )
    assert judged.unwrap() == TokenSet(Secret("a"), expires_at=NOW + timedelta(minutes=1))


def test_its_problems_are_those_of_the_token_endpoint() -> None:
    """Refused, malformed, and missing extras."""
    refused = judge_client_credentials(
        answer({"error": "invalid_scope"}, 400), PROVIDER, connector="x", received_at=NOW
    )
    assert refused.failure() == TokenRefused("x", "invalid_scope")
    malformed = judge_client_credentials(
        answer({"access_token": "a"}),
        provider(token_extras=Extras),
        connector="x",
        received_at=NOW,
    )
    assert malformed.failure() == TokenMalformed("x", "$.instance_url")


def judged(status: int, body: object) -> RefreshOutcome:
    """What a response means."""
    return judge_client_credentials_refresh(
        HttpResponse(status, (), msgspec.json.encode(body)),
        FORGE,
        FORMER,
        connector="forge",
        received_at=NOW,
    )


@pytest.mark.parametrize(
    ("refreshable", "tokens", "provider", "expected"),
    [
        (True, FORMER, FORGE, True),
        (False, FORMER, FORGE, False),
        (True, replace(FORMER, refresh_token=Secret("r")), FORGE, False),
        (True, FORMER, PUBLIC, False),
    ],
)
def test_a_client_credentials_grant_is_recognized_by_row_tokens_and_client(
    refreshable: bool, tokens: TokenSet, provider: OAuthProvider, expected: bool
) -> None:
    """It can be renewed without a refresh token, by a client that can authenticate."""
    assert (
        uses_client_credentials(replace(GRANT, refreshable=refreshable), tokens, provider)
        is expected
    )


def test_new_tokens_replace_the_old_ones() -> None:
    """A refresh token and its end are ignored. The DPoP key stays."""
    body = {"access_token": "new", "refresh_token": "r", "refresh_expires_in": 9, "expires_in": 60}
    assert judged(200, body) == Refreshed(
        TokenSet(Secret("new"), expires_at=NOW + timedelta(seconds=60), dpop_key=FORMER.dpop_key)
    )


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {}),
        (400, {"error": "invalid_grant"}),
        (500, {}),
        (502, {}),
    ],
)
def test_no_response_ends_the_grant_or_marks_it(status: int, body: object) -> None:
    """What would end another grant, or leave it unknown, is a failure that is retried."""
    assert judged(status, body) == DefiniteFailure()


def test_a_missing_response_is_a_failure_that_is_retried() -> None:
    """No refresh token was spent."""
    outcome = judge_client_credentials_refresh(
        HttpFailed(sent=True), FORGE, FORMER, connector="forge", received_at=NOW
    )
    assert outcome == DefiniteFailure()


def test_a_refused_client_is_reported_as_such() -> None:
    """The application's settings are wrong, so the client is paused."""
    assert judged(401, {"error": "invalid_client"}) == DefiniteFailure(is_client_credentials=True)
