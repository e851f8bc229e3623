"""The keys that a provider signs with. RFC 7517."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Result

from igniter_connectors.core.oauth.jwks import KeySet, judge_keys, keys_request
from igniter_connectors.core.problem import ProviderAnswerMalformed

from .providers import PROVIDER, answer, provider

URL = "https://provider.example/jwks"


def judge(body: object, status: int = 200) -> Result[KeySet, ProviderAnswerMalformed]:
    return judge_keys(answer(body, status), connector="telegram")


def test_the_request_asks_for_the_declared_keys() -> None:
    """It has no credentials."""
    request = keys_request(provider(jwks_url=URL))
    assert request is not None
    assert (request.method, request.url, request.body) == ("GET", URL, b"")
    assert dict(request.headers).keys() == {"Accept", "User-Agent"}
    assert not request.has_tenant_host
    assert keys_request(PROVIDER) is None


def test_a_tenants_host_is_passed_on() -> None:
    """The keys are on that host too."""
    request = keys_request(provider(jwks_url=URL, has_tenant_host=True))
    assert request is not None
    assert request.has_tenant_host


def test_keys_of_other_kinds_are_ignored() -> None:
    """A shared secret proves nothing. An unknown kind does not fail the others (section 5)."""
    keys: list[Any] = [
        {"kty": "RSA", "n": "x"},
        {"kty": "oct", "k": "x"},
        {"kty": "EC"},
        {"kty": "new"},
        {"kty": "OKP"},
        {"kty": ["RSA"]},
        {},
        "RSA",
        None,
    ]
    assert judge({"keys": keys, "more": 1}).unwrap() == KeySet((keys[0], keys[2], keys[4]))
    assert judge({"keys": []}).unwrap() == KeySet(())


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"5", b"\xff", b"[" * 100_000])
def test_a_body_that_is_not_an_object_is_malformed(body: bytes) -> None:
    """It has no keys."""
    assert judge(body).failure() == ProviderAnswerMalformed("telegram", "$")


@pytest.mark.parametrize("status", [199, 201, 302, 404, 500])
def test_only_a_200_has_keys(status: int) -> None:
    """A redirect is not followed."""
    assert judge({"keys": []}, status).failure() == ProviderAnswerMalformed("telegram", "$")


@pytest.mark.parametrize("keys", [None, {}, "x", 5])
def test_keys_are_an_array(keys: object) -> None:
    """Section 5.1."""
    assert judge({"keys": keys}).failure() == ProviderAnswerMalformed("telegram", "$.keys")


@pytest.mark.parametrize(("count", "taken"), [(99, True), (100, True), (101, False)])
def test_there_are_at_most_100_keys(count: int, taken: bool) -> None:
    """A longer list is not tried key by key."""
    judged = judge({"keys": [{"kty": "RSA"}] * count})
    assert (judged.value_or(None) is not None) is taken


@given(st.binary())
def test_any_response_is_judged(body: bytes) -> None:
    """Any bytes give keys or a problem."""
    assert isinstance(judge(body), Result)
