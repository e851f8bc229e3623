"""How PostgreSQL and SQLite differ in a statement that is otherwise the same."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, LiteralString

import msgspec

from igniter_connectors.adapters.sql.tables import KeyRow

# A parameter is written `:name`. `::type` is PostgreSQL's cast.
_PARAMETER: Final = re.compile(r"(?<!:):([a-z_]+)")


class Dialect(msgspec.Struct, frozen=True):
    """One database's way to write what the shared statements leave open.

    Attributes:
        parameter: The mark of a named parameter, with `\\1` for the name.
        prefix: What the name of each table begins with.
        now: The present instant.
        after_duration: The instant after a duration, with `{}` for its parameter's mark.
        lease_after: The end of a lease that lasts a duration, with `{}` for its parameter's mark.
        is_lease_over: Whether the lease that ends at `lease_until` is over.
        lease_end: The instant at which it ends.
        is_any: A column that has one of several values, with `{column}` and `{values}`.
        no_bytes: Bytes of length 0.
        skip_locked: The end of a subquery that locks its rows and skips rows locked by others.
    """

    parameter: str
    prefix: LiteralString
    now: LiteralString
    after_duration: LiteralString
    lease_after: LiteralString
    is_lease_over: LiteralString
    lease_end: LiteralString
    is_any: LiteralString
    no_bytes: LiteralString
    skip_locked: LiteralString

    def statement(self, text: LiteralString) -> LiteralString:
        """A statement with this dialect's parameter marks in place of `:name`."""
        # Only the marks change, so the text is as literal as before. mypy knows no LiteralString.
        joined = " ".join(text.split())
        return _PARAMETER.sub(self.parameter, joined)  # pyright: ignore[reportReturnType]

    def after(self, duration: LiteralString) -> LiteralString:
        """The instant that comes after the duration in a parameter."""
        return self.after_duration.format(duration)

    def leased_for(self, duration: LiteralString) -> LiteralString:
        """The end of a lease that lasts the duration in a parameter."""
        return self.lease_after.format(duration)

    def any_of(self, column: LiteralString, values: LiteralString) -> LiteralString:
        """Whether a column has one of the values in a parameter."""
        return self.is_any.format(column=column, values=values)


def columns(table: type[msgspec.Struct]) -> tuple[LiteralString, ...]:
    """The names of a class's columns."""
    # They are literals in `tables`.
    return table.__struct_fields__  # pyright: ignore[reportReturnType]


def listed(names: Sequence[LiteralString], *, of: LiteralString = "") -> LiteralString:
    """`a, b`, or with a table `of` their own `t.a, t.b`."""
    return ", ".join(f"{of}.{name}" if of else name for name in names)


def marks(names: Sequence[LiteralString]) -> LiteralString:
    """`:a, :b`."""
    return ", ".join(f":{name}" for name in names)


def assigned(names: Sequence[LiteralString]) -> LiteralString:
    """`a = :a, b = :b`, for SET."""
    return ", ".join(f"{name} = :{name}" for name in names)


def equal(
    names: Sequence[LiteralString], left: LiteralString, right: LiteralString
) -> LiteralString:
    """`l.a = r.a AND l.b = r.b`, for a join."""
    return " AND ".join(f"{left}.{name} = {right}.{name}" for name in names)


KEY: Final = columns(KeyRow)

IS_KEY: Final[LiteralString] = " AND ".join(f"{name} = :{name}" for name in KEY)
"""The row of a key."""

IS_LIVE: Final[LiteralString] = "status <> 'disconnected'"
"""Not a tombstone. The primary key's index finds the row with or without this condition."""
