"""An instant as a provider says it: in RFC 3339, or in seconds since 1970."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import msgspec

from igniter_connectors.core.connector.form_fields import JsonValue
from igniter_connectors.core.oauth.seconds import LONGEST_LIFE, number_of

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


def life_until(said: JsonValue, *, at: datetime) -> timedelta | None:
    """How long it is from an aware instant until the one that is said: nothing where that has
    passed; None where it is none, or lies more than ten years ahead."""
    end = instant_of(said)
    if end is None or end - at > LONGEST_LIFE:
        return None
    return max(end - at, _NOTHING)
