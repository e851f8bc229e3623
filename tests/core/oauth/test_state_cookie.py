"""The state cookie: its name, its attributes, and how it is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igniter_connectors.core.http.base64url import encode_base64url
from igniter_connectors.core.oauth.state import (
    LIFETIME,
    state_hash,
)
from igniter_connectors.core.oauth.state_cookie import (
    COOKIE_SECONDS,
    clear_cookie,
    cookie_name,
    cookie_value,
    set_cookie,
)

STATES = st.binary(min_size=32, max_size=32).map(encode_base64url)
ANY_TEXT = st.text(st.characters(codec=None))


@given(STATES)
def test_the_name_is_of_the_flow(state: str) -> None:
    """Eight digits of the state's hash, with `__Host-` if the base URL is secure."""
    digits = state_hash(state).hex()[:8]
    assert cookie_name(state, secure=True) == f"__Host-igniter-{digits}"
    assert cookie_name(state, secure=False) == f"igniter-{digits}"


def attributes(cookie: str) -> tuple[str, set[str]]:
    pair, *rest = cookie.split("; ")
    return pair, set(rest)


def test_a_secure_cookie_is_one_that_browsers_take_as_host() -> None:
    """Secure, path `/`, no domain: otherwise browsers refuse `__Host-` (RFC 6265bis section
    4.1.3.2)."""
    assert attributes(set_cookie("__Host-x", "nonce", secure=True)) == (
        "__Host-x=nonce",
        {"Path=/", "Max-Age=600", "HttpOnly", "SameSite=Lax", "Secure"},
    )


def test_a_cookie_on_loopback_is_not_secure() -> None:
    """Plain http on this machine gets the same cookie without `Secure`."""
    assert attributes(set_cookie("x", "nonce", secure=False)) == (
        "x=nonce",
        {"Path=/", "Max-Age=600", "HttpOnly", "SameSite=Lax"},
    )


@pytest.mark.parametrize("secure", [True, False])
def test_clearing_a_cookie_names_the_same_place(secure: bool) -> None:
    """Same name, path and flags, no value, an age of 0. Otherwise the browser keeps it."""
    pair, flags = attributes(clear_cookie("x", secure=secure))
    assert pair == "x="
    given_out = attributes(set_cookie("x", "n", secure=secure))[1]
    assert flags == given_out - {"Max-Age=600"} | {"Max-Age=0"}


def test_the_cookie_lives_as_long_as_the_state() -> None:
    """Both live ten minutes."""
    assert LIFETIME.total_seconds() == COOKIE_SECONDS == 600


@given(STATES, STATES, STATES)
def test_a_cookie_that_was_set_is_read_back(state: str, nonce: str, other: str) -> None:
    """Among other cookies, in any order."""
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
    """Absent or given twice is None: a subdomain may have planted the second one."""
    assert cookie_value(header, "x") == value


@given(ANY_TEXT, ANY_TEXT)
def test_any_cookie_header_is_read(header: str, name: str) -> None:
    """For any header, the result is a value or None."""
    assert cookie_value(header, name) is None or name in header
