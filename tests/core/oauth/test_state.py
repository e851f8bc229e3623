"""The state of an authorization: hashes that bind, cookies that do not clobber one another."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from igniter_connectors.core.http.url import url_safe
from igniter_connectors.core.oauth.state import (
    COOKIE_SECONDS,
    LIFETIME,
    AuthorizationPayload,
    AuthorizationRequest,
    CookieAuthorization,
    browser_binding,
    clear_cookie,
    cookie_name,
    cookie_value,
    set_cookie,
    state_hash,
    subject_binding,
    ticket_hash,
    unbound_browser,
)
from igniter_connectors.core.secret import Secret

CANARY = "canary-5f1d"
STATES = st.binary(min_size=32, max_size=32).map(url_safe)
ANY_TEXT = st.text(st.characters(codec=None))


# --- hashes ---------------------------------------------------------------------------------


@given(ANY_TEXT, ANY_TEXT)
def test_a_hash_is_of_one_text_alone(one: str, other: str) -> None:
    """Two states, tickets or subjects never share a row."""
    for hashed in (state_hash, ticket_hash, subject_binding):
        assert (hashed(one) == hashed(other)) == (one == other)
        assert len(hashed(one)) == 32


@given(ANY_TEXT)
def test_no_kind_of_hash_stands_in_for_another(text: str) -> None:
    """A ticket is no state, and a subject no browser, though the text be the same."""
    hashes = {
        state_hash(text),
        ticket_hash(text),
        subject_binding(text),
        browser_binding(text, ""),
        browser_binding("", text),
        unbound_browser(text),
    }
    assert len(hashes) == (6 if text else 5)


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_no_browser_is_none_that_a_nonce_could_name(nonce: str, one: str, other: str) -> None:
    """A bound flow is never to be had without its binding, nor the other way round."""
    assert unbound_browser(one) != browser_binding(nonce, other)
    assert (unbound_browser(one) == unbound_browser(other)) == (one == other)


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT, ANY_TEXT)
@example("ab", "c", "a", "bc")
@example("", "a", "a", "")
@example("a\x00", "b", "a", "\x00b")
def test_browser_and_subject_bind_each_for_itself(a: str, b: str, c: str, d: str) -> None:
    """However nonce and subject are cut, another pair is another binding."""
    assert (browser_binding(a, b) == browser_binding(c, d)) == ((a, b) == (c, d))


def test_a_hash_does_not_hold_its_text() -> None:
    """Who reads the table cannot finish the flow."""
    assert state_hash(CANARY) != CANARY.encode()
    assert CANARY.encode() not in state_hash(CANARY) + browser_binding(CANARY, CANARY)


# --- cookies --------------------------------------------------------------------------------


@given(STATES)
def test_the_name_is_of_the_flow(state: str) -> None:
    """Eight digits of the state's hash; with `__Host-` wherever the base is secure."""
    digits = state_hash(state).hex()[:8]
    assert cookie_name(state, secure=True) == f"__Host-igniter-{digits}"
    assert cookie_name(state, secure=False) == f"igniter-{digits}"


def attributes(cookie: str) -> tuple[str, set[str]]:
    pair, *rest = cookie.split("; ")
    return pair, set(rest)


def test_a_secure_cookie_is_one_that_browsers_take_as_host() -> None:
    """Secure, path `/`, no domain: else `__Host-` is refused (RFC 6265bis section 4.1.3.2)."""
    assert attributes(set_cookie("__Host-x", "nonce", secure=True)) == (
        "__Host-x=nonce",
        {"Path=/", "Max-Age=600", "HttpOnly", "SameSite=Lax", "Secure"},
    )


def test_a_cookie_on_loopback_is_not_secure() -> None:
    """Plain http on this machine gets the same without `Secure`."""
    assert attributes(set_cookie("x", "nonce", secure=False)) == (
        "x=nonce",
        {"Path=/", "Max-Age=600", "HttpOnly", "SameSite=Lax"},
    )


@pytest.mark.parametrize("secure", [True, False])
def test_clearing_a_cookie_names_the_same_place(secure: bool) -> None:
    """Same name, path and flags, no value, an age of 0: or the browser keeps it."""
    pair, flags = attributes(clear_cookie("x", secure=secure))
    assert pair == "x="
    given_out = attributes(set_cookie("x", "n", secure=secure))[1]
    assert flags == given_out - {"Max-Age=600"} | {"Max-Age=0"}


def test_the_cookie_lives_as_long_as_the_state() -> None:
    """Ten minutes, both."""
    assert LIFETIME.total_seconds() == COOKIE_SECONDS == 600


@given(STATES, STATES, STATES)
def test_a_cookie_that_was_set_is_read_back(state: str, nonce: str, other: str) -> None:
    """Among others, in any order, as browsers send them."""
    name = cookie_name(state, secure=True)
    mine = attributes(set_cookie(name, nonce, secure=True))[0]
    for header in (mine, f"a=b; {mine}", f"{mine}; __Host-igniter-other={other}", f"a=b;{mine};c"):
        assert cookie_value(header, name) == nonce


@pytest.mark.parametrize(
    ("header", "value"),
    [
        (None, None),
        ("", None),
        ("y=1", None),
        ("xx=1; y=x=1", None),
        ("X=1", None),
        ("x=1; x=2", None),
        ("x=1; x=1", None),
        ("x=1", "1"),
        ("x=", ""),
        ("x", ""),
        ("x=a=b", "a=b"),
        ("  x=1  ", "1"),
    ],
)
def test_a_cookie_is_read_if_it_stands_once(header: str | None, value: str | None) -> None:
    """Absent or given twice is None: a second one may have been planted by a subdomain."""
    assert cookie_value(header, "x") == value


@given(ANY_TEXT, ANY_TEXT)
def test_any_cookie_header_is_read(header: str, name: str) -> None:
    """Whatever a browser sends, there is a value or None."""
    assert cookie_value(header, name) is None or name in header


# --- what is shown --------------------------------------------------------------------------


def test_a_request_does_not_show_its_url() -> None:
    """The URL holds a ticket; who logs the answer of `authorize` logs none."""
    request = AuthorizationRequest(f"https://own.example/start?ticket={CANARY}")
    assert CANARY not in repr(request)
    assert request.expires_in == LIFETIME


def test_a_payload_does_not_show_its_config_or_verifier() -> None:
    """What is sealed in the database is not in clear in a traceback or log either."""
    payload = AuthorizationPayload(
        subject="user",
        config=f'{{"key":"{CANARY}"}}'.encode(),
        oauth_scopes=(),
        return_to="/",
        expected_grant=None,
        replace_account=False,
        verifier=CANARY,
    )
    assert not re.search(CANARY, repr(payload))


def test_what_an_application_sets_itself_is_not_shown() -> None:
    """The state stands in the address, the nonce in the cookie."""
    shown = repr(CookieAuthorization(f"https://x.example/?state={CANARY}", Secret(CANARY)))
    assert CANARY not in shown
