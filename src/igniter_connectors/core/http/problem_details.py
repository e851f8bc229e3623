"""Problem details: a problem as an HTTP response. RFC 9457."""

from __future__ import annotations

from datetime import UTC, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from typing import Final

import msgspec

from igniter_connectors.core import problem as p
from igniter_connectors.core.http.http_status import status_of
from igniter_connectors.core.http.messages import HttpResponse
from igniter_connectors.core.problem.problem import retry_at_of

_LAST_YEAR: Final = 9999  # Python's last: the sum would not fit


def problem_response(problem: p.Problem) -> HttpResponse:
    """An `application/problem+json` response: type, title, status and the problem's fields."""
    fields: dict[str, object] = msgspec.to_builtins(problem)
    status = status_of(problem)
    body = {
        "type": "about:blank",
        # With about:blank, the title is the status phrase (RFC 9457 section 4.2.1).
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": problem.message,
        **fields,
    }
    headers = [
        ("Content-Type", "application/problem+json"),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
    ]
    if isinstance(problem, p.WebhookOverloaded | p.RequestOverloaded):
        headers.append(("Retry-After", str(problem.retry_after_seconds)))
    retry_at = retry_at_of(problem)
    if retry_at is not None and retry_at.year < _LAST_YEAR:
        # A date needs no clock. It has whole seconds: rounded up, so that a retry is not too early.
        whole = (retry_at + timedelta(microseconds=999_999)).astimezone(UTC)
        headers.append(("Retry-After", format_datetime(whole, usegmt=True)))
    return HttpResponse(status, tuple(headers), msgspec.json.encode(body))
