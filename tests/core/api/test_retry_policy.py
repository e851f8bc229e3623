"""Which API requests are retried, and after which delay."""

from __future__ import annotations

from datetime import timedelta

import pytest

from igniter_connectors.core.api.retry_policy import is_retryable, may_have_arrived, retry_delay
from igniter_connectors.core.http.messages import HttpFailed, HttpResponse
from tests.core.examples import NOW

NOT_SENT, LOST, TOO_LARGE = HttpFailed(False), HttpFailed(True), HttpFailed(True, True)


@pytest.mark.parametrize(
    ("answer", "idempotent", "other"),
    [
        (HttpResponse(200), False, False),
        (HttpResponse(404), False, False),
        (HttpResponse(429), True, True),
        (HttpResponse(500), True, False),
        (HttpResponse(501), False, False),
        (HttpResponse(503), True, False),
        (NOT_SENT, True, True),
        (LOST, True, False),
        (TOO_LARGE, False, False),
    ],
)
def test_what_is_retried(answer: HttpResponse | HttpFailed, idempotent: bool, other: bool) -> None:
    """A request that may have been processed is retried only if it is idempotent."""
    assert is_retryable(answer, is_idempotent=True) is idempotent
    assert is_retryable(answer, is_idempotent=False) is other


def test_a_server_error_and_a_lost_answer_may_have_arrived() -> None:
    """429 and a request that was not sent did not."""
    assert may_have_arrived(HttpResponse(502))
    assert may_have_arrived(LOST)
    assert not may_have_arrived(HttpResponse(429))
    assert not may_have_arrived(NOT_SENT)


@pytest.mark.parametrize(("retries", "seconds"), [(0, 0.5), (1, 1), (2, 2)])
def test_the_delay_doubles(retries: int, seconds: float) -> None:
    """Jitter takes off up to half."""
    full = retry_delay(LOST, retries=retries, jitter=0, received_at=NOW)
    half = retry_delay(LOST, retries=retries, jitter=1, received_at=NOW)
    assert (full, half) == (timedelta(seconds=seconds), timedelta(seconds=seconds / 2))


def test_retry_after_makes_the_delay_longer() -> None:
    """Never shorter."""
    answer = HttpResponse(429, (("Retry-After", "7"),))
    assert retry_delay(answer, retries=0, jitter=0, received_at=NOW) == timedelta(seconds=7)
    answer = HttpResponse(429, (("Retry-After", "0"),))
    assert retry_delay(answer, retries=0, jitter=0, received_at=NOW) == timedelta(seconds=0.5)
