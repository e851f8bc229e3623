"""The addresses of our own routes: built and parsed by the same rules."""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote, unquote, urlencode, urlsplit

import msgspec
from returns.result import Failure, Result, Success

from igniter_connectors.core.problem import SettingInvalid

KEY: Final = re.compile(r"[a-z][a-z0-9_-]{0,62}")
"""A connector's or action's key: it stands in URLs, rows and logs."""

_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]*")


class BaseUrl(msgspec.Struct, frozen=True):
    """Where the application's users reach our routes. Made by `parse_base_url`.

    `prefix` is the path in front of them, "" or as in "/integrations".
    """

    scheme: str
    authority: str
    prefix: str

    @property
    def is_secure(self) -> bool:
        """False only for plain http on a loopback address."""
        return self.scheme == "https"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.prefix}"


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


def parse_base_url(text: str) -> Result[BaseUrl, SettingInvalid]:
    """The base URL: https, or http on a loopback host; no query, fragment or user.

    Returns:
        The base, or `SettingInvalid` with the rule that was broken.
    """
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return Failure(SettingInvalid("base URL", "is not a URL"))
    if parts.scheme not in ("https", "http") or not host:
        return Failure(SettingInvalid("base URL", "starts with https:// and names a host"))
    if "@" in parts.netloc or parts.query or parts.fragment or not _is_plain(text):
        return Failure(SettingInvalid("base URL", "has no user, query, fragment or space"))
    if parts.scheme == "http" and not is_loopback(host):
        return Failure(
            SettingInvalid("base URL", "is https, or http on localhost, 127.0.0.1 or [::1] alone")
        )
    return Success(BaseUrl(parts.scheme, parts.netloc.lower(), parts.path.rstrip("/")))


def _is_plain(url: str) -> bool:
    return url.isprintable() and " " not in url and "\\" not in url


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine alone (RFC 6761 section 6.3, RFC 1122)."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_safe_endpoint(url: str) -> bool:
    """Whether secrets may be sent there: https, or http on a loopback host; a host, and no
    user, fragment, space or control character."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or "@" in parts.netloc or parts.fragment or not url.isprintable() or " " in url:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))


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


def is_own_path(return_to: str) -> bool:
    """Whether a place to return to is a path of one's own site, however a browser reads it.

    Browsers take `//host`, `/\\host` and tabs or line ends between slashes for another
    site (WHATWG URL, section 4.4), so one slash begins it and none of those is in it,
    encoded once or not.
    """
    once = unquote(return_to)
    return (
        all(
            text.startswith("/")
            and not text.startswith("//")
            and "\\" not in text
            and text.isprintable()
            for text in (return_to, once)
        )
        and return_to.isascii()
    )


def url_safe(octets: bytes) -> str:
    """Octets as base64url without padding (RFC 4648 section 5): 32 become 43 characters."""
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def octets_of(text: str) -> bytes | None:
    """The octets of base64url without padding; None where it is none."""
    if not _BASE64URL.fullmatch(text) or len(text) % 4 == 1:
        return None
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
