"""Tokens for the client itself. RFC 6749 section 4.4."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qsl

import msgspec
import pytest

from igniter_connectors.core.oauth.client_credentials import (
    client_credentials_request,
    judge_client_credentials,
)
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.core.problem import TokenMalformed, TokenRefused
from igniter_connectors.core.secret import Secret
from tests.core.examples import NOW

from .providers import PROVIDER, answer, provider
from .test_client_assertion import MOMENT, signing


class Extras(msgspec.Struct):
    instance_url: str


def test_the_request_asks_in_the_clients_own_name() -> None:
    """Grant type and scopes, with the client's authentication (section 4.4.2)."""
    request = client_credentials_request(
        provider(oauth_scopes=("a", "b"), oauth_scope_separator=",")
    )
    assert request.url == PROVIDER.token_url
    assert request.body == b"grant_type=client_credentials&scope=a%2Cb"
    assert request.header("authorization") is not None
    assert client_credentials_request(PROVIDER).body == b"grant_type=client_credentials"


def test_a_client_that_signs_asks_too() -> None:
    """With an assertion of its own."""
    form = dict(parse_qsl(client_credentials_request(signing(), moment=MOMENT).body.decode()))
    assert form["grant_type"] == "client_credentials"
    assert "client_assertion" in form


def test_a_public_client_cannot_ask() -> None:
    """Section 4.4: confidential clients only."""
    with pytest.raises(ValueError, match="authenticates"):
        client_credentials_request(provider(client_secret=None))


def test_a_refresh_token_beside_it_is_left_aside() -> None:
    """Section 4.4.3 says that none should come."""
    body = {"access_token": "a", "expires_in": 60, "refresh_token": "r"}
    judged = judge_client_credentials(
        answer({**body, "refresh_token_expires_in": 60}),
        PROVIDER,
        connector="telegram",
        received_at=NOW,
    )
    assert judged.unwrap() == TokenSet(Secret("a"), expires_at=NOW + timedelta(minutes=1))


def test_its_problems_are_those_of_the_token_endpoint() -> None:
    """Refused, malformed, and extras that are missing."""
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
