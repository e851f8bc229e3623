"""Whether a request comes from our own pages: every other site is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igniter_connectors.core.http.base_url import parse_base_url
from igniter_connectors.core.http.messages import HttpRequest
from igniter_connectors.core.http.same_origin import judge_same_origin
from igniter_connectors.core.problem import RequestRefused

OWN = "https://own.example"


def is_own(base: str, *headers: tuple[str, str]) -> bool:
    """Whether a POST with these headers counts as a request from our own pages."""
    request = HttpRequest("POST", f"{base}/connections/telegram", headers)
    return judge_same_origin(request, parse_base_url(base).unwrap()) is None


def test_a_request_without_either_header_is_refused() -> None:
    """A form on another site in an old browser sends neither header, nor does a program."""
    assert not is_own(OWN)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", "", "Same-Origin", "x"])
def test_sec_fetch_site_decides_before_origin(site: str) -> None:
    """No page can forge `Sec-Fetch-Site`."""
    assert not is_own(OWN, ("Sec-Fetch-Site", site), ("Origin", OWN))


@pytest.mark.parametrize("origin", [OWN, "https://evil.example", "null"])
def test_sec_fetch_site_same_origin_is_accepted(origin: str) -> None:
    """A GET from our own page has no useful `Origin`."""
    assert is_own(OWN, ("sec-fetch-site", "same-origin"), ("Origin", origin))


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "null",
        "http://own.example",
        "https://own.example:8443",
        "https://own.example/",
        "https://own.example.evil.example",
        "https://evil.example",
        "https://sub.own.example",
        "https://own.example@evil.example",
        f"{OWN} {OWN}",
    ],
)
def test_another_origin_is_refused(origin: str) -> None:
    """Scheme, host and port are compared as one string (RFC 6454 section 6.2)."""
    assert not is_own(OWN, ("Origin", origin))


@pytest.mark.parametrize("doubled", [("Origin", OWN), ("origin", "https://evil.example")])
def test_an_origin_given_twice_is_refused(doubled: tuple[str, str]) -> None:
    """Two values are ambiguous, so neither is used."""
    assert not is_own(OWN, ("Origin", OWN), doubled)


@pytest.mark.parametrize(
    ("base", "origin"),
    [
        (OWN, OWN),
        ("https://own.example/integrations", OWN),
        ("https://own.example:8443/integrations", "https://own.example:8443"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("https://own.example:443", OWN),
        ("http://localhost:80", "http://localhost"),
    ],
)
def test_our_own_origin_is_accepted(base: str, origin: str) -> None:
    """As a browser writes it: no path, no default port, IPv6 in brackets."""
    assert is_own(base, ("Origin", origin))


@given(st.text())
def test_any_other_text_is_refused(origin: str) -> None:
    """No text raises an exception."""
    assert is_own(OWN, ("Origin", origin)) == (origin == OWN)


def test_a_refusal_says_what_to_send() -> None:
    """The message tells a program which header to send."""
    base = parse_base_url(f"{OWN}/x").unwrap()
    problem = judge_same_origin(HttpRequest("POST", f"{OWN}/x/y"), base)
    assert isinstance(problem, RequestRefused)
    assert OWN in problem.message
