"""How many HTTP requests one process has under way at once, and the share of a tenant."""

from __future__ import annotations

from typing import Literal

import msgspec


class HttpLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of one process for the HTTP requests that it sends. Each request has a TCP
    connection of its own while it is under way.

    They count twice: once for the calls of handlers (`call.http`), and once for the traffic of
    OAuth, such as token, revocation and user info requests. So slow API calls never delay a
    refresh. A request beyond a limit waits for its turn, within its own deadline.

    Attributes:
        requests_at_once: How many requests of each of the two kinds are under way at once.
        requests_per_tenant: How many of them one tenant may have.
        requests_per_origin: How many of them may go to one origin: scheme, host and port.
    """

    requests_at_once: int = 300
    requests_per_tenant: int = 20
    requests_per_origin: int = 100


class AtLimit(msgspec.Struct, frozen=True):
    """The limit that a request waited for: `at_once` requests of the tenant, to the origin or of
    the process were under way."""

    sharer: Literal["tenant", "origin", "process"]
    at_once: int


def http_limits_fault(limits: HttpLimits) -> str | None:
    """Why the limits are not valid; None if they are."""
    if limits.requests_per_tenant < 1 or limits.requests_per_origin < 1:
        return "requests_per_tenant and requests_per_origin must be at least 1"
    if limits.requests_at_once < max(limits.requests_per_tenant, limits.requests_per_origin):
        return "requests_at_once must be at least requests_per_tenant and requests_per_origin"
    return None
