"""Retry-After: seconds, dates, and anything else that a server sends."""

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
    """The pause that a 503 with this header asks for."""
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
    """Exactly the given number, at most an hour. No number is too long to read."""
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
    """The three forms of RFC 9110 section 5.6.7."""
    assert asked(value) == timedelta(seconds=30)


def test_a_past_date_means_no_pause_and_a_far_one_an_hour() -> None:
    """So a wrong clock at the server causes neither an endless loop nor a pause of years."""
    assert asked("Sun, 06 Nov 1994 08:49:06 GMT") == timedelta()
    assert asked("Sun, 06 Nov 1994 09:49:07 GMT") == MAX_RETRY_AFTER
    assert asked("Sun, 06 Nov 1994 09:49:08 GMT") == MAX_RETRY_AFTER
    assert asked("Fri, 31 Dec 9999 23:59:59 GMT") == MAX_RETRY_AFTER


@pytest.mark.parametrize(
    "value", ["", "-1", "1.5", "soon", "１２", "Sun, 99 Nov 1994 08:49:37 GMT"]
)
def test_an_invalid_value_means_no_pause(value: str) -> None:
    """Then the back-off decides."""
    assert asked(value) is None


def test_an_absent_or_repeated_header_means_no_pause() -> None:
    """Two values are ambiguous, so neither is used."""
    assert retry_after(HttpResponse(503), received_at=BEFORE) is None
    twice = HttpResponse(503, (("Retry-After", "1"), ("retry-after", "2")))
    assert retry_after(twice, received_at=BEFORE) is None


@given(st.text(max_size=60))
def test_any_text_gives_a_pause_within_the_bounds(value: str) -> None:
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
    """The three forms of RFC 9110 section 5.6.7, each in GMT."""
    assert http_date(text) == datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "0", "now", "2026-11-24T12:00:00Z", "Sun, 99 Nov 1994"])
def test_anything_else_is_none(text: str) -> None:
    """No exception is raised."""
    assert http_date(text) is None


@given(st.text())
def test_any_text_is_a_date_or_none(text: str) -> None:
    """A date that is read has a time zone."""
    at = http_date(text)
    assert at is None or at.tzinfo is not None
