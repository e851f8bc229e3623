"""What SQLite stores, and what comes back: every type of a column, and rows of another schema."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest

from igniter_connectors.adapters.sql.database import RowUnreadable
from igniter_connectors.adapters.sqlite.values import Stored, decode, encode

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


class Row(msgspec.Struct, array_like=True):
    """A column of each type."""

    text: str
    octets: bytes | None
    count: int
    flag: bool
    at: datetime | None
    names: list[str] | None
    due_in: timedelta


def test_each_type_comes_back() -> None:
    """A duration is stored as the instant at its end, all else as what it was."""
    at = NOW.astimezone(timezone(timedelta(hours=5, minutes=45)))
    stored = encode({"flag": True, "at": at, "names": ["a", "ü"], "due_in": timedelta(1)}, NOW, 0.0)
    assert stored["due_in"] == stored["now"] + 86_400_000_000  # type: ignore[operator]  # an int
    row = ("x", b"\xff", 3, stored["flag"], stored["at"], stored["names"], 5)
    read = decode(row, Row)
    assert read == Row("x", b"\xff", 3, True, NOW, ["a", "ü"], timedelta(microseconds=5))
    assert decode(("x", None, 3, 0, None, None, 0), Row).at is None


@pytest.mark.parametrize(
    "row",
    [
        ("x", b"", 3, 1, "noon", None, 0),
        ("x", b"", 3, 1, 2**70, None, 0),
        ("x", b"", 3, 1, 0, "[", 0),
        ("x", b"", 3, 1, 0, "[1]", 0),
        ("x", "text", 3, 1, 0, None, 0),
        (None, b"", 3, 1, 0, None, 0),
        ("x", b"", 3),
    ],
)
def test_a_row_of_another_schema_is_unreadable(row: tuple[Stored, ...]) -> None:
    """The reason contains no value of the row."""
    with pytest.raises(RowUnreadable) as caught:
        decode(row, Row)
    assert caught.value.reason == "SQLite: a stored row is not of this schema"
    assert caught.value.__suppress_context__
