"""How long a server asks to be left alone. RFC 9110 section 10.2.3."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from igniter_connectors.core.http.messages import HttpResponse

MAX_RETRY_AFTER: Final = timedelta(hours=1)
"""What a server may ask for at most: a longer time is cut to this."""


def retry_after(response: HttpResponse, *, received_at: datetime) -> timedelta | None:
    """`Retry-After` as a time to wait, from 0 to an hour.

    Args:
        response: As received. Seconds and the three forms of an HTTP date are read (RFC
            9110 section 5.6.7).
        received_at: Aware instant of arrival, from which a date counts.

    Returns:
        The time; None where the header is absent, given twice, or neither form.
    """
    value = response.header("retry-after")
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        # More digits than nine are more than an hour, and more than timedelta holds.
        return (
            MAX_RETRY_AFTER
            if len(value) > 9
            else min(timedelta(seconds=int(value)), MAX_RETRY_AFTER)
        )
    at = http_date(value)
    return None if at is None else min(max(at - received_at, timedelta()), MAX_RETRY_AFTER)


def http_date(text: str) -> datetime | None:
    """The aware instant of any of the three forms of a date; None where it is none."""
    # Loaded here: few headers with a date are read, and every program imports this module.
    from email.utils import parsedate_to_datetime

    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    # An HTTP date is in GMT; the asctime form does not say so.
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at
