"""A JSON object, read as far as it can be read."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igniter_connectors.core.oauth.lenient_json import decode_json_object

DEEP = b'{"y":[' * 50_000 + b"]}" * 50_000


@pytest.mark.parametrize("bad", [b'"\\ud83d"', b'"\xff"', b"9" * 5000, b"1e400", DEEP, b"NaN"])
@pytest.mark.parametrize("body", [b'{"x":%b,"a":{"b":[1,"]"]}}', b' { "a":{"b":[1,"]"]},"x":%b} '])
def test_a_member_that_cannot_be_decoded_costs_no_other(bad: bytes, body: bytes) -> None:
    """Wherever it stands."""
    read = decode_json_object(body % bad)
    assert read is not None
    assert read["a"] == {"b": [1, "]"]}


@pytest.mark.parametrize("body", [b'{"a":1}', b'{"a":1,"b":"\\ud83d"}'])
def test_a_byte_order_mark_is_ignored(body: bytes) -> None:
    """RFC 8259 section 8.1."""
    read = decode_json_object(b"\xef\xbb\xbf" + body)
    assert read is not None
    assert read["a"] == 1


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"5", b"null", b"{", b"a=b", b"<html>", b'{"a":1}x', b'{"a":1}{}', b"[" * 9],
)
def test_what_is_no_object_is_none(body: bytes) -> None:
    """A body that is cut off, or two bodies, are not an object."""
    assert decode_json_object(body) is None


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.lists(st.none())))
def test_an_object_is_read_as_it_is(value: dict[str, object]) -> None:
    """As the JSON decoder does."""
    assert decode_json_object(msgspec.json.encode(value)) == value


@given(st.binary() | st.text(alphabet='{}[]",:\\a1 ').map(str.encode))
def test_any_body_is_read_or_none(body: bytes) -> None:
    """No body raises."""
    read = decode_json_object(body)
    assert read is None or isinstance(read, dict)
