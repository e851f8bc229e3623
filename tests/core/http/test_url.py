"""Our own addresses: built and parsed by the same rules, and never another site's."""

from __future__ import annotations

from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.pipeline import is_successful

from igniter_connectors.core.http.url import (
    KEY,
    ApplicationWebhookRoute,
    BaseUrl,
    CallbackRoute,
    StartRoute,
    WebhookRoute,
    application_webhook_url,
    callback_url,
    is_loopback,
    is_own_path,
    octets_of,
    parse_base_url,
    parse_route,
    parse_webhook_path,
    start_url,
    upgrade_url,
    url_safe,
    webhook_url,
)
from igniter_connectors.core.problem import SettingInvalid
from tests.core.vector_files import vectors

BASES = st.sampled_from(
    [
        "https://own.example",
        "https://own.example/",
        "https://own.example:8443/integrations",
        "https://own.example/a/b/",
        "https://own.example/connectors",
        "https://own.example/webhooks/x",
        "http://localhost:8000",
        "http://[::1]:8000/app",
    ]
).map(lambda text: parse_base_url(text).unwrap())
KEYS = st.from_regex(KEY, fullmatch=True)
TOKENS = st.binary(min_size=32, max_size=32).map(url_safe)


class ReturnUrls(msgspec.Struct):
    hostile: dict[str, list[str]]
    harmless: list[str]


RETURN_URLS = vectors("hostile_return_urls.json", ReturnUrls)


# --- the base URL -------------------------------------------------------------------------


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
    """Host in lower case, path as given without its last slash; what is printed parses again."""
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
    """Plain http elsewhere, users, queries, fragments and what a browser reads otherwise."""
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
    """A space left over in the environment is told at the start, not by the provider."""
    assert not is_successful(parse_base_url(text))


@given(st.text())
def test_any_text_is_a_base_url_or_a_problem(text: str) -> None:
    """A setting from the environment never makes the parser raise."""
    for candidate in (text, f"https://{text}", f"https://own.example/{text}"):
        parse_base_url(candidate)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("a.localhost", True),
        ("127.0.0.0", True),
        ("127.255.255.255", True),
        ("126.255.255.255", False),
        ("128.0.0.0", False),
        ("::1", True),
        ("::2", False),
        ("0.0.0.0", False),
        ("127.1", False),
        ("localhost.example", False),
        ("notlocalhost", False),
        ("", False),
    ],
)
def test_loopback_means_this_machine_alone(host: str, loopback: bool) -> None:
    """One address beside the block is not loopback, nor a name that only looks like it."""
    assert is_loopback(host) is loopback


# --- routes -------------------------------------------------------------------------------


@given(BASES, KEYS, st.text())
def test_the_start_url_parses_back(base: BaseUrl, connector: str, ticket: str) -> None:
    """What is handed to a browser is found again, and its ticket comes back whole."""
    parts = urlsplit(start_url(base, connector, ticket))
    assert parse_route(base, parts.path) == StartRoute(connector)
    assert parse_qs(parts.query, keep_blank_values=True) == {"ticket": [ticket]}


@given(BASES, KEYS)
def test_the_callback_url_parses_back(base: BaseUrl, connector: str) -> None:
    """The URL that is registered at the provider is the one that is served."""
    parts = urlsplit(callback_url(base, connector))
    assert parse_route(base, parts.path) == CallbackRoute(connector)
    assert (parts.query, parts.fragment) == ("", "")


@given(BASES, KEYS, TOKENS)
def test_the_webhook_url_parses_back(base: BaseUrl, connector: str, token: str) -> None:
    """The URL that is registered at the provider is the one that is served, slash or none."""
    path = urlsplit(webhook_url(base, connector, token)).path
    assert parse_route(base, path) == WebhookRoute(connector, token)
    assert parse_route(base, f"{path}/") == WebhookRoute(connector, token)


@given(BASES, KEYS)
def test_an_applications_webhook_url_parses_back(base: BaseUrl, connector: str) -> None:
    """It holds no token: what comes there is told by its signature alone."""
    path = urlsplit(application_webhook_url(base, connector)).path
    assert parse_route(base, path) == ApplicationWebhookRoute(connector)
    assert parse_route(base, f"{path}/") == ApplicationWebhookRoute(connector)


@given(BASES, st.text())
def test_any_other_path_is_none_of_ours(base: BaseUrl, path: str) -> None:
    """A stranger's path is None or one of our routes, with a key of our own form."""
    for candidate in (path, f"{base.prefix}/{path}"):
        route = parse_route(base, candidate)
        assert route is None or KEY.fullmatch(route.connector)


TOKEN = "A" * 43


@given(KEYS, TOKENS, st.text(max_size=3))
def test_what_stands_below_webhooks_is_a_key_and_a_token(key: str, token: str, more: str) -> None:
    """Both parts and nothing else, for a server that mounts the webhooks by themselves."""
    assert parse_webhook_path(f"{key}/{token}") == WebhookRoute(key, token)
    assert parse_webhook_path(f"{key}/{token}{more}") == (
        None if more else WebhookRoute(key, token)
    )
    assert parse_webhook_path(key) == ApplicationWebhookRoute(key)
    for path in ("", key.upper(), f"{key}/", f"{key}/{token[1:]}"):
        assert parse_webhook_path(path) is None
    for path in (f"/{key}/{token}", f"{key}//{token}", f"{key}/{token}/"):
        assert parse_webhook_path(path) is None


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/app",
        "/app/",
        "/connectors/telegram/oauth/callback",
        "/application/connectors/telegram/oauth/callback",
        "/app//connectors/telegram/oauth/callback",
        "/app/connectors/telegram/oauth",
        "/app/connectors/telegram/oauth/other",
        "/app/connectors/telegram/oauth/callback//",
        "/app/connectors/telegram/oauth/callback/x",
        "/app/connectors/Telegram/oauth/callback",
        "/app/connectors/telegram\n/oauth/callback",
        "/app/connectors//oauth/start",
        "/app/connectors/" + "a" * 64 + "/oauth/start",
        "/app/webhooks",
        "/app/webhooks/",
        "/app/webhooks//",
        "/app/webhooks/UPPER",
        "/app/webhooks/telegram/" + "A" * 42,
        "/app/webhooks/telegram/" + "A" * 44,
        "/app/webhooks/telegram/" + "A" * 42 + "=",
        "/app/webhooks/telegram/" + "A" * 42 + "é",
        "/app/webhooks/telegram/" + "A" * 43 + "\n",
        "/app/webhooks/../" + "A" * 43,
        "/app/webhooks/telegram/x/" + "A" * 43,
    ],
)
def test_near_misses_are_none_of_ours(path: str) -> None:
    """Another prefix, an odd key, a token one character short or long: not a route."""
    base = parse_base_url("https://own.example/app").unwrap()
    assert parse_route(base, path) is None


def test_a_key_has_up_to_63_characters() -> None:
    """62 after the first letter are the most."""
    base = parse_base_url("https://own.example").unwrap()
    for length in (1, 62, 63):
        assert parse_route(base, callback_path("a" * length)) == CallbackRoute("a" * length)
    assert parse_route(base, callback_path("a" * 64)) is None


def callback_path(key: str) -> str:
    return f"/connectors/{key}/oauth/callback"


def test_a_webhook_route_does_not_show_its_token() -> None:
    """Whoever reads a log cannot post."""
    assert TOKEN not in repr(WebhookRoute("telegram", TOKEN))
    assert "telegram" in repr(WebhookRoute("telegram", TOKEN))


# --- where to return ----------------------------------------------------------------------


def test_there_are_at_least_forty_hostile_return_urls() -> None:
    """The list does not shrink unseen."""
    assert sum(len(urls) for urls in RETURN_URLS.hostile.values()) >= 40


@pytest.mark.parametrize(
    "url", [url for urls in RETURN_URLS.hostile.values() for url in urls], ids=ascii
)
def test_no_hostile_return_url_is_taken(url: str) -> None:
    """The callback is no open redirect, however a browser or a proxy reads the place."""
    assert not is_own_path(url)


@pytest.mark.parametrize("url", RETURN_URLS.harmless)
def test_paths_of_ones_own_site_are_taken(url: str) -> None:
    """Paths, queries, fragments and encoded characters are no reason to refuse."""
    assert is_own_path(url)


# A path-absolute URL as browsers read it: tabs and line ends are dropped, backslashes are
# slashes, and one slash alone begins it.
def leaves_the_site(text: str) -> bool:
    read = text.strip("".join(map(chr, range(33))))
    read = "".join(character for character in read if character not in "\t\n\r")
    return not read.replace("\\", "/").startswith("/") or read.replace("\\", "/")[1:2] == "/"


@given(
    st.text(st.sampled_from("/\\%25cCfF09aA dD.\t\n\r@:?#eé\u2028"), max_size=12)
    | st.text().map("/".__add__)
)
def test_what_is_taken_stays_on_the_site(text: str) -> None:
    """Whatever is accepted is one's own, as it stands and decoded once."""
    if is_own_path(text):
        assert not leaves_the_site(text)
        assert not leaves_the_site(unquote(text))
        assert text.isascii()
        assert text.isprintable()


# --- base64url ------------------------------------------------------------------------------


@given(st.binary())
def test_url_safe_is_unpadded_base64url(octets: bytes) -> None:
    """It needs no escaping in a URL, and no two octet strings share it (RFC 4648 section 5)."""
    text = url_safe(octets)
    assert all(
        character.isascii() and (character.isalnum() or character in "-_") for character in text
    )
    assert len(text) == (len(octets) * 8 + 5) // 6
    assert url_safe(octets + b"\x00") != text


def test_32_octets_become_43_characters() -> None:
    """Tokens, states and verifiers have this length."""
    assert len(url_safe(bytes(32))) == 43
    assert url_safe(b"\xfb\xff\xfe") == "-__-"


@given(st.binary())
def test_octets_come_back_from_base64url(octets: bytes) -> None:
    """The two are inverse, without padding (RFC 4648 section 5)."""
    assert octets_of(url_safe(octets)) == octets


@pytest.mark.parametrize("text", ["a", "abcde", "ab==", "a b", "a+b/", "é", "\ud800", "ab\n"])
def test_what_is_no_base64url_has_no_octets(text: str) -> None:
    """Nor what has the other alphabet, or a length that no octets have."""
    assert octets_of(text) is None


def test_the_upgrade_url_names_the_account_and_the_scopes() -> None:
    """As a query that parses back, whatever stands in them; and never a tenant."""
    base = parse_base_url("https://app.example/x").unwrap()
    url = urlsplit(upgrade_url(base, "github", "second & last", ["repo", "user:email"]))
    assert url.path == "/x/connectors/github/oauth/start"
    assert dict(parse_qsl(url.query)) == {
        "account": "second & last",
        "oauth_scopes": "repo user:email",
    }
