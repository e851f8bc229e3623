"""The application's base URL: https, or http on a loopback host."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.pipeline import is_successful

from igniter_connectors.core.http.base_url import BaseUrl, parse_base_url
from igniter_connectors.core.problem import SettingInvalid


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("https://own.example", BaseUrl("https", "own.example", "")),
        ("https://own.example/", BaseUrl("https", "own.example", "")),
        ("https://Own.Example:8443/Path/", BaseUrl("https", "own.example:8443", "/Path")),
        ("HTTPS://own.example", BaseUrl("https", "own.example", "")),
        ("http://localhost:8000", BaseUrl("http", "localhost:8000", "")),
        ("http://LOCALHOST", BaseUrl("http", "localhost", "")),
        ("http://app.localhost", BaseUrl("http", "app.localhost", "")),
        ("http://127.0.0.1/x", BaseUrl("http", "127.0.0.1", "/x")),
        ("http://127.255.255.254", BaseUrl("http", "127.255.255.254", "")),
        ("http://[::1]:8000", BaseUrl("http", "[::1]:8000", "")),
    ],
)
def test_a_base_url_is_https_or_loopback(text: str, base: BaseUrl) -> None:
    """The host is in lower case, the path has no last slash. The printed URL parses again."""
    parsed = parse_base_url(text).unwrap()
    assert parsed == base
    assert parsed.is_secure == text.lower().startswith("https:")
    assert parse_base_url(str(parsed)).unwrap() == parsed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "own.example",
        "//own.example",
        "https://",
        "https:///path",
        "ftp://own.example",
        "javascript:alert(1)",
        "http://own.example",
        "http://10.0.0.1",
        "http://0.0.0.0",
        "http://128.0.0.1",
        "http://[::2]",
        "http://localhost.own.example",
        "http://127.0.0.1.own.example",
        "https://own.example?x=1",
        "https://own.example#x",
        "https://user@own.example",
        "https://user:password@own.example",
        "https://:password@own.example",
        "https://own.example:99999",
        "https://own.example:port",
        "https://[::1",
        "https://own.example\\x",
        "https://own.exa\tmple",
        "https://own.example\n",
        "https://own.example/\u2028",
    ],
)
def test_other_base_urls_are_refused(text: str) -> None:
    """Plain http elsewhere, user names, queries, fragments, and what browsers read in another
    way."""
    problem = parse_base_url(text).failure()
    assert isinstance(problem, SettingInvalid)
    assert "password" not in problem.message


@pytest.mark.parametrize(
    "text", ["https://@own.example", "https://:@own.example", "https://own.example@"]
)
def test_a_base_url_with_an_empty_user_is_refused(text: str) -> None:
    """An `@` makes a redirect_uri that no provider has registered."""
    assert not is_successful(parse_base_url(text))


@pytest.mark.parametrize(
    "text",
    [
        "https://own example",
        "https://own.example ",
        " https://own.example",
        "https://own.example/a b",
    ],
)
def test_a_base_url_with_a_space_is_refused(text: str) -> None:
    """A space that is left in the environment is reported at the start, not by the provider."""
    assert not is_successful(parse_base_url(text))


@given(st.text())
def test_any_text_is_a_base_url_or_a_problem(text: str) -> None:
    """A setting from the environment never makes the parser raise."""
    for candidate in (text, f"https://{text}", f"https://own.example/{text}"):
        parse_base_url(candidate)
