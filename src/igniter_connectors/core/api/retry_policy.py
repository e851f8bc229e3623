"""Which API requests are retried, how often, and after which delay."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from igniter_connectors.core.api.rate_limit import is_rate_limited, requested_delay
from igniter_connectors.core.http.messages import HttpFailed, HttpResponse

MAX_RETRIES: Final = 3
_FIRST_DELAY: Final = timedelta(milliseconds=500)

_SERVER_ERRORS: Final = frozenset({500, 502, 503, 504})
"""The request may have been processed, so only an idempotent one is retried."""


def may_have_arrived(answer: HttpResponse | HttpFailed) -> bool:
    """Whether the API may have processed the request, although it did not succeed."""
    return answer.sent if isinstance(answer, HttpFailed) else answer.status in _SERVER_ERRORS


def is_retryable(answer: HttpResponse | HttpFailed, *, is_idempotent: bool) -> bool:
    """Whether the same request may be sent again after this answer.

    Always after 429, and if nothing was sent. After 500, 502, 503, 504 and a lost answer,
    only if the request is idempotent. Never after an answer that is too large.
    """
    if isinstance(answer, HttpFailed):
        return not answer.is_too_large and (is_idempotent or not answer.sent)
    if is_rate_limited(answer):
        return True
    return is_idempotent and answer.status in _SERVER_ERRORS


def retry_delay(
    answer: HttpResponse | HttpFailed, *, retries: int, jitter: float, received_at: datetime
) -> timedelta:
    """How long to wait before the next retry.

    0.5 s, 1 s, 2 s: doubled with each retry so far, less up to half of it for `jitter` from
    0 to 1. Longer if `Retry-After` asks for more.
    """
    back_off = _FIRST_DELAY * (1 << retries) * (1 - jitter / 2)
    return max(back_off, requested_delay(answer, received_at=received_at))
