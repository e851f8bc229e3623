"""URLs below an API base stay on its origin."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.pipeline import is_successful

from igniter_connectors.core.api.api_base import ResolvedApiBase
from igniter_connectors.core.api.api_url import build_api_url

PLACE = ResolvedApiBase("https://api.example", "/v1")
ROOT = ResolvedApiBase("https://api.example", "")


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("/users", "https://api.example/v1/users"),
        ("users", "https://api.example/v1/users"),
        ("users/7?a=1&b=%20", "https://api.example/v1/users/7?a=1&b=%20"),
        ("", "https://api.example/v1"),
        ("?page=2", "https://api.example/v1?page=2"),
        ("/", "https://api.example/v1/"),
        ("/documents:commit", "https://api.example/v1/documents:commit"),
        ("/a//b", "https://api.example/v1/a//b"),
        ("/x?to=https://evil.example", "https://api.example/v1/x?to=https://evil.example"),
        ("/...", "https://api.example/v1/..."),
        ("https://api.example/v2/users?page=2", "https://api.example/v2/users?page=2"),
        ("HTTPS://API.Example:443/v2", "https://api.example/v2"),
        ("https://api.example", "https://api.example/"),
        ("https://api.example?a=1", "https://api.example/?a=1"),
        ("https://api.example//evil.example/x", "https://api.example//evil.example/x"),
    ],
)
def test_an_address_below_an_api(path: str, url: str) -> None:
    """A path is appended to the base path. An absolute URL must have the same origin."""
    assert build_api_url(PLACE, path).unwrap() == url


def test_an_api_without_a_path_has_one_slash() -> None:
    """There is always one slash after the host."""
    assert build_api_url(ROOT, "").unwrap() == "https://api.example/"
    assert build_api_url(ROOT, "?a=1").unwrap() == "https://api.example/?a=1"
    assert build_api_url(ROOT, "users").unwrap() == "https://api.example/users"


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example/x",
        "///evil.example/x",
        "\\\\evil.example/x",
        "/\\evil.example/x",
        "https://evil.example/x",
        "http://api.example/x",
        "https://api.example:8443/x",
        "https://api.example.evil.example/x",
        "https://api.example@evil.example/x",
        "https://user@api.example/x",
        "https://user:pass@api.example/x",
        "https://@api.example/x",
        "https:api.example/x",
        "https:/api.example/x",
        "https:///api.example/x",
        "https:\\\\api.example/x",
        "https://api.example:99999/x",
        "https://[api.example/x",
        "https://api%2eexample/x",
        "https://api.example./x",
        "javascript:alert(1)",
        "data:text/plain,x",
        "file:///etc/passwd",
        "users:batch",
        " /users",
        "/us ers",
        "/users\r\nHost: evil.example",
        "/users\t",
        "/users\x00",
        "/üsers",
        "/%zz",
        "/%",
        "/users#x",
        "/../admin",
        "..",
        ".",
        "/a/./b",
        "/a/%2e%2e/b",
        "/a/%252e%252e/b",
        "/a/.%2E",
        "/a/..%2fb",
        "/a/..%5cb",
        "/a/..;x=1/b",
        "https://api.example/v1/../../admin",
    ],
)
def test_an_address_that_leads_elsewhere_is_refused(path: str) -> None:
    """Another host in any spelling, another scheme, a user, a dot segment, a line break."""
    assert not is_successful(build_api_url(PLACE, path))


AWKWARD = st.text(
    st.sampled_from("/\\:@?#.%;2eEfFhtps[]{}\t\r\n\x00 évil-_api.example"), max_size=40
)


@given(st.one_of(st.text(), AWKWARD, AWKWARD.map("https://api.example".__add__)))
def test_every_address_is_of_the_apis_origin(path: str) -> None:
    """Python's parser and the HTTP client's parser agree."""
    found = build_api_url(PLACE, path)
    if is_successful(found):
        url = found.unwrap()
        assert url.startswith(("https://api.example/", "https://api.example/v1"))
        sent, parsed = httpx.URL(url), urlsplit(url)
        assert (sent.scheme, sent.host, sent.port, sent.userinfo) == (
            "https",
            "api.example",
            None,
            b"",
        )
        assert (parsed.scheme, parsed.netloc) == ("https", "api.example")
        assert url.isascii()
        assert url.isprintable()
