"""URLs below a connector's API base."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from returns.result import Failure, Result, Success

from igniter_connectors.core.api.api_base import _ADDRESS, ResolvedApiBase, _dotted
from igniter_connectors.core.http.messages import origin_of

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def build_api_url(place: ResolvedApiBase, path: str) -> Result[str, str]:
    """The address of a path below an API's base, or of an absolute URL of its origin.

    Args:
        place: The connection's API.
        path: `/users` or `users`, both below the base path, a query included; or a whole
            URL of the same scheme, host and port, as APIs give for the next page.

    Returns:
        An address that begins with the place's origin and a slash, or the rule broken:
        - a character that is no part of an address (RFC 3986 section 2): quote it;
        - another origin, `//host`, a user, another scheme;
        - a dot segment, however it is quoted, or a fragment.
    """
    if not _ADDRESS.fullmatch(path):
        return Failure("its address holds a character that has to be quoted")
    if "#" in path:
        return Failure("its address has a fragment")
    if path.startswith("//"):
        return Failure("its address names another host; a path begins with one slash")
    if _SCHEME.match(path):
        rest = _rest_at(place, path)
        if rest is None:
            return Failure(
                "its address is of another origin than the connector's API; "
                "a path with a colon in front begins with a slash"
            )
        base = ""
    else:
        rest = path if path.startswith(("/", "?")) or not path else f"/{path}"
        base = place.path
    below, mark, query = rest.partition("?")
    if _dotted(below):
        return Failure("its path has a dot segment")
    return Success(f"{place.origin}{base + below or '/'}{mark}{query}")


def _rest_at(place: ResolvedApiBase, url: str) -> str | None:
    """What follows the origin in an absolute URL; None where it is another origin's."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    # The user first: `origin_of` leaves it out.
    if "@" in parts.netloc or not url.lower().startswith(f"{parts.scheme}://"):
        return None
    if origin_of(url) != place.origin:
        return None
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
