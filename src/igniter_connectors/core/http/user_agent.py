"""The default `User-Agent` of requests (RFC 9110 section 10.1.5).

GitHub answers 403 without one, Harvest 400, and Reddit 429 (their documentation, 2026-11).
"""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import version

from igniter_connectors.core.http.messages import Headers


@lru_cache(maxsize=1)
def default_user_agent() -> str:
    """The library's name and version."""
    return f"igniter-connectors/{version('igniter-connectors')}"


def with_default_user_agent(headers: Headers) -> Headers:
    """The headers, with the default unless they have a `User-Agent`."""
    if any(name.lower() == "user-agent" for name, _ in headers):
        return headers
    return (*headers, ("User-Agent", default_user_agent()))
