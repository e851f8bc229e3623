"""URLs below a connector's API base.

A path is appended to the base. It is not resolved as a browser would resolve it: `//host`, a
backslash, a dot segment and another scheme are refused. So every URL has the API's origin.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from returns.result import Failure, Result, Success

from igniter_connectors.core.api.api_base import (
    URL_CHARACTERS,
    ResolvedApiBase,
    has_dot_segment,
)
from igniter_connectors.core.http.messages import origin_of

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def build_api_url(api: ResolvedApiBase, path: str) -> Result[str, str]:
    """The URL for a path below an API's base, or for an absolute URL with the API's origin.

    Args:
        api: The connection's API.
        path: `/users` or `users`, both below the base path, with or without a query. Or an
            absolute URL with the same scheme, host and port, as APIs return for the next page.

    Returns:
        A URL that begins with the API's origin and a slash, or the rule that the path breaks:
        - a character that is not allowed in a URL (RFC 3986 section 2): quote it;
        - another origin, `//host`, a user, another scheme;
        - a dot segment, in any encoding, or a fragment.
    """
    if not URL_CHARACTERS.fullmatch(path):
        return Failure("its address holds a character that has to be quoted")
    if "#" in path:
        return Failure("its address has a fragment")
    if path.startswith("//"):
        return Failure("its address names another host; a path begins with one slash")
    if _SCHEME.match(path):
        rest = _path_of(api, path)
        if rest is None:
            return Failure(
                "its address is of another origin than the connector's API; "
                "a path with a colon in front begins with a slash"
            )
        base = ""
    else:
        rest = path if path.startswith(("/", "?")) or not path else f"/{path}"
        base = api.path
    below, mark, query = rest.partition("?")
    if has_dot_segment(below):
        return Failure("its path has a dot segment")
    return Success(f"{api.origin}{base + below or '/'}{mark}{query}")


def _path_of(api: ResolvedApiBase, url: str) -> str | None:
    """The path and query of an absolute URL; None if it has another origin."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    # Check for a user here, because `origin_of` drops it.
    if "@" in parts.netloc or not url.lower().startswith(f"{parts.scheme}://"):
        return None
    if origin_of(url) != api.origin:
        return None
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
