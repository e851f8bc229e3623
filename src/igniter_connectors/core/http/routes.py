"""Our own routes: their URLs are built and parsed by the same rules."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote, urlencode

import msgspec

from igniter_connectors.core.http.base_url import BaseUrl

KEY: Final = re.compile(r"[a-z][a-z0-9_-]{0,62}")
"""A connector's or action's key: it stands in URLs, rows and logs."""


_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}")


class StartRoute(msgspec.Struct, frozen=True, tag="start"):
    """`GET {base}/connectors/{connector}/oauth/start`"""

    connector: str


class CallbackRoute(msgspec.Struct, frozen=True, tag="callback"):
    """`GET {base}/connectors/{connector}/oauth/callback`"""

    connector: str


class WebhookRoute(msgspec.Struct, frozen=True, tag="webhook", gc=False):
    """`POST {base}/webhooks/{connector}/{token}`; the token is a capability: log it nowhere."""

    connector: str
    token: str

    def __repr__(self) -> str:
        return f"WebhookRoute(connector={self.connector!r}, token='…')"


class ApplicationWebhookRoute(msgspec.Struct, frozen=True, tag="application-webhook"):
    """`POST {base}/webhooks/{connector}`: one address for the whole application."""

    connector: str


Route = StartRoute | CallbackRoute | WebhookRoute | ApplicationWebhookRoute


def start_url(base: BaseUrl, connector: str, ticket: str) -> str:
    """Where a browser begins an authorization; the ticket opens once."""
    return f"{base}/connectors/{connector}/oauth/start?ticket={quote(ticket, safe='')}"


def upgrade_url(base: BaseUrl, connector: str, account: str, oauth_scopes: Sequence[str]) -> str:
    """Where whoever is signed in authorizes their own connection again, for more scopes."""
    query = urlencode({"account": account, "oauth_scopes": " ".join(oauth_scopes)})
    return f"{base}/connectors/{connector}/oauth/start?{query}"


def callback_url(base: BaseUrl, connector: str) -> str:
    """The `redirect_uri`: the same bytes in both legs (RFC 6749 section 4.1.3)."""
    return f"{base}/connectors/{connector}/oauth/callback"


def webhook_url(base: BaseUrl, connector: str, token: str) -> str:
    """Where a provider delivers; whoever knows it may post, so it is a secret."""
    return f"{base}/webhooks/{connector}/{token}"


def application_webhook_url(base: BaseUrl, connector: str) -> str:
    """Where a provider delivers that has one address for an application. No secret."""
    return f"{base}/webhooks/{connector}"


def parse_route(base: BaseUrl, path: str) -> Route | None:
    """Which of our routes a path of the base's host is; None where it is none of them."""
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
    """What stands below `/webhooks/`: a connector's key, and a token or none; None for anything
    else."""
    key, slash, token = path.partition("/")
    if not KEY.fullmatch(key):
        return None
    if not slash:
        return ApplicationWebhookRoute(key)
    return WebhookRoute(key, token) if _TOKEN.fullmatch(token) else None
