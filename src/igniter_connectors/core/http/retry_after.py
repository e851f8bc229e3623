"""The `Retry-After` header, and dates in HTTP headers. RFC 9110 sections 10.2.3 and 5.6.7."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from igniter_connectors.core.http.messages import HttpResponse

MAX_RETRY_AFTER: Final = timedelta(hours=1)
"""A longer requested delay is cut to this."""


def retry_after(response: HttpResponse, *, received_at: datetime) -> timedelta | None:
    """The delay that a server requests, from 0 to an hour.

    Args:
        response: As received. The header may be in seconds or in any form of an HTTP date.
        received_at: Aware instant of arrival, from which a date counts.

    Returns:
        The delay; None if the header is absent, given twice or invalid.
    """
    value = response.header("retry-after")
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        # More than nine digits are more than an hour, and more than a timedelta can hold.
        return (
            MAX_RETRY_AFTER
            if len(value) > 9
            else min(timedelta(seconds=int(value)), MAX_RETRY_AFTER)
        )
    at = http_date(value)
    return None if at is None else min(max(at - received_at, timedelta()), MAX_RETRY_AFTER)


def http_date(text: str) -> datetime | None:
    """The aware instant of a date in any of its three forms; None for any other text."""
    # Imported here, because few programs read a date, but every program imports this module.
    from email.utils import parsedate_to_datetime

    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    # An HTTP date is in GMT, although its asctime form does not say so.
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at
