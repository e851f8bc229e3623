"""Instants in HTTP headers. RFC 9110 section 5.6.7."""

from __future__ import annotations

from datetime import UTC, datetime


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
