"""A span of time as a provider says it: a number of seconds, or one in a string."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

from igniter_connectors.core.connector.form_fields import JsonValue

LONGEST_LIFE: Final = timedelta(days=3660)
"""Ten years. A longer `expires_in` is an instant that somebody put there, or nonsense."""

_NUMBER: Final = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?", re.ASCII)


def seconds_of(said: JsonValue) -> timedelta | None:
    """From nothing to ten years; None for what is no such number.

    RFC 6749 section 5.1 says a number; many say a string of one.
    """
    number = number_of(said, most=LONGEST_LIFE.total_seconds())
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
