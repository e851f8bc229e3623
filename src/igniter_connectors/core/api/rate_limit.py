"""Rate limits: 429 Too Many Requests. RFC 6585 section 4."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from igniter_connectors.core.http.messages import HttpFailed, HttpResponse
from igniter_connectors.core.http.retry_after import retry_after

TOO_MANY_REQUESTS: Final = 429
"""The server did not process the request, so a request of any method may be sent again."""


def is_rate_limited(answer: HttpResponse | HttpFailed) -> bool:
    """Whether the API refused the request because of a rate limit."""
    return isinstance(answer, HttpResponse) and answer.status == TOO_MANY_REQUESTS


def requested_delay(answer: HttpResponse | HttpFailed, *, received_at: datetime) -> timedelta:
    """The delay that the API asks for in `Retry-After`, at most an hour; zero without one."""
    if isinstance(answer, HttpFailed):
        return timedelta()
    return retry_after(answer, received_at=received_at) or timedelta()
