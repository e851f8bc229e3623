"""URL safety: which URLs may receive secrets, and which return paths are no open redirect."""

from __future__ import annotations

import ipaddress
from urllib.parse import unquote, urlsplit


def is_loopback(host: str) -> bool:
    """Whether a host is only this machine (RFC 6761 section 6.3, RFC 1122)."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_safe_endpoint(url: str) -> bool:
    """Whether secrets may be sent to a URL.

    It must be https, or http on a loopback host, with a host and without user, fragment, space
    or control character.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or "@" in parts.netloc or parts.fragment or not url.isprintable() or " " in url:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))


def is_safe_return_path(return_to: str) -> bool:
    """Whether a return path stays on our own site in every browser.

    Browsers read `//host`, `/\\host`, and tabs or line breaks between slashes as another site
    (WHATWG URL section 4.4). So the path must begin with one slash and contain none of those,
    neither directly nor percent-encoded.
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
