"""Our own routes: built and parsed by the same rules."""

from __future__ import annotations

from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igniter_connectors.core.http.base64url import encode_base64url
from igniter_connectors.core.http.base_url import BaseUrl, parse_base_url
from igniter_connectors.core.http.routes import (
    KEY,
    ApplicationWebhookRoute,
    CallbackRoute,
    StartRoute,
    WebhookRoute,
    application_webhook_url,
    callback_url,
    parse_route,
    parse_webhook_path,
    start_url,
    upgrade_url,
    webhook_url,
)

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


TOKENS = st.binary(min_size=32, max_size=32).map(encode_base64url)


@given(BASES, KEYS, st.text())
def test_the_start_url_parses_back(base: BaseUrl, connector: str, ticket: str) -> None:
    """A URL that a browser was given is recognized, and its ticket is unchanged."""
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
    """The URL that is registered at the provider is served, with or without a last slash."""
    path = urlsplit(webhook_url(base, connector, token)).path
    assert parse_route(base, path) == WebhookRoute(connector, token)
    assert parse_route(base, f"{path}/") == WebhookRoute(connector, token)


@given(BASES, KEYS)
def test_an_applications_webhook_url_parses_back(base: BaseUrl, connector: str) -> None:
    """It has no token: the signature alone identifies the sender."""
    path = urlsplit(application_webhook_url(base, connector)).path
    assert parse_route(base, path) == ApplicationWebhookRoute(connector)
    assert parse_route(base, f"{path}/") == ApplicationWebhookRoute(connector)


@given(BASES, st.text())
def test_any_path_is_none_or_a_route(base: BaseUrl, path: str) -> None:
    """The key of a route always has the form of our own keys."""
    for candidate in (path, f"{base.prefix}/{path}"):
        route = parse_route(base, candidate)
        assert route is None or KEY.fullmatch(route.connector)


TOKEN = "A" * 43


@given(KEYS, TOKENS, st.text(max_size=3))
def test_the_path_below_webhooks_is_a_key_and_a_token(key: str, token: str, more: str) -> None:
    """Both parts and nothing else, for a server that mounts only the webhooks."""
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
def test_similar_paths_are_not_routes(path: str) -> None:
    """Another prefix, an invalid key, a token that is one character too short or too long."""
    base = parse_base_url("https://own.example/app").unwrap()
    assert parse_route(base, path) is None


def test_a_key_has_up_to_63_characters() -> None:
    """A letter and up to 62 more."""
    base = parse_base_url("https://own.example").unwrap()
    for length in (1, 62, 63):
        assert parse_route(base, callback_path("a" * length)) == CallbackRoute("a" * length)
    assert parse_route(base, callback_path("a" * 64)) is None


def callback_path(key: str) -> str:
    return f"/connectors/{key}/oauth/callback"


def test_a_webhook_route_does_not_show_its_token() -> None:
    """Who reads a log cannot post to the endpoint."""
    assert TOKEN not in repr(WebhookRoute("telegram", TOKEN))
    assert "telegram" in repr(WebhookRoute("telegram", TOKEN))


def test_the_upgrade_url_names_the_account_and_the_scopes() -> None:
    """They are in the query and parse back, whatever their text. The tenant is never in the URL."""
    base = parse_base_url("https://app.example/x").unwrap()
    url = urlsplit(upgrade_url(base, "github", "second & last", ["repo", "user:email"]))
    assert url.path == "/x/connectors/github/oauth/start"
    assert dict(parse_qsl(url.query)) == {
        "account": "second & last",
        "oauth_scopes": "repo user:email",
    }
