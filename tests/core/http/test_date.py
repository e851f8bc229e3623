"""Dates in HTTP headers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igniter_connectors.core.http.date import http_date


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
