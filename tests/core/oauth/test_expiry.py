"""Lifetimes: seconds, or an instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from igniter_connectors.core.json_value import JsonValue
from igniter_connectors.core.oauth.expiry import MAX_LIFETIME, instant_of, lifetime_until

AT = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


SECOND = timedelta(seconds=1)


OFFSETS = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(
    lambda minutes: timezone(timedelta(minutes=minutes))
)


@pytest.mark.parametrize(
    "said",
    [
        "2026-11-24T12:00:00Z",
        "2026-11-24t12:00:00z",
        "2026-11-24T12:00:00.000000Z",
        "2026-11-24T12:00:00+00:00",
        "2026-11-24T13:30:00+01:30",
        "2026-11-24T07:00:00-05:00",
        1_795_521_600,
        1_795_521_600.0,
        "1795521600",
        "1795521600.0",
    ],
)
def test_each_form_of_an_instant_is_read(said: JsonValue) -> None:
    """With any offset, as a number, or as a number in a string."""
    assert instant_of(said) == AT


@given(st.datetimes(timezones=OFFSETS))
def test_rfc_3339_comes_back(at: datetime) -> None:
    """What Python writes is read unchanged, with microseconds and offset."""
    assert instant_of(at.isoformat()) == at


@given(st.integers(0, 253_402_214_400))
def test_seconds_come_back(seconds: int) -> None:
    """Up to the last day of the year 9999, as a number and as a string."""
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    assert instant_of(seconds) == instant_of(str(seconds)) == at


@pytest.mark.parametrize(
    "said",
    [
        None,
        True,
        False,
        "",
        "never",
        "2026-11-24",
        "2026-11-24T12:00:00",
        "2026-11-24T25:00:00Z",
        "2026-13-24T12:00:00Z",
        "20261124T120000Z",
        " 2026-11-24T12:00:00Z",
        "2026-11-24T12:00:00Z\n",
        "2026-W48-2T12:00:00Z",
        "Tue, 24 Nov 2026 12:00:00 GMT",
        -1,
        "-1",
        "1e9",
        253_402_214_401,
        1e99,
        float("nan"),
        float("inf"),
        [],
        {},
        ["2026-11-24T12:00:00Z"],
    ],
)
def test_anything_else_is_no_instant(said: JsonValue) -> None:
    """A time without an offset is ambiguous, so it is not read."""
    assert instant_of(said) is None
    assert lifetime_until(said, at=AT) is None


@pytest.mark.parametrize(
    ("away", "life"),
    [
        (-MAX_LIFETIME, timedelta()),
        (-SECOND, timedelta()),
        (timedelta(), timedelta()),
        (SECOND, SECOND),
        (MAX_LIFETIME, MAX_LIFETIME),
        (MAX_LIFETIME + SECOND, None),
    ],
)
def test_a_lifetime_is_from_zero_to_ten_years(away: timedelta, life: timedelta | None) -> None:
    """A past instant means 0. A later one is invalid, for example milliseconds."""
    assert lifetime_until((AT + away).isoformat(), at=AT) == life
    assert lifetime_until(int((AT + away).timestamp()), at=AT) == life


TEXTS = st.text() | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8}(Z|[+-][0-9:]{5})")


NUMBERS = st.integers() | st.floats()


@given(
    st.none() | st.booleans() | NUMBERS | TEXTS | st.lists(TEXTS), st.datetimes(timezones=OFFSETS)
)
@example("0001-01-01T00:00:00+23:59", datetime.max.replace(tzinfo=UTC))
@example("9999-12-31T23:59:59-23:59", datetime.min.replace(tzinfo=UTC))
@example(10**5000, AT)
def test_any_value_is_a_lifetime_within_bounds_or_none(said: JsonValue, at: datetime) -> None:
    """No exception, nothing negative, nothing over ten years."""
    life = lifetime_until(said, at=at)
    assert life is None or timedelta() <= life <= MAX_LIFETIME
