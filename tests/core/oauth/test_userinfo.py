"""Which account a token belongs to."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from returns.pipeline import is_successful
from returns.result import Result

from igniter_connectors.core.connection.view import UpstreamAccount
from igniter_connectors.core.http.messages import HttpResponse
from igniter_connectors.core.json_value import JsonValue
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.core.oauth.userinfo import judge_userinfo, userinfo_request
from igniter_connectors.core.problem import UserInfoMalformed
from igniter_connectors.core.secret import Secret

from .providers import PROVIDER, SPENT, answer, provider

CANARY = "zqCanary"


def judge(
    response: HttpResponse, judged: OAuthProvider = PROVIDER
) -> Result[UpstreamAccount, UserInfoMalformed]:
    return judge_userinfo(response, judged, connector="telegram")


def account(**fields: Any) -> UpstreamAccount:
    return judge(answer(fields)).unwrap()


def test_the_request_carries_the_token_in_a_header() -> None:
    """Never in the address, where it would be logged (RFC 6750 section 2.1)."""
    request = userinfo_request(provider(userinfo_url="https://provider.example/me"), SPENT)
    assert request is not None
    assert (request.method, request.url) == ("GET", "https://provider.example/me")
    assert request.header("authorization") == "Bearer old-access"
    assert request.header("accept") == "application/json"
    assert "old-access" not in repr(request)


@pytest.mark.parametrize("name", ["sub", "id", "user_id", "userId", "account_id"])
def test_the_usual_names_of_a_subject(name: str) -> None:
    """OpenID's name first, then older ones."""
    assert account(**{name: "u-1"}) == UpstreamAccount("u-1")


def test_name_address_and_picture_are_read() -> None:
    """By OpenID's names."""
    assert account(sub="u-1", name="Ada", email="a@x.example", picture="https://x/p") == (
        UpstreamAccount("u-1", "Ada", "a@x.example", "https://x/p")
    )


def test_github_is_understood() -> None:
    """A numeric id, `login` beside an empty name, an `avatar_url`."""
    assert account(id=583231, name=None, login="octocat", avatar_url="https://x/a") == (
        UpstreamAccount("583231", "octocat", "", "https://x/a")
    )


def test_the_first_usable_name_counts() -> None:
    """An empty string, null or a boolean is skipped."""
    assert account(sub="", id="second").subject == "second"
    assert account(sub=None, id="second").subject == "second"
    assert account(sub=True, id="second").subject == "second"
    assert account(sub=[], id={}, user_id=0).subject == "0"
    assert account(sub=1.5, id="second").subject == "second"


@pytest.mark.parametrize("length", [1, 254, 255])
def test_a_subject_of_up_to_255_characters(length: int) -> None:
    """The longest that is stored."""
    assert account(sub="x" * length).subject == "x" * length


@pytest.mark.parametrize(
    "fields", [{}, {"sub": ""}, {"sub": "x" * 256}, {"sub": "a\nb"}, {"sub": "\x00"}, {"sub": True}]
)
def test_without_a_usable_subject_it_is_malformed(fields: dict[str, object]) -> None:
    """None, one character too long, or text that no store accepts."""
    assert judge(answer(fields)).failure() == UserInfoMalformed("telegram")


@pytest.mark.parametrize("status", [199, 201, 204, 302, 401, 500])
def test_only_a_200_has_an_account(status: int) -> None:
    """The body of an error is not read, even if it looks like an account."""
    assert judge(answer({"sub": "u-1"}, status)).failure() == UserInfoMalformed("telegram")


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"null", b'"u-1"', b"sub=u-1", b"\xff", b"[" * 100_000]
)
def test_a_body_that_is_not_an_object_is_malformed(body: bytes) -> None:
    """A page, a list or a form has no account."""
    assert judge(answer(body)).failure() == UserInfoMalformed("telegram")


@given(st.binary(), st.sampled_from([200, 400]))
@example(b'{"id":' + b"9" * 4_000 + b"}", 200)
@example(b'{"id":' + b"9" * 5_000 + b"}", 200)
@example(b'{"id":"\\ud800"}', 200)
def test_any_body_is_judged(body: bytes, status: int) -> None:
    """Any bytes give an account or a problem."""
    assert isinstance(judge(answer(body, status)), Result)


JSON = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers())


@given(st.dictionaries(st.sampled_from(["sub", "id", "name", "email", "login", "picture"]), JSON))
def test_any_object_is_judged(fields: dict[str, object]) -> None:
    """Any values give a problem, or an account whose subject can be stored."""
    judged = judge(answer(fields))
    if is_successful(judged):
        found = judged.unwrap()
        assert 0 < len(found.subject) <= 255
        assert found.subject.isprintable()
        shown = (found.name, found.email, found.avatar)
        assert [type(text) for text in shown] == [str, str, str]


def test_no_problem_repeats_the_response() -> None:
    """The caller does not see text of the provider."""
    judged = judge(answer({"name": CANARY, "sub": f"{CANARY}\n"}))
    problem = judged.failure()
    assert CANARY not in f"{judged!r} {problem.message} {msgspec.json.encode(problem).decode()}"


# --- custom parsers ---------------------------------------------------------------------------


def of_a_team(body: dict[str, JsonValue]) -> UpstreamAccount:
    """Reads a workspace as the subject, as an application's own parser does."""
    team = body["team"]
    assert isinstance(team, dict)
    return UpstreamAccount(str(team["id"]))


def test_a_custom_parser_finds_the_subject() -> None:
    """Its result is treated like that of the built-in reader."""
    slack = provider(parse_userinfo=of_a_team)
    assert judge(answer({"team": {"id": "T1"}}), slack).unwrap() == UpstreamAccount("T1")
    assert judge(answer({"team": {"id": ""}}), slack).failure() == UserInfoMalformed("telegram")
    assert judge(answer({"team": {"id": "a\nb"}}), slack).failure() == UserInfoMalformed("telegram")


@pytest.mark.parametrize("body", [{}, {"team": CANARY}, {"team": {}}])
def test_a_custom_parser_that_raises_makes_the_response_malformed(body: dict[str, object]) -> None:
    """The problem has nothing of the exception."""
    judged = judge(answer(body), provider(parse_userinfo=of_a_team))
    assert judged.failure() == UserInfoMalformed("telegram")


def test_a_bound_token_names_its_scheme() -> None:
    """RFC 9449 section 7.1; a tenant's host is passed on."""
    tokens = TokenSet(Secret("t"), token_type="dpop")
    judged = provider(userinfo_url="https://p.example/me", has_tenant_host=True)
    request = userinfo_request(judged, tokens)
    assert request is not None
    assert request.header("authorization") == "DPoP t"
    assert request.has_tenant_host


def test_user_info_may_be_a_graphql_query_with_headers_of_the_provider() -> None:
    """It is posted in JSON. Without an address there is no request."""
    judged = provider(
        userinfo_url="https://p.example/graphql",
        userinfo_graphql="{ me { id } }",
        request_headers={"Client-Id": "{client_id}"},
    )
    request = userinfo_request(judged, SPENT)
    assert request is not None
    assert (request.method, request.body) == ("POST", b'{"query":"{ me { id } }"}')
    assert request.header("content-type") == "application/json"
    assert request.header("client-id") == "client"
    assert userinfo_request(PROVIDER, SPENT) is None
