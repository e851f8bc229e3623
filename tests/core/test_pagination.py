"""Cursors say where the next page begins, and nothing else is one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igniter_connectors.core.pagination import (
    LARGEST_PAGE,
    PAGE_SIZE,
    Page,
    make_cursor,
    page_size,
    read_cursor,
)


@pytest.mark.parametrize(
    ("asked", "given_size"),
    [
        (-1, 1),
        (0, 1),
        (1, 1),
        (2, 2),
        (PAGE_SIZE, PAGE_SIZE),
        (LARGEST_PAGE - 1, LARGEST_PAGE - 1),
        (LARGEST_PAGE, LARGEST_PAGE),
        (LARGEST_PAGE + 1, LARGEST_PAGE),
    ],
)
def test_a_page_has_from_one_to_a_thousand_items(asked: int, given_size: int) -> None:
    """No caller gets an empty page for ever, and none loads the whole table."""
    assert page_size(asked) == given_size


@given(st.text(), st.text())
def test_a_cursor_reads_back_as_what_it_was_made_of(connector: str, account: str) -> None:
    """Whatever stands in a key, separators and quotes too, comes back unchanged."""
    assert read_cursor(make_cursor(connector, account)) == (connector, account)


@given(st.text(), st.text())
def test_a_cursor_fits_into_a_url(connector: str, account: str) -> None:
    """It needs no escaping in a query."""
    cursor = make_cursor(connector, account)
    assert cursor.isascii()
    assert all(character.isalnum() or character in "-_" for character in cursor)


@given(st.text())
def test_any_other_text_is_no_cursor(text: str) -> None:
    """A cursor from a stranger is None or two strings, never an exception."""
    position = read_cursor(text)
    assert position is None or [type(part) for part in position] == [str, str]


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "A",
        "é",
        "====",
        make_cursor("one"),
        make_cursor("one", "two", "three"),
        "WzEsMl0",  # [1,2]
        "eyJhIjoxfQ",  # {"a":1}
        "WyJhIiwi_yJd",  # ["a","\xff"]
        "Wyd" * 1000,
    ],
)
def test_malformed_cursors_are_none(cursor: str) -> None:
    """Bad base64, bad JSON, bad UTF-8 and other shapes are all the same to the caller."""
    assert read_cursor(cursor) is None


def test_the_last_page_has_no_next() -> None:
    """A page made without a cursor ends the list."""
    assert Page(("a",)).next is None
