"""Whether a browser's request comes from our own pages. Fetch Metadata; RFC 6454 section 7."""

from __future__ import annotations

from igniter_connectors.core.http.base_url import BaseUrl
from igniter_connectors.core.http.messages import HttpRequest, origin_of
from igniter_connectors.core.problem import RequestRefused


def judge_same_origin(request: HttpRequest, base: BaseUrl) -> RequestRefused | None:
    """None for a request that one of our own pages, or a program that says so, made.

    `Sec-Fetch-Site`, which no page can forge, decides where it is sent; else `Origin`
    must be the base URL's. A program that is no browser sends `Origin` to be let in.
    """
    site = request.header("sec-fetch-site")
    if site is not None:
        is_own = site == "same-origin"
    else:
        is_own = request.header("origin") == origin_of(str(base))
    return None if is_own else RequestRefused(f"send it from {origin_of(str(base))} (Origin)")
