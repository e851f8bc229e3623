"""Which text can be stored and sent."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igniter_connectors.core.storable_text import (
    MAX_DISPLAY_CHARS,
    display_text,
    is_encodable,
    is_header_token,
    storable_scopes,
)

TEXT = st.text(st.characters(exclude_categories=()))


@given(TEXT)
def test_a_header_token_is_visible_ascii(text: str) -> None:
    """Whatever is accepted is sent byte for byte, without white space at either end."""
    if is_header_token(text):
        assert text.encode("ascii").decode() == text == text.strip()
        assert text
        assert text.isprintable()


@pytest.mark.parametrize("text", ["", " ", "a ", "a\n", "a\x00", "é", "\ud83d", "a\x7f"])
def test_what_a_header_cannot_carry_is_no_token(text: str) -> None:
    """An empty text is not a token either."""
    assert not is_header_token(text)


def test_only_a_lone_surrogate_cannot_be_encoded() -> None:
    """U+0000 can: sealed bytes and forms carry it."""
    assert is_encodable("\x00é\U0001f600")
    assert not is_encodable("a\ud83d")


@given(st.lists(TEXT | st.integers() | st.none()))
def test_scopes_that_are_kept_are_printable_ascii(scopes: list[object]) -> None:
    """In their order, without `"` and `\\`. Every database stores them."""
    kept = storable_scopes(scopes)
    assert [scope for scope in scopes if scope in kept] == list(kept)
    for scope in kept:
        assert scope.isascii()
        assert scope.isprintable()
        assert not set(scope) & {'"', "\\"}


@given(TEXT)
def test_a_display_text_is_kept_whole_or_dropped(text: str) -> None:
    """What is kept can be encoded as JSON and contains no control character."""
    shown = display_text(text)
    assert shown in ("", text)
    assert "\x00" not in shown
    _ = msgspec.json.encode(shown)


@pytest.mark.parametrize("value", ["x" * (MAX_DISPLAY_CHARS + 1), "a\x00", "\ud83d", 5, None, []])
def test_what_cannot_be_shown_is_dropped(value: object) -> None:
    """Too long, a control character, a lone surrogate, or no text."""
    assert display_text(value) == ""


@pytest.mark.parametrize("text", ["Zoë", "\U0001f468\u200d\U0001f469", "x" * MAX_DISPLAY_CHARS])
def test_names_of_every_script_are_kept(text: str) -> None:
    """Joiners too, which emoji and Persian need."""
    assert display_text(text) == text
