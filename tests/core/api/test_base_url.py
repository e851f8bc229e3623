"""Where an API is, and which addresses are below it: no text leads elsewhere."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from returns.pipeline import is_successful
from returns.result import Failure

from igniter_connectors.core.api.base_url import (
    ApiBase,
    ApiPlace,
    address_below,
    parse_api_base,
    place_of,
)
from igniter_connectors.core.secret import Secret

CANARY = "canary-5f1d"
PLACE = ApiPlace("https://api.example", "/v1")
ROOT = ApiPlace("https://api.example", "")


class Config(msgspec.Struct):
    """A tenant's values."""

    subdomain: Any = "acme"
    region: str = "eu"
    cloud: Any = "c1"
    token: Secret = Secret(CANARY)


FIELDS = frozenset({"subdomain", "region", "cloud", "token"})


def base(text: str) -> ApiBase:
    """A base that is one."""
    return parse_api_base(text, fields=FIELDS, secret_fields=frozenset({"token"})).unwrap()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("https://api.example.com", ("https://api.example.com", "")),
        ("https://api.example.com/", ("https://api.example.com", "")),
        ("HTTPS://API.Example.com:443/v1/", ("https://api.example.com", "/v1")),
        ("https://api.example.com:8443/V1", ("https://api.example.com:8443", "/V1")),
        ("http://127.0.0.1:8000/v1", ("http://127.0.0.1:8000", "/v1")),
        ("http://[::1]:8000", ("http://[::1]:8000", "")),
        ("https://{subdomain}.Zendesk.com/api/v2", ("https://acme.zendesk.com", "/api/v2")),
        ("https://{subdomain}.zendesk.com:443/a", ("https://acme.zendesk.com", "/a")),
        ("https://{subdomain}.{region}.example.com", ("https://acme.eu.example.com", "")),
        ("https://api.example.com/ex/{cloud}/v3", ("https://api.example.com", "/ex/c1/v3")),
        ("https://api.example.com/bot{token}", ("https://api.example.com", f"/bot{CANARY}")),
    ],
)
def test_a_base_is_filled_with_a_tenants_values(text: str, place: tuple[str, str]) -> None:
    """In the host, in the path, or nowhere; the origin as a browser writes it."""
    found = place_of(base(text), Config()).unwrap()
    assert (found.origin, found.path) == place


@pytest.mark.parametrize(
    "text",
    [
        "",
        "api.example.com/v1",
        "ftp://api.example.com",
        "http://api.example.com",
        "http://{subdomain}.localhost",
        "https://",
        "https:///v1",
        "https://user@api.example.com",
        "https://user:pass@api.example.com",
        "https://{subdomain}@api.example.com",
        "https://api.example.com?x=1",
        "https://api.example.com/v1?x={cloud}",
        "https://api.example.com/v1#x",
        "https://api.example.com/v1/../v2",
        "https://api.example.com/%2e%2e/v2",
        "https://api.example.com:99999",
        "https://[::1",
        "https://api.example.com:{cloud}",
        "https://api.exa mple.com",
        "https://api.example.com\\v1",
        "https://api.example.com/ü",
        "https://api.example.com/\r\nx",
        "{subdomain}://api.example.com",
        "https://{unknown}.example.com",
        "https://api.example.com/{unknown}",
        "https://api.example.com/{}",
        "https://api.example.com/{cloud",
        "https://api.example.com/cloud}",
        "https://{subdomain}",
        "https://{subdomain}.com",
        "https://{subdomain}..com",
        "https://{subdomain}.com.",
        "https://x{subdomain}.example.com",
        "https://api.{subdomain}",
        "https://{token}.example.com",
    ],
)
def test_a_base_that_is_none_is_refused_when_it_is_written(text: str) -> None:
    """Another scheme, a user, nothing fixed behind a field, a secret in the host."""
    parsed = parse_api_base(text, fields=FIELDS, secret_fields=frozenset({"token"}))
    assert not is_successful(parsed)


@pytest.mark.parametrize(
    "value",
    [
        "", "evil.com/", "evil.com", "evil.com#", "evil.com?", "a@evil.com", "a:b", "-a", "a-",
        "a" * 64, "é", "a b", "a\r\nb", "%2e", "..", "{region}", None, 1.5, ["a"],
    ],
)  # fmt: skip
def test_a_tenants_value_in_the_host_is_one_label(value: object) -> None:
    """Nothing that moves the request to another host."""
    found = place_of(base("https://{subdomain}.example.com/v1"), Config(subdomain=value))
    assert found == Failure("the config's subdomain is not one DNS label")


@pytest.mark.parametrize("value", ["a", "A1", "a" * 63, "a-b", 7])
def test_a_label_may_be_as_long_as_labels_are(value: object) -> None:
    """1 to 63 letters, digits and hyphens inside (RFC 1123 section 2.1)."""
    found = place_of(base("https://{subdomain}.example.com"), Config(subdomain=value))
    assert found.unwrap().origin == f"https://{str(value).lower()}.example.com"


@given(st.text())
def test_whatever_a_tenant_says_the_host_keeps_its_suffix(value: str) -> None:
    """And whoever reads the address reads the same host."""
    found = place_of(base("https://{subdomain}.example.com/v1"), Config(subdomain=value))
    if is_successful(found):
        url = address_below(found.unwrap(), "/users").unwrap()
        for host in (urlsplit(url).hostname, httpx.URL(url).host):
            assert host is not None
            assert host.endswith(".example.com")
            assert host.count(".") == 2


@given(st.text())
@example("../../x")
@example("..")
@example("/")
@example("a?b#c")
@example("{token}")
def test_whatever_a_tenant_says_a_path_keeps_its_segments(value: str) -> None:
    """A value is one segment, or part of one; it opens no query and climbs nowhere."""
    found = place_of(base("https://api.example.com/ex/{cloud}/v3"), Config(cloud=value))
    if is_successful(found):
        path = httpx.URL(f"{found.unwrap().origin}{found.unwrap().path}").raw_path.decode()
        assert path.split("/")[:2] == ["", "ex"]
        assert path.split("/")[3:] == ["v3"]
        assert "?" not in path


def test_a_field_of_no_text_has_no_place_in_a_path() -> None:
    """`None` is not written as the word."""
    filled = place_of(base("https://api.example.com/{cloud}"), Config(cloud=None))
    assert filled == Failure("the config's cloud is empty")
    climbing = place_of(base("https://api.example.com/{cloud}"), Config(cloud=".."))
    assert climbing == Failure("the config makes a dot segment of the API's path")


def test_a_place_shows_its_origin_alone() -> None:
    """A bot's token stands in its path."""
    found = place_of(base("https://api.example.com/bot{token}"), Config()).unwrap()
    assert repr(found) == "ApiPlace(https://api.example.com, …)"


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
    """Appended to the base path, or of the same origin."""
    assert address_below(PLACE, path).unwrap() == url


def test_an_api_without_a_path_has_one_slash() -> None:
    """Between host and what follows there is always one."""
    assert address_below(ROOT, "").unwrap() == "https://api.example/"
    assert address_below(ROOT, "?a=1").unwrap() == "https://api.example/?a=1"
    assert address_below(ROOT, "users").unwrap() == "https://api.example/users"


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
    """Another host however it is written, another scheme, a user, a way up, a broken line."""
    assert not is_successful(address_below(PLACE, path))


AWKWARD = st.text(
    st.sampled_from("/\\:@?#.%;2eEfFhtps[]{}\t\r\n\x00 évil-_api.example"), max_size=40
)


@given(st.one_of(st.text(), AWKWARD, AWKWARD.map("https://api.example".__add__)))
def test_every_address_is_of_the_apis_origin(path: str) -> None:
    """To Python's parser and to the one that sends the request."""
    found = address_below(PLACE, path)
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
