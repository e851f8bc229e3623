"""Cursors say where the next page begins; anything else is not a cursor."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igniter_connectors.core.pagination import (
    MAX_PAGE_SIZE,
    PAGE_SIZE,
    Page,
    make_cursor,
    page_size,
    read_cursor,
)
from igniter_connectors.core.storable_text import is_storable


@pytest.mark.parametrize(
    ("asked", "given_size"),
    [
        (-1, 1),
        (0, 1),
        (1, 1),
        (2, 2),
        (PAGE_SIZE, PAGE_SIZE),
        (MAX_PAGE_SIZE - 1, MAX_PAGE_SIZE - 1),
        (MAX_PAGE_SIZE, MAX_PAGE_SIZE),
        (MAX_PAGE_SIZE + 1, MAX_PAGE_SIZE),
    ],
)
def test_a_page_has_from_one_to_a_thousand_items(asked: int, given_size: int) -> None:
    """A page has at least 1 and at most 1,000 items."""
    assert page_size(asked) == given_size


@given(st.text(), st.text())
def test_a_cursor_reads_back_as_what_it_was_made_of(connector: str, account: str) -> None:
    """Every key comes back unchanged, also with separators and quotes.

    Text that no database takes is in no key, so such a cursor is invalid.
    """
    is_key = is_storable(connector) and is_storable(account)
    expected = (connector, account) if is_key else None
    assert read_cursor(make_cursor(connector, account)) == expected


@given(st.text(), st.text())
def test_a_cursor_fits_into_a_url(connector: str, account: str) -> None:
    """It needs no escaping in a query."""
    cursor = make_cursor(connector, account)
    assert cursor.isascii()
    assert all(character.isalnum() or character in "-_" for character in cursor)


@given(st.text())
def test_any_other_text_is_no_cursor(text: str) -> None:
    """A foreign cursor gives None or two strings, never an exception."""
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
    """Invalid base64, JSON, UTF-8 or shape: the caller gets None."""
    assert read_cursor(cursor) is None


def test_the_last_page_has_no_next() -> None:
    """A page without a cursor is the last one."""
    assert Page(("a",)).next is None
