"""Retry-After: seconds, dates, and whatever else a server may put there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igniter_connectors.core.http.messages import HttpResponse
from igniter_connectors.core.http.retry_after import MAX_RETRY_AFTER, http_date, retry_after

# The instant of the examples in RFC 9110 section 5.6.7, less half a minute.
BEFORE = datetime(1994, 11, 6, 8, 49, 7, tzinfo=UTC)


def asked(value: str) -> timedelta | None:
    """What a 503 with this header asks for."""
    return retry_after(HttpResponse(503, (("retry-after", value),)), received_at=BEFORE)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("1", 1),
        ("3599", 3599),
        ("3600", 3600),
        ("3601", 3600),
        ("999999999", 3600),
        ("9999999999", 3600),
        ("9" * 5000, 3600),
    ],
)
def test_seconds_are_waited_up_to_an_hour(value: str, seconds: int) -> None:
    """As many as were asked for; no number is too long to be read."""
    assert asked(value) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "value",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    ],
)
def test_each_form_of_a_date_is_read(value: str) -> None:
    """The three of RFC 9110 section 5.6.7."""
    assert asked(value) == timedelta(seconds=30)


def test_a_date_that_has_passed_asks_for_nothing_and_a_far_one_for_an_hour() -> None:
    """A clock that is wrong over there neither repeats at once for ever nor waits for years."""
    assert asked("Sun, 06 Nov 1994 08:49:06 GMT") == timedelta()
    assert asked("Sun, 06 Nov 1994 09:49:07 GMT") == MAX_RETRY_AFTER
    assert asked("Sun, 06 Nov 1994 09:49:08 GMT") == MAX_RETRY_AFTER
    assert asked("Fri, 31 Dec 9999 23:59:59 GMT") == MAX_RETRY_AFTER


@pytest.mark.parametrize(
    "value", ["", "-1", "1.5", "soon", "１２", "Sun, 99 Nov 1994 08:49:37 GMT"]
)
def test_nonsense_asks_for_nothing(value: str) -> None:
    """The back-off decides then."""
    assert asked(value) is None


def test_absent_or_given_twice_asks_for_nothing() -> None:
    """Of two values neither is to be trusted."""
    assert retry_after(HttpResponse(503), received_at=BEFORE) is None
    twice = HttpResponse(503, (("Retry-After", "1"), ("retry-after", "2")))
    assert retry_after(twice, received_at=BEFORE) is None


@given(st.text(max_size=60))
def test_no_text_makes_it_raise_or_leave_its_bounds(value: str) -> None:
    """A stranger wrote the header."""
    wait = asked(value)
    assert wait is None or timedelta() <= wait <= MAX_RETRY_AFTER


@pytest.mark.parametrize(
    "text",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    ],
)
def test_each_form_is_read(text: str) -> None:
    """The three of RFC 9110 section 5.6.7, each in GMT."""
    assert http_date(text) == datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "0", "now", "2026-11-24T12:00:00Z", "Sun, 99 Nov 1994"])
def test_anything_else_is_no_date(text: str) -> None:
    """None, and no exception."""
    assert http_date(text) is None


@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    """What is read is aware."""
    at = http_date(text)
    assert at is None or at.tzinfo is not None
