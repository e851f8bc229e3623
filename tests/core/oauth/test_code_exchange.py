"""The exchange of a code for tokens. RFC 6749 section 4.1.3."""

from __future__ import annotations

from urllib.parse import parse_qsl

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igniter_connectors.core.oauth.authorization_request import authorization_fields
from igniter_connectors.core.oauth.code_exchange import exchange_request, judge_exchange
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.provider_validation import provider_fault
from igniter_connectors.core.oauth.token_extras import decode_extras
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.core.problem import TokenMalformed, TokenRefused
from igniter_connectors.core.secret import Secret
from tests.core.examples import NOW

from .providers import PROVIDER, answer, provider
from .test_client_assertion import SIGNING, signing

TEXT = st.text(st.characters(codec="utf-8"))


@given(TEXT, TEXT)
def test_the_request_carries_code_verifier_and_redirect_uri(code: str, redirect_uri: str) -> None:
    """Byte for byte as in the authorization request, whatever their characters."""
    request = exchange_request(PROVIDER, code=code, verifier="v" * 43, redirect_uri=redirect_uri)
    assert dict(parse_qsl(request.body.decode("ascii"), keep_blank_values=True)) == {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": "v" * 43,
    }
    assert request.url == PROVIDER.token_url


class Site(msgspec.Struct):
    instance_url: str
    id: str | None = None


SALESFORCE = provider(token_extras=Site)


def judge(body: object, judged: OAuthProvider = SALESFORCE, status: int = 200) -> object:
    result = judge_exchange(answer(body, status), judged, connector="salesforce", received_at=NOW)
    return result.value_or(None) or result.failure()


def test_the_declared_extras_come_with_the_tokens() -> None:
    """With their types."""
    tokens = judge({"access_token": "a", "instance_url": "https://x.example"})
    assert isinstance(tokens, TokenSet)
    assert tokens.extras is not None
    assert decode_extras(tokens.extras, Site).unwrap() == Site("https://x.example")


@pytest.mark.parametrize("site", [{}, {"instance_url": 5}, {"instance_url": None}])
def test_extras_that_are_missing_make_an_exchange_malformed(site: dict[str, object]) -> None:
    """There is no connection yet that could be lost. The problem names the path."""
    told = TokenMalformed("salesforce", "$.instance_url")
    assert judge({"access_token": "a", **site}) == told


def test_without_declared_extras_the_result_is_that_of_judge_token() -> None:
    """Tokens, and every refusal."""
    assert judge({"access_token": "a"}, PROVIDER) == TokenSet(Secret("a"))
    refused = TokenRefused("salesforce", "invalid_grant")
    assert judge({"error": "invalid_grant"}, status=400) == refused
    assert judge({"error": "invalid_grant"}, PROVIDER, 400) == refused
    assert judge(b"<html>") == TokenMalformed("salesforce", "$")


def test_a_client_that_signs_sends_an_assertion() -> None:
    """Instead of a secret."""
    request = exchange_request(signing(), code="c", verifier="v", redirect_uri="r", signing=SIGNING)
    assert b"client_assertion=" in request.body


def test_no_pkce_is_sent_to_a_provider_that_refuses_it() -> None:
    """LinkedIn answers a code_verifier with 401. State and cookie protect the code."""
    refusing = provider(pkce=False)
    sent = exchange_request(refusing, code="c", verifier="v" * 43, redirect_uri="https://o.example")
    assert b"code_verifier" not in sent.body
    asked = authorization_fields(refusing, redirect_uri="https://o", state="s", verifier="v" * 43)
    assert not {"code_challenge", "code_challenge_method"} & asked.keys()
    assert {"code_challenge", "code_challenge_method"} <= authorization_fields(
        PROVIDER, redirect_uri="https://o", state="s", verifier="v" * 43
    ).keys()
    assert provider_fault(refusing) is None
    assert provider_fault(provider(pkce=False, client_secret=None)) is not None
