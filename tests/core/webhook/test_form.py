"""Forms and queries are parsed strictly and with limits."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igniter_connectors.core.webhook.form import (
    MAX_FORM_FIELDS,
    read_form,
    read_query,
    single_field,
)

TEXTS = st.text(st.characters(codec="utf-8"), max_size=10)


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=10))
def test_what_was_written_is_read(fields: list[tuple[str, str]]) -> None:
    """Any text survives a round trip, in order."""
    assert read_form(urlencode(fields).encode()) == tuple(fields)


@given(st.binary(max_size=60))
def test_what_is_read_is_what_others_read(octets: bytes) -> None:
    """If a form is accepted, the standard library parses the same fields. Nothing raises."""
    fields = read_form(octets)
    if fields is not None:
        text = octets.decode("utf-8")
        assert list(fields) == parse_qsl(text, keep_blank_values=True, errors="strict")


@pytest.mark.parametrize(
    ("octets", "fields"),
    [
        (b"", ()),
        (b"&&", ()),
        (b"=", (("", ""),)),
        (b"a", (("a", ""),)),
        (b"a=", (("a", ""),)),
        (b"a=b=c", (("a", "b=c"),)),
        (b"a=1&a=2", (("a", "1"), ("a", "2"))),
        (b"+a+=%20b%2B", ((" a ", " b+"),)),
        (b"a=%c3%A9", (("a", "\u00e9"),)),
        (b"a=\xc3\xa9", (("a", "\u00e9"),)),
        (b"a;b=1", (("a;b", "1"),)),
        (b"a=%", None),
        (b"a=%1", None),
        (b"%=1", None),
        (b"a=%%41", None),
        (b"a=%g1", None),
        (b"a=%C3", None),
        (b"a=\xc3", None),
        (b"a=%ED%A0%80", None),
    ],
)
def test_each_form_has_one_reading_or_none(
    octets: bytes, fields: tuple[tuple[str, str], ...] | None
) -> None:
    """An invalid `%` escape and text that is not UTF-8 are refused."""
    assert read_form(octets) == fields


@pytest.mark.parametrize(("count", "taken"), [(999, True), (1000, True), (1001, False)])
def test_a_form_has_at_most_a_thousand_fields(count: int, taken: bool) -> None:
    """They are counted before parsing."""
    assert MAX_FORM_FIELDS == 1000
    assert (read_form(b"&".join([b"a=1"] * count)) is not None) is taken


@pytest.mark.parametrize(
    ("url", "fields"),
    [
        ("https://own.example/x", ()),
        ("https://own.example/x?a=1&b", (("a", "1"), ("b", ""))),
        ("https://own.example/x?a=?", (("a", "?"),)),
        ("https://own.example/x?a=%", None),
        ("https://own.example/x?a=\ud800", (("a", "?"),)),
    ],
)
def test_a_query_starts_after_the_question_mark(
    url: str, fields: tuple[tuple[str, str], ...] | None
) -> None:
    """With the same rules."""
    assert read_query(url) == fields


def test_a_repeated_field_has_no_value() -> None:
    """Neither of two values is trusted."""
    form = (("a", "1"), ("b", "2"), ("a", "3"))
    assert (single_field(form, "a"), single_field(form, "b")) == (None, "2")
    assert single_field(form, "c") is None
