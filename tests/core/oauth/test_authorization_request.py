"""The way to the provider and back: what is asked, and what is taken for an answer."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igniter_connectors.core.oauth.authorization_request import (
    AuthorizationRequest,
    CookieAuthorization,
    authorization_fields,
    authorization_url,
)
from igniter_connectors.core.oauth.id_token import nonce_of
from igniter_connectors.core.oauth.pkce import challenge_of
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.state import (
    LIFETIME,
)
from igniter_connectors.core.secret import Secret

from .providers import PROVIDER, provider

CANARY = "canary-5f1d"


VERIFIER = "v" * 43
REDIRECT = "https://own.example/connectors/telegram/oauth/callback"
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


# --- the judgement --------------------------------------------------------------------------


# --- back to the application ------------------------------------------------------------------


def test_a_request_does_not_show_its_url() -> None:
    """The URL holds a ticket; who logs the answer of `authorize` logs none."""
    request = AuthorizationRequest(f"https://own.example/start?ticket={CANARY}")
    assert CANARY not in repr(request)
    assert request.expires_in == LIFETIME


def test_what_an_application_sets_itself_is_not_shown() -> None:
    """The state stands in the address, the nonce in the cookie."""
    shown = repr(CookieAuthorization(f"https://x.example/?state={CANARY}", Secret(CANARY)))
    assert CANARY not in shown
