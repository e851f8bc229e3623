"""How long something lasts, as providers write it: seconds, or an instant."""

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
    # Without an offset it would be a time of nowhere in particular.
    at: Annotated[datetime, msgspec.Meta(tz=True)]


def instant_of(said: JsonValue) -> datetime | None:
    """The aware instant, before the year 10000; None for what is neither form.

    RFC 3339 needs its offset. Seconds may stand in a string, and may have a fraction.
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
    """How long it is from an aware instant until the one that is said: nothing where that has
    passed; None where it is none, or lies more than ten years ahead."""
    end = instant_of(said)
    if end is None or end - at > MAX_LIFETIME:
        return None
    return max(end - at, _NOTHING)


MAX_LIFETIME: Final = timedelta(days=3660)
"""Ten years. A longer `expires_in` is an instant that somebody put there, or nonsense."""


_NUMBER: Final = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?", re.ASCII)


def seconds_of(said: JsonValue) -> timedelta | None:
    """From nothing to ten years; None for what is no such number.

    RFC 6749 section 5.1 says a number; many say a string of one.
    """
    number = number_of(said, most=MAX_LIFETIME.total_seconds())
    return None if number is None else timedelta(seconds=number)


def number_of(said: JsonValue, *, most: float) -> float | None:
    """A number from 0 to `most`, or one in a string; None for anything else."""
    if isinstance(said, bool) or not isinstance(said, int | float | str):
        return None
    if isinstance(said, str):
        if not _NUMBER.fullmatch(said):
            return None
        said = float(said)
    # An int of any length compares with a float; NaN fails both comparisons.
    return said if 0 <= said <= most else None
