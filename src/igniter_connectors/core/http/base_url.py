"""The base URL of the application, below which our routes are mounted."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec
from returns.result import Failure, Result, Success

from igniter_connectors.core.http.safe_url import is_loopback
from igniter_connectors.core.problem import SettingInvalid


class BaseUrl(msgspec.Struct, frozen=True):
    """The URL below which users reach our routes. Made by `parse_base_url`.

    `prefix` is the path before the routes: "", or for example "/integrations".
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


def parse_base_url(text: str) -> Result[BaseUrl, SettingInvalid]:
    """Parses a base URL: https, or http on a loopback host; no query, fragment or user.

    Returns:
        The base URL, or `SettingInvalid` with the rule that the text breaks.
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
