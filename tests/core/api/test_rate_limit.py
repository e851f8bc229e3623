"""Rate limits: 429, and the delay that the API asks for."""

from __future__ import annotations

from datetime import timedelta

from igniter_connectors.core.api.rate_limit import is_rate_limited, requested_delay
from igniter_connectors.core.http.messages import HttpFailed, HttpResponse
from tests.core.examples import NOW


def test_only_429_is_a_rate_limit() -> None:
    """A server that is unavailable did not necessarily ignore the request."""
    assert is_rate_limited(HttpResponse(429))
    assert not is_rate_limited(HttpResponse(503))
    assert not is_rate_limited(HttpFailed(sent=False))


def test_the_requested_delay_is_retry_after() -> None:
    """Without the header, and without an answer, it is zero."""
    answer = HttpResponse(429, (("Retry-After", "30"),))
    assert requested_delay(answer, received_at=NOW) == timedelta(seconds=30)
    assert requested_delay(HttpResponse(429), received_at=NOW) == timedelta()
    assert requested_delay(HttpFailed(sent=True), received_at=NOW) == timedelta()
