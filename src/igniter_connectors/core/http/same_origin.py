"""CSRF protection: does a browser's request come from our own pages?

Fetch Metadata; RFC 6454 section 7.
"""

from __future__ import annotations

from igniter_connectors.core.http.base_url import BaseUrl
from igniter_connectors.core.http.messages import HttpRequest, origin_of
from igniter_connectors.core.problem import RequestRefused


def judge_same_origin(request: HttpRequest, base: BaseUrl) -> RequestRefused | None:
    """None for a request from one of our own pages; else `RequestRefused`.

    `Sec-Fetch-Site`, which no page can forge, decides if it is sent. Otherwise `Origin` must be
    that of the base URL. A program that is not a browser must send `Origin`.
    """
    site = request.header("sec-fetch-site")
    if site is not None:
        is_own = site == "same-origin"
    else:
        is_own = request.header("origin") == origin_of(str(base))
    return None if is_own else RequestRefused(f"send it from {origin_of(str(base))} (Origin)")
