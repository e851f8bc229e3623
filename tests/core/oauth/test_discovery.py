"""A server's own description: taken only from the server that it describes."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.pipeline import is_successful
from returns.result import Result

from igniter_connectors.core.oauth.discovery import (
    ServerMetadata,
    discovery_request,
    judge_discovery,
)
from igniter_connectors.core.problem import DiscoveryFailed

from .providers import answer

CANARY: Final = "zqCanary"
ISSUER: Final = "https://provider.example"
DOCUMENT: Final[dict[str, Any]] = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
}


@pytest.mark.parametrize(
    ("issuer", "url"),
    [
        (ISSUER, f"{ISSUER}/.well-known/openid-configuration"),
        (f"{ISSUER}/", f"{ISSUER}/.well-known/openid-configuration"),
        (f"{ISSUER}/tenant", f"{ISSUER}/tenant/.well-known/openid-configuration"),
    ],
)
def test_the_document_lies_below_the_issuer(issuer: str, url: str) -> None:
    """With one slash between, whether the issuer ends in one or not (Discovery section 4.1)."""
    request = discovery_request(issuer)
    assert (request.method, request.url) == ("GET", url)
    assert request.header("accept") == "application/json"


def test_the_issuers_own_document_is_taken() -> None:
    """What it names is read, what it leaves out is None, what is not needed is passed over."""
    least = judge_discovery(answer({**DOCUMENT, "op_policy_uri": "x"}), ISSUER).unwrap()
    assert least == ServerMetadata(ISSUER, f"{ISSUER}/authorize", f"{ISSUER}/token")
    more = {
        "userinfo_endpoint": f"{ISSUER}/me",
        "revocation_endpoint": f"{ISSUER}/revoke",
        "authorization_response_iss_parameter_supported": True,
    }
    whole = judge_discovery(answer({**DOCUMENT, **more}), ISSUER).unwrap()
    assert whole.userinfo_endpoint == f"{ISSUER}/me"
    assert whole.revocation_endpoint == f"{ISSUER}/revoke"
    assert whole.authorization_response_iss_parameter_supported is True


@pytest.mark.parametrize(
    "issuer", [f"{ISSUER}/", ISSUER.upper(), "http://provider.example", f"{ISSUER}:443", "", CANARY]
)
def test_another_issuers_document_is_refused(issuer: str) -> None:
    """Compared as a plain string (RFC 8414 section 3.3); the other's name is not repeated."""
    judged = judge_discovery(answer({**DOCUMENT, "issuer": issuer}), ISSUER)
    problem = judged.failure()
    assert problem == DiscoveryFailed(ISSUER, "the document names another issuer")
    assert CANARY not in f"{problem!r} {problem.message}"


@pytest.mark.parametrize("member", DOCUMENT)
def test_a_document_lacks_nothing_that_is_needed(member: str) -> None:
    """Issuer and both endpoints; what is missing or of another type is named."""
    rest = {name: value for name, value in DOCUMENT.items() if name != member}
    for document in (rest, {**DOCUMENT, member: 5}):
        problem = judge_discovery(answer(document), ISSUER).failure()
        assert f"$.{member}" in problem.reason


@pytest.mark.parametrize("status", [199, 201, 302, 404, 500])
def test_only_a_200_is_a_document(status: int) -> None:
    """A redirect is not followed, and a page of another status is not read."""
    assert not is_successful(judge_discovery(answer(DOCUMENT, status), ISSUER))


@given(st.binary(), st.sampled_from([200, 404]))
def test_any_body_is_judged(body: bytes, status: int) -> None:
    """Whatever bytes come back, there is a description or a problem."""
    assert isinstance(judge_discovery(answer(body, status), ISSUER), Result)


@given(st.dictionaries(st.sampled_from([*DOCUMENT, "x"]), st.text() | st.integers()))
def test_no_problem_repeats_the_document(fields: dict[str, object]) -> None:
    """A stranger's server writes nothing into what we show."""
    document = {name: f"{CANARY}{value}" for name, value in fields.items()} | {CANARY: CANARY}
    problem = judge_discovery(answer(document), ISSUER).failure()
    shown = f"{problem!r} {problem.message} {msgspec.json.encode(problem).decode()}"
    assert CANARY not in shown
