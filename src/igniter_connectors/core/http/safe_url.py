"""Which URLs may receive secrets, and which return paths are safe from open redirects."""

from __future__ import annotations

import ipaddress
from urllib.parse import unquote, urlsplit


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


def is_safe_return_path(return_to: str) -> bool:
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
