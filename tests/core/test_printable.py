"""Text from outside is shown escaped."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igniter_connectors.core.printable import printable, printable_json

HOSTILE = [
    *(chr(code) for code in range(0x20)),
    *(chr(code) for code in range(0x7F, 0xA0)),
    *"\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
    *"\u2028\u2029\u200b\u2060\ufeff\u00ad",
    "\U000e0041",
]


@pytest.mark.parametrize("one", HOSTILE, ids=lambda one: f"U+{ord(one):04X}")
def test_a_character_that_acts_on_a_terminal_is_escaped(one: str) -> None:
    """Controls, bidi overrides, line separators, and characters that nobody sees."""
    shown = printable(f"a{one}b")
    assert one not in shown
    assert shown.startswith("a\\")
    assert shown.isprintable()
    encoded = printable_json({"text": f"a{one}b"})
    assert encoded.isprintable()
    assert msgspec.json.decode(encoded) == {"text": f"a{one}b"}


@pytest.mark.parametrize("text", ["", "plain", "Grüße, 東京", "\\n", "🙂", "a b"])
def test_other_text_is_shown_as_it_is(text: str) -> None:
    """People's names and words in any script."""
    assert printable(text) == text


@given(st.text(st.characters(codec=None)))
def test_whatever_is_shown_is_one_printable_line(text: str) -> None:
    """Lone surrogates included, which no terminal can be sent."""
    assert printable(text).isprintable()
    assert len(printable(text).splitlines()) <= 1


@given(st.text())
def test_json_keeps_the_value(text: str) -> None:
    """A program that reads the line gets what was stored."""
    assert msgspec.json.decode(printable_json([text])) == [text]
    assert printable_json([text]).isprintable()
