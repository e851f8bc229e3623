"""A request that is sent to the provider before the browser is redirected. RFC 9126."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qsl

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Result

from igniter_connectors.core.oauth.authorization_request import authorization_fields
from igniter_connectors.core.oauth.pushed_authorization import (
    PushedRequest,
    judge_push,
    push_request,
    pushed_authorization_url,
)
from igniter_connectors.core.problem import AuthorizationDenied, ProviderAnswerMalformed
from tests.core.examples import NOW
from tests.core.vector_files import vectors

from .providers import PROVIDER, answer, provider
from .test_client_assertion import SIGNING, signing

URL = "https://provider.example/par"


class Par(msgspec.Struct):
    client_id: str
    authorization_url: str
    answer: dict[str, str | int]
    refusal: dict[str, str]
    url: str


VECTOR = vectors("rfc9126_par.json", Par)


def judge(
    body: object, status: int = 201
) -> Result[PushedRequest, AuthorizationDenied | ProviderAnswerMalformed]:
    return judge_push(answer(body, status), connector="telegram", received_at=NOW)


def test_the_whole_request_is_pushed() -> None:
    """The body has what the URL would have, with the client's authentication."""
    judged = provider(
        pushed_authorization_url=URL, client_authentication="client_secret_post", token_body="json"
    )
    back, verifier = "https://own.example/cb", "v" * 43
    request = push_request(judged, redirect_uri=back, state="s", verifier=verifier)
    asked = authorization_fields(judged, redirect_uri=back, state="s", verifier=verifier)
    assert request is not None
    assert (request.method, request.url) == ("POST", URL)
    sent = dict(parse_qsl(request.body.decode()))
    assert sent == asked | {"client_secret": "client-secret"}
    assert "request_uri" not in sent


def test_a_client_that_signs_sends_an_assertion() -> None:
    """Instead of a secret."""
    request = push_request(
        signing(pushed_authorization_url=URL),
        redirect_uri="r",
        state="s",
        verifier="v" * 43,
        signing=SIGNING,
    )
    assert request is not None
    assert b"client_assertion=" in request.body


def test_a_provider_without_the_endpoint_gets_no_push() -> None:
    """Then the request goes through the browser."""
    assert push_request(PROVIDER, redirect_uri="r", state="s", verifier="v" * 43) is None


def test_the_examples_of_the_rfc() -> None:
    """The response of section 2.2, the URL of section 4, the refusal of section 2.3."""
    pushed = judge(VECTOR.answer).unwrap()
    assert pushed == PushedRequest(str(VECTOR.answer["request_uri"]), NOW + timedelta(minutes=1))
    judged = provider(client_id=VECTOR.client_id, authorization_url=VECTOR.authorization_url)
    assert pushed_authorization_url(judged, pushed) == VECTOR.url
    assert judge(VECTOR.refusal, 400).failure() == AuthorizationDenied(
        "telegram", "invalid_request"
    )


def test_the_address_keeps_the_endpoints_own_query_and_nothing_else() -> None:
    """Extra parameters were pushed. If they were sent again, they could differ."""
    judged = provider(
        authorization_url="https://provider.example/a?tenant=x&request_uri=evil",
        authorization_parameters={"prompt": "consent"},
    )
    url = pushed_authorization_url(judged, PushedRequest("urn:x", NOW))
    assert url == "https://provider.example/a?tenant=x&client_id=client&request_uri=urn%3Ax"


@pytest.mark.parametrize("status", [100, 200, 202, 302, 400, 401, 413, 429, 500])
def test_only_a_201_is_a_success(status: int) -> None:
    """Section 2.2 names it. Any other status is a refusal."""
    assert judge(VECTOR.answer, status).failure() == AuthorizationDenied("telegram", "other")


@pytest.mark.parametrize("error", ["zqCanary", 5, {"a": 1}, ["b"], True])
def test_an_error_has_only_its_code(error: object) -> None:
    """Also with status 201. The provider's own text is not repeated."""
    judged = judge({**VECTOR.answer, "error": error})
    assert judged.failure() == AuthorizationDenied("telegram", "other")
    known = judge({"error": "invalid_client"}, 401)
    assert known.failure() == AuthorizationDenied("telegram", "invalid_client")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"5"])
def test_a_201_without_an_object_is_malformed(body: bytes) -> None:
    """It has no reference."""
    assert judge(body).failure() == ProviderAnswerMalformed("telegram", "$.request_uri")


@pytest.mark.parametrize(
    "reference", [None, "", 5, ["urn:x"], "urn:\nx", "urn:é", "u" * 2049, "urn:\x7f"]
)
def test_a_reference_is_short_printable_text(reference: object) -> None:
    """It becomes part of a URL."""
    judged = judge({"request_uri": reference, "expires_in": 60})
    assert judged.failure() == ProviderAnswerMalformed("telegram", "$.request_uri")


@pytest.mark.parametrize("length", [1, 2048])
def test_a_reference_has_up_to_2048_characters(length: int) -> None:
    """The shortest and the longest."""
    judged = judge({"request_uri": "u" * length, "expires_in": 60})
    assert judged.unwrap().request_uri == "u" * length


@pytest.mark.parametrize("life", [None, 0, "0", -1, "x", True, [], 10**12])
def test_the_lifetime_of_a_reference_is_positive(life: object) -> None:
    """Section 2.2."""
    judged = judge({"request_uri": "urn:x", "expires_in": life})
    assert judged.failure() == ProviderAnswerMalformed("telegram", "$.expires_in")


def test_a_reference_is_not_shown() -> None:
    """Whoever has it can continue the authorization."""
    assert repr(PushedRequest("urn:x", NOW)) == f"PushedRequest(expires_at={NOW.isoformat()})"


@given(st.binary(), st.sampled_from([200, 201, 400]))
def test_any_response_is_judged(body: bytes, status: int) -> None:
    """Any bytes give a reference or a problem."""
    assert isinstance(judge(body, status), Result)
