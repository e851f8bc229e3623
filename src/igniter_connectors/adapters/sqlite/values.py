"""Python's values as SQLite stores them, and its rows as the classes of `sql.tables`.

An instant is stored as whole microseconds since 1970 in UTC, a list as JSON, a boolean as 0 or 1.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final, TypeAlias, TypeVar, get_args

import msgspec

from igniter_connectors.adapters.sql.database import RowUnreadable

R = TypeVar("R", bound=msgspec.Struct)

Stored: TypeAlias = int | str | bytes | None
"""What sqlite3 takes and returns."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def encode(values: Mapping[str, Any], now: datetime, monotonic: float) -> dict[str, Stored]:
    """A statement's values by name, `now`, and `monotonic` in microseconds.

    A duration becomes the instant at its end.
    """
    encoded = {name: _encode(value, now) for name, value in values.items()}
    return {**encoded, "now": _micros(now), "monotonic": int(monotonic * 1_000_000)}


def decode(row: Sequence[Stored], kind: type[R]) -> R:
    """A row as the class of its columns.

    Raises:
        RowUnreadable: the row is not of this class.
    """
    decoders = _decoders(kind)
    try:
        values = [
            value if decoder is None or value is None else decoder(value)
            for decoder, value in zip(decoders, row, strict=True)
        ]
        return msgspec.convert(values, kind, builtin_types=(bytes, datetime, timedelta))
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError):
        raise RowUnreadable("SQLite: a stored row is not of this schema") from None


def _encode(value: Any, now: datetime) -> Stored:  # whatever a column holds
    if isinstance(value, datetime):
        return _micros(value)
    if isinstance(value, timedelta):
        return _micros(now + value)
    if isinstance(value, list):
        return msgspec.json.encode(value).decode()
    encoded: Stored = value
    return encoded


def _micros(instant: datetime) -> int:
    return (instant - _EPOCH) // _MICROSECOND


@cache
def _decoders(kind: type[msgspec.Struct]) -> tuple[Callable[[Any], object] | None, ...]:
    """For each column, what makes its type of what SQLite stores; None if they are the same."""
    return tuple(_DECODERS.get(_not_none(field.type)) for field in msgspec.structs.fields(kind))


def _not_none(annotation: Any) -> Any:  # an annotation has no type of its own
    """`T` for `T | None`."""
    if isinstance(annotation, types.UnionType):
        return next(one for one in get_args(annotation) if one is not types.NoneType)
    return annotation


_DECODERS: Final[dict[Any, Callable[[Any], object]]] = {
    datetime: lambda micros: _EPOCH + timedelta(microseconds=micros),
    timedelta: lambda micros: timedelta(microseconds=micros),
    bool: bool,
    list[str]: msgspec.json.decode,
}
