"""The way to the provider and back: what is asked, and what is taken for an answer."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.pipeline import is_successful

from igniter_connectors.core.connector.form_fields import JsonValue
from igniter_connectors.core.http.url import is_own_path
from igniter_connectors.core.oauth.authorization_request import (
    Callback,
    authorization_error,
    authorization_fields,
    authorization_url,
    judge_callback,
    parse_callback,
    with_problem,
)
from igniter_connectors.core.oauth.id_token import nonce_of
from igniter_connectors.core.oauth.pkce import challenge_of
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.problem import (
    AuthorizationDenied,
    IssuerMismatch,
    OAuthStateInvalid,
)

from .providers import PROVIDER, provider

VERIFIER = "v" * 43
REDIRECT = "https://own.example/connectors/telegram/oauth/callback"
ISSUER = "https://provider.example"
TEXT = st.text(st.characters(codec="utf-8"))


def asked_of(judged: OAuthProvider, state: str = "state") -> list[tuple[str, str]]:
    url = authorization_url(judged, redirect_uri=REDIRECT, state=state, verifier=VERIFIER)
    return parse_qsl(urlsplit(url).query, keep_blank_values=True)


# --- the request --------------------------------------------------------------------------


@given(TEXT.filter(bool))
def test_the_request_says_all_that_the_rfcs_ask(state: str) -> None:
    """Code flow, client, redirect, state and an S256 challenge, each once; never the verifier."""
    asked = asked_of(PROVIDER, state)
    assert sorted(asked) == sorted(
        {
            "response_type": "code",
            "client_id": "client",
            "redirect_uri": REDIRECT,
            "state": state,
            "code_challenge": challenge_of(VERIFIER),
            "code_challenge_method": "S256",
        }.items()
    )


def test_the_request_goes_to_the_provider() -> None:
    """Scheme, host and path are the declared ones."""
    url = authorization_url(PROVIDER, redirect_uri=REDIRECT, state="s", verifier=VERIFIER)
    assert url.startswith(f"{PROVIDER.authorization_url}?")


@pytest.mark.parametrize(
    ("separator", "asked"), [(" ", "read write"), (",", "read,write"), ("+", "read+write")]
)
def test_scopes_are_joined_as_the_provider_wants(separator: str, asked: str) -> None:
    """In order, with its own separator (RFC 6749 section 3.3)."""
    judged = provider(oauth_scopes=("read", "write"), oauth_scope_separator=separator)
    assert ("scope", asked) in asked_of(judged)


def test_without_scopes_none_are_asked() -> None:
    """An empty `scope` is not sent."""
    assert "scope" not in dict(asked_of(PROVIDER))


def test_extra_parameters_are_sent_along() -> None:
    """What a provider needs besides."""
    asked = asked_of(provider(authorization_parameters={"prompt": "consent", "hd": "a b"}))
    assert ("prompt", "consent") in asked
    assert ("hd", "a b") in asked


@given(st.dictionaries(st.sampled_from(["state", "redirect_uri", "client_id", "x"]), TEXT))
def test_extra_parameters_never_replace_the_flows_own(extra: dict[str, str]) -> None:
    """Even a provider that was never judged cannot choose state, redirect or client."""
    asked = dict(asked_of(provider(authorization_parameters=extra)))
    own = (asked["state"], asked["redirect_uri"], asked["client_id"])
    assert own == ("state", REDIRECT, "client")


def test_the_endpoints_own_query_is_kept() -> None:
    """Section 3.1 says so; a name that the flow uses itself is sent once, with the flow's value."""
    url = f"{PROVIDER.authorization_url}?tenant=a&tenant=b&state=evil&redirect_uri=evil"
    asked = asked_of(provider(authorization_url=url))
    assert [value for name, value in asked if name == "tenant"] == ["a", "b"]
    assert [value for name, value in asked if name == "state"] == ["state"]
    assert [value for name, value in asked if name == "redirect_uri"] == [REDIRECT]


OPENID = provider(
    issuer="https://provider.example",
    jwks_url="https://provider.example/jwks",
    oauth_scopes=("openid",),
)


def test_an_openid_provider_is_given_a_nonce() -> None:
    """It binds the ID token to this authorization; no other provider is sent one."""
    assert ("nonce", nonce_of(VERIFIER)) in asked_of(OPENID)
    assert "nonce" not in dict(asked_of(PROVIDER))
    assert "nonce" not in dict(asked_of(provider(oauth_scopes=("openid",))))


def test_the_fields_are_those_of_the_address() -> None:
    """Deposited or sent through the browser, the request is one."""
    fields = authorization_fields(OPENID, redirect_uri=REDIRECT, state="state", verifier=VERIFIER)
    assert fields == dict(asked_of(OPENID))


# --- the callback ---------------------------------------------------------------------------


@given(TEXT.filter(bool), TEXT, TEXT, TEXT)
def test_a_callback_is_read_as_it_was_written(state: str, code: str, error: str, iss: str) -> None:
    """Every character of each parameter survives; what else is in the query is no matter."""
    sent = {"state": state, "code": code, "error": error, "iss": iss, "session_state": "x"}
    assert parse_callback(urlencode(sent)) == Callback(state, code, error, iss)


def test_absent_parameters_are_none() -> None:
    """Absent is not empty."""
    assert parse_callback("state=s") == Callback("s", None, None, None)
    assert parse_callback("state=s&code=") == Callback("s", "", None, None)


@pytest.mark.parametrize(
    "query",
    ["", "code=c", "state=", "state=&code=c", "error=access_denied", "STATE=s&code=c", "&&&"],
)
def test_a_callback_without_a_state_is_none(query: str) -> None:
    """Nothing can be looked up without it."""
    assert parse_callback(query) is None


@pytest.mark.parametrize("name", ["state", "code", "error", "iss"])
def test_a_parameter_given_twice_is_refused(name: str) -> None:
    """Of two values neither is to be trusted (section 3.1), not even if they are equal."""
    query = f"state=s&code=c&error=e&iss=i&{name}=x"
    assert parse_callback(query) is None
    assert parse_callback("state=s&code=c&other=1&other=2") is not None


@pytest.mark.parametrize(("fields", "taken"), [(63, True), (64, True), (65, False)])
def test_a_callback_has_at_most_64_fields(fields: int, taken: bool) -> None:
    """A query that somebody blew up is not worked through."""
    query = "&".join(["state=s", *(f"x{number}=1" for number in range(fields - 1))])
    assert (parse_callback(query) is not None) is taken


@given(st.text())
def test_any_query_is_a_callback_or_none(query: str) -> None:
    """What a stranger puts behind the `?` never raises."""
    for candidate in (query, f"state=s&{query}"):
        callback = parse_callback(candidate)
        assert callback is None or callback.state


def test_a_callback_does_not_show_itself() -> None:
    """Code and state stay out of logs."""
    assert repr(Callback("canary", "canary", "canary", "canary")) == "Callback(…)"


# --- the judgement --------------------------------------------------------------------------


def callback(
    code: str | None = None, error: str | None = None, issuer: str | None = None
) -> Callback:
    return Callback("state", code, error, issuer)


KNOWING = provider(issuer=ISSUER)
EXPECTING = provider(issuer=ISSUER, sends_issuer=True)


@pytest.mark.parametrize("length", [1, 8191, 8192])
def test_a_code_is_taken(length: int) -> None:
    """Up to 8,192 characters."""
    judged = judge_callback(callback("c" * length), PROVIDER, connector="telegram")
    assert judged.unwrap() == "c" * length


@pytest.mark.parametrize("code", [None, "", "c" * 8193])
def test_no_usable_code_is_an_invalid_state(code: str | None) -> None:
    """None, an empty one, or one character too many."""
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
def test_a_known_error_is_told(error: str) -> None:
    """The codes of the RFCs go to the caller, who acts on them; a code beside one is not used."""
    judged = judge_callback(callback("code", error), PROVIDER, connector="telegram")
    assert judged.failure() == AuthorizationDenied("telegram", error)


@pytest.mark.parametrize("error", [None, 5, {}, [], True, "zqCanary", "", "ACCESS_DENIED"])
def test_what_is_no_code_of_the_rfcs_is_other(error: JsonValue) -> None:
    """Whatever its type."""
    assert authorization_error(error) == "other"


@given(TEXT)
def test_an_unknown_error_is_not_repeated(error: str) -> None:
    """The provider's, or an attacker's, own text stays out of problems."""
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
    """No normalizing; a server known to send it has to (RFC 9207 section 2.4)."""
    result = judge_callback(callback("code", issuer=issuer), judged, connector="telegram")
    assert is_successful(result) is taken
    if not taken:
        assert result.failure() == IssuerMismatch("telegram")


def test_the_issuer_is_judged_before_the_error() -> None:
    """An error from another server may be forged too."""
    forged = callback(None, "access_denied", "https://evil.example")
    judged = judge_callback(forged, KNOWING, connector="telegram")
    assert judged.failure() == IssuerMismatch("telegram")


# --- back to the application ------------------------------------------------------------------


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
def test_our_own_words_join_the_query(return_to: str, there: str) -> None:
    """What the application put there is kept, in its order, and the fragment stays last."""
    assert with_problem(return_to, {"error": "X"}) == there


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126)).map("/".__add__))
def test_a_path_of_ones_own_stays_one(return_to: str) -> None:
    """Adding to the query does not turn a path into another site's."""
    if is_own_path(return_to):
        assert is_own_path(with_problem(return_to, {"error": "X"}))
