"""The base URL of a connector's API."""

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

from igniter_connectors.core.api.api_base import ApiBase, parse_api_base, resolve_api_base
from igniter_connectors.core.api.api_url import build_api_url
from igniter_connectors.core.secret import Secret

CANARY = "canary-5f1d"


class Config(msgspec.Struct):
    """A tenant's values."""

    subdomain: Any = "acme"
    region: str = "eu"
    cloud: Any = "c1"
    token: Secret = Secret(CANARY)


FIELDS = frozenset({"subdomain", "region", "cloud", "token"})


def base(text: str) -> ApiBase:
    """A valid base."""
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
    """In the host, in the path, or in neither. The origin is written as a browser writes it."""
    found = resolve_api_base(base(text), Config()).unwrap()
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
    """Another scheme, a user, no fixed name after a field, a secret in the host."""
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
    """No value can move the request to another host."""
    found = resolve_api_base(base("https://{subdomain}.example.com/v1"), Config(subdomain=value))
    assert found == Failure("the config's subdomain is not one DNS label")


@pytest.mark.parametrize("value", ["a", "A1", "a" * 63, "a-b", 7])
def test_a_label_may_be_as_long_as_labels_are(value: object) -> None:
    """1 to 63 letters, digits and hyphens inside (RFC 1123 section 2.1)."""
    found = resolve_api_base(base("https://{subdomain}.example.com"), Config(subdomain=value))
    assert found.unwrap().origin == f"https://{str(value).lower()}.example.com"


@given(st.text())
def test_whatever_a_tenant_says_the_host_keeps_its_suffix(value: str) -> None:
    """Every URL parser reads the same host."""
    found = resolve_api_base(base("https://{subdomain}.example.com/v1"), Config(subdomain=value))
    if is_successful(found):
        url = build_api_url(found.unwrap(), "/users").unwrap()
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
    """A value is one segment or part of one. It cannot start a query or leave the folder."""
    found = resolve_api_base(base("https://api.example.com/ex/{cloud}/v3"), Config(cloud=value))
    if is_successful(found):
        path = httpx.URL(f"{found.unwrap().origin}{found.unwrap().path}").raw_path.decode()
        assert path.split("/")[:2] == ["", "ex"]
        assert path.split("/")[3:] == ["v3"]
        assert "?" not in path


def test_a_field_of_no_text_has_no_place_in_a_path() -> None:
    """`None` is not written as a word."""
    filled = resolve_api_base(base("https://api.example.com/{cloud}"), Config(cloud=None))
    assert filled == Failure("the config's cloud is empty")
    climbing = resolve_api_base(base("https://api.example.com/{cloud}"), Config(cloud=".."))
    assert climbing == Failure("the config makes a dot segment of the API's path")


def test_a_place_shows_its_origin_alone() -> None:
    """The path can contain a bot's token."""
    found = resolve_api_base(base("https://api.example.com/bot{token}"), Config()).unwrap()
    assert repr(found) == "ResolvedApiBase(https://api.example.com, …)"
