"""Our own routes: their URLs are built and parsed by the same rules."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote, urlencode

import msgspec

from igniter_connectors.core.http.base_url import BaseUrl

KEY: Final = re.compile(r"[a-z][a-z0-9_-]{0,62}")
"""The key of a connector or an action. It appears in URLs, rows and logs."""


_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}")


class StartRoute(msgspec.Struct, frozen=True, tag="start"):
    """`GET {base}/connectors/{connector}/oauth/start`"""

    connector: str


class CallbackRoute(msgspec.Struct, frozen=True, tag="callback"):
    """`GET {base}/connectors/{connector}/oauth/callback`"""

    connector: str


class WebhookRoute(msgspec.Struct, frozen=True, tag="webhook", gc=False):
    """`POST {base}/webhooks/{connector}/{token}`. The token is a secret: do not log it."""

    connector: str
    token: str

    def __repr__(self) -> str:
        return f"WebhookRoute(connector={self.connector!r}, token='…')"


class ApplicationWebhookRoute(msgspec.Struct, frozen=True, tag="application-webhook"):
    """`POST {base}/webhooks/{connector}`: one URL for the whole application."""

    connector: str


Route = StartRoute | CallbackRoute | WebhookRoute | ApplicationWebhookRoute


def start_url(base: BaseUrl, connector: str, ticket: str) -> str:
    """The URL where a browser starts an authorization. The ticket can be used once."""
    return f"{base}/connectors/{connector}/oauth/start?ticket={quote(ticket, safe='')}"


def upgrade_url(base: BaseUrl, connector: str, account: str, oauth_scopes: Sequence[str]) -> str:
    """The URL where the signed-in user authorizes a connection again, for more scopes."""
    query = urlencode({"account": account, "oauth_scopes": " ".join(oauth_scopes)})
    return f"{base}/connectors/{connector}/oauth/start?{query}"


def callback_url(base: BaseUrl, connector: str) -> str:
    """The `redirect_uri`. It is the same in both requests (RFC 6749 section 4.1.3)."""
    return f"{base}/connectors/{connector}/oauth/callback"


def webhook_url(base: BaseUrl, connector: str, token: str) -> str:
    """The URL to which a provider sends webhooks. Anyone who knows it can post: it is a secret."""
    return f"{base}/webhooks/{connector}/{token}"


def application_webhook_url(base: BaseUrl, connector: str) -> str:
    """The webhook URL for a provider with one URL per application. It is not a secret."""
    return f"{base}/webhooks/{connector}"


def parse_route(base: BaseUrl, path: str) -> Route | None:
    """The route of a path on the base URL's host; None if it is not one of our routes."""
    if not path.startswith(f"{base.prefix}/"):
        return None
    parts = path[len(base.prefix) + 1 :].removesuffix("/").split("/")
    match parts:
        case ["connectors", key, "oauth", "start"] if KEY.fullmatch(key):
            return StartRoute(key)
        case ["connectors", key, "oauth", "callback"] if KEY.fullmatch(key):
            return CallbackRoute(key)
        case ["webhooks", key]:
            return parse_webhook_path(key)
        case ["webhooks", key, token]:
            return parse_webhook_path(f"{key}/{token}")
        case _:
            return None


def parse_webhook_path(path: str) -> WebhookRoute | ApplicationWebhookRoute | None:
    """The route of a path below `/webhooks/`: a connector's key, with or without a token.

    None for any other path.
    """
    key, slash, token = path.partition("/")
    if not KEY.fullmatch(key):
        return None
    if not slash:
        return ApplicationWebhookRoute(key)
    return WebhookRoute(key, token) if _TOKEN.fullmatch(token) else None
