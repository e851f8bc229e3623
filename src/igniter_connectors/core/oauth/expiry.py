"""When something expires, as providers write it: a number of seconds, or an instant."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import msgspec

from igniter_connectors.core.json_value import JsonValue

_NOTHING: Final = timedelta()


_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)


_LAST_SECOND: Final = (datetime(9999, 12, 31, tzinfo=UTC) - _FIRST).total_seconds()


class _Rfc3339(msgspec.Struct):
    # Without an offset, the instant is not defined.
    at: Annotated[datetime, msgspec.Meta(tz=True)]


def instant_of(said: JsonValue) -> datetime | None:
    """The aware instant before the year 10000 that a value means; None for any other value.

    A string in RFC 3339 needs an offset. Seconds since 1970 may be a string and may have a
    fraction.
    """
    seconds = number_of(said, most=_LAST_SECOND)
    if seconds is not None:
        return _FIRST + timedelta(seconds=seconds)
    if not isinstance(said, str):
        return None
    try:
        return msgspec.convert({"at": said}, _Rfc3339).at
    except msgspec.ValidationError:
        return None


def lifetime_until(said: JsonValue, *, at: datetime) -> timedelta | None:
    """The time from `at` until the given instant, at least zero.

    None if the value is not an instant, or is more than ten years after `at`.
    """
    end = instant_of(said)
    if end is None or end - at > MAX_LIFETIME:
        return None
    return max(end - at, _NOTHING)


MAX_LIFETIME: Final = timedelta(days=3660)
"""Ten years. A larger `expires_in` is an instant written into the wrong field, or nonsense."""


_NUMBER: Final = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?", re.ASCII)


def seconds_of(said: JsonValue) -> timedelta | None:
    """The duration that a value means, from zero to ten years; None for any other value.

    RFC 6749 section 5.1 requires a number. Many providers send a string.
    """
    number = number_of(said, most=MAX_LIFETIME.total_seconds())
    return None if number is None else timedelta(seconds=number)


def number_of(said: JsonValue, *, most: float) -> float | None:
    """A number from 0 to `most`, or a string of one; None for any other value."""
    if isinstance(said, bool) or not isinstance(said, int | float | str):
        return None
    if isinstance(said, str):
        if not _NUMBER.fullmatch(said):
            return None
        said = float(said)
    # An int of any size can be compared with a float; NaN fails both comparisons.
    return said if 0 <= said <= most else None
