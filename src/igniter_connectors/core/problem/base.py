"""The base of all problems, and the exceptions for those who prefer them."""

from __future__ import annotations

from typing import ClassVar, TypeVar

import msgspec
from returns.pipeline import is_successful
from returns.result import Result

V = TypeVar("V")
P = TypeVar("P", bound="Problem")


class Problem(msgspec.Struct, frozen=True, tag_field="code"):
    """The base of all problems. The tag is the code; `message` says what to do."""

    says: ClassVar[str] = "an operation could not be done"

    @property
    def code(self) -> str:
        """The stable name, as in `ErrorCode`."""
        return str(self.__struct_config__.tag)

    @property
    def message(self) -> str:
        """One line for a person."""
        return self.says.format_map(msgspec.structs.asdict(self))


class ConnectorError(Exception):
    """A problem, raised for those who prefer exceptions."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.code}: {problem.message}")
        self.problem = problem


class WrongWiring(ConnectorError):
    """The application put its connectors together wrongly; raised while it is built."""


def value_or_raise(result: Result[V, Problem]) -> V:
    """The value, or its problem raised as a `ConnectorError`."""
    if is_successful(result):
        return result.unwrap()
    raise ConnectorError(result.failure())


def problem_of(result: Result[object, P]) -> P | None:
    """The problem for a `match`, or None where there is a value."""
    return None if is_successful(result) else result.failure()
