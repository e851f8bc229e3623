"""The callback: its parameters, and how it is judged."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.pipeline import is_successful

from igniter_connectors.core.http.safe_url import is_safe_return_path
from igniter_connectors.core.oauth.callback import (
    Callback,
    judge_callback,
    parse_callback,
    with_problem,
)
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.problem import (
    AuthorizationDenied,
    IssuerMismatch,
    OAuthStateInvalid,
)

from .providers import PROVIDER, provider

ISSUER = "https://provider.example"
KNOWING = provider(issuer=ISSUER)
EXPECTING = provider(issuer=ISSUER, sends_issuer=True)
TEXT = st.text(st.characters(codec="utf-8"))


@given(TEXT.filter(bool), TEXT, TEXT, TEXT)
def test_the_parameters_are_read_unchanged(state: str, code: str, error: str, iss: str) -> None:
    """Every character of each parameter is kept; other parameters are ignored."""
    sent = {"state": state, "code": code, "error": error, "iss": iss, "session_state": "x"}
    assert parse_callback(urlencode(sent)) == Callback(state, code, error, iss)


def test_absent_parameters_are_none() -> None:
    """An absent parameter is not the same as an empty one."""
    assert parse_callback("state=s") == Callback("s", None, None, None)
    assert parse_callback("state=s&code=") == Callback("s", "", None, None)


@pytest.mark.parametrize(
    "query",
    ["", "code=c", "state=", "state=&code=c", "error=access_denied", "STATE=s&code=c", "&&&"],
)
def test_a_callback_without_a_state_is_none(query: str) -> None:
    """Without a state there is nothing to look up."""
    assert parse_callback(query) is None


@pytest.mark.parametrize("name", ["state", "code", "error", "iss"])
def test_a_parameter_given_twice_is_refused(name: str) -> None:
    """Two values are ambiguous (section 3.1), even if they are equal."""
    query = f"state=s&code=c&error=e&iss=i&{name}=x"
    assert parse_callback(query) is None
    assert parse_callback("state=s&code=c&other=1&other=2") is not None


@pytest.mark.parametrize(("fields", "taken"), [(63, True), (64, True), (65, False)])
def test_a_callback_has_at_most_64_fields(fields: int, taken: bool) -> None:
    """A longer query is not parsed."""
    query = "&".join(["state=s", *(f"x{number}=1" for number in range(fields - 1))])
    assert (parse_callback(query) is not None) is taken


@given(st.text())
def test_any_query_is_a_callback_or_none(query: str) -> None:
    """No query raises an exception."""
    for candidate in (query, f"state=s&{query}"):
        callback = parse_callback(candidate)
        assert callback is None or callback.state


def test_a_callback_does_not_show_its_values() -> None:
    """Code and state do not reach a log."""
    assert repr(Callback("canary", "canary", "canary", "canary")) == "Callback(…)"


def callback(
    code: str | None = None, error: str | None = None, issuer: str | None = None
) -> Callback:
    return Callback("state", code, error, issuer)


@pytest.mark.parametrize("length", [1, 8191, 8192])
def test_a_code_is_accepted(length: int) -> None:
    """Up to 8,192 characters."""
    judged = judge_callback(callback("c" * length), PROVIDER, connector="telegram")
    assert judged.unwrap() == "c" * length


@pytest.mark.parametrize("code", [None, "", "c" * 8193])
def test_a_callback_without_a_usable_code_is_an_invalid_state(code: str | None) -> None:
    """No code, an empty one, or one character too many."""
    judged = judge_callback(callback(code), PROVIDER, connector="telegram")
    assert judged.failure() == OAuthStateInvalid("telegram")


@pytest.mark.parametrize(
    "error",
    [
        # RFC 6749 section 4.1.2.1, and 5.2 where a pushed request is refused (RFC 9126)
        "invalid_request", "unauthorized_client", "access_denied", "unsupported_response_type",
        "invalid_scope", "server_error", "temporarily_unavailable", "invalid_client",
        # OpenID Connect Core section 3.1.2.6
        "interaction_required", "login_required", "account_selection_required",
        "consent_required", "invalid_request_uri", "invalid_request_object",
        "request_not_supported", "request_uri_not_supported", "registration_not_supported",
    ],
)  # fmt: skip
def test_a_known_error_is_returned(error: str) -> None:
    """The caller gets the codes of the RFCs. A code beside an error is not used."""
    judged = judge_callback(callback("code", error), PROVIDER, connector="telegram")
    assert judged.failure() == AuthorizationDenied("telegram", error)


@given(TEXT)
def test_an_unknown_error_is_not_repeated(error: str) -> None:
    """Text of the provider, or of an attacker, does not reach a problem."""
    judged = judge_callback(callback("code", f"zq {error}"), PROVIDER, connector="telegram")
    assert judged.failure() == AuthorizationDenied("telegram", "other")


@pytest.mark.parametrize(
    ("judged", "issuer", "taken"),
    [
        (PROVIDER, None, True),
        (PROVIDER, "https://anybody.example", True),
        (KNOWING, None, True),
        (KNOWING, ISSUER, True),
        (KNOWING, f"{ISSUER}/", False),
        (KNOWING, ISSUER.upper(), False),
        (KNOWING, "https://provider.example:443", False),
        (KNOWING, "", False),
        (EXPECTING, ISSUER, True),
        (EXPECTING, None, False),
        (EXPECTING, "https://evil.example", False),
    ],
)
def test_the_issuer_is_compared_as_a_plain_string(
    judged: OAuthProvider, issuer: str | None, taken: bool
) -> None:
    """Without normalizing. A server that is known to send it has to (RFC 9207 section 2.4)."""
    result = judge_callback(callback("code", issuer=issuer), judged, connector="telegram")
    assert is_successful(result) is taken
    if not taken:
        assert result.failure() == IssuerMismatch("telegram")


def test_the_issuer_is_judged_before_the_error() -> None:
    """An error from another server may also be forged."""
    forged = callback(None, "access_denied", "https://evil.example")
    judged = judge_callback(forged, KNOWING, connector="telegram")
    assert judged.failure() == IssuerMismatch("telegram")


@pytest.mark.parametrize(
    ("return_to", "there"),
    [
        ("/", "/?error=X"),
        ("/settings", "/settings?error=X"),
        ("/settings?tab=1&tab=2&empty=", "/settings?tab=1&tab=2&empty=&error=X"),
        ("/settings?tab=1#done", "/settings?tab=1&error=X#done"),
        ("/with%20space", "/with%20space?error=X"),
    ],
)
def test_the_outcome_is_added_to_the_query(return_to: str, there: str) -> None:
    """The application's own parameters stay, in their order, and the fragment stays last."""
    assert with_problem(return_to, {"error": "X"}) == there


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126)).map("/".__add__))
def test_a_path_on_our_site_stays_on_our_site(return_to: str) -> None:
    """A longer query does not turn the path into another site's URL."""
    if is_safe_return_path(return_to):
        assert is_safe_return_path(with_problem(return_to, {"error": "X"}))
