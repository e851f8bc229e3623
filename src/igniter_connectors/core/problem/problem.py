"""The base class of all problems, and the exceptions that carry a problem."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar, TypeVar

import msgspec
from returns.pipeline import is_successful
from returns.result import Result

V = TypeVar("V")
P = TypeVar("P", bound="Problem")


class Problem(msgspec.Struct, frozen=True, tag_field="code"):
    """The base class of all problems. The struct's tag is the code; `message` is for people."""

    template: ClassVar[str] = "the operation failed"

    @property
    def code(self) -> str:
        """The stable code, as in `ErrorCode`."""
        return str(self.__struct_config__.tag)

    @property
    def message(self) -> str:
        """One line for a person."""
        return self.template.format_map(msgspec.structs.asdict(self))


def retry_at_of(problem: Problem) -> datetime | None:
    """When a retry makes sense, as the problem says; None if it does not say."""
    at: object = getattr(problem, "retry_at", None)
    return at if isinstance(at, datetime) and at.tzinfo is not None else None


def pause_asked_by(problem: Problem, *, now: datetime) -> timedelta:
    """How long the problem asks to wait before a retry, at least 0."""
    at = retry_at_of(problem)
    return timedelta(0) if at is None else max(timedelta(0), at - now)


class ConnectorError(Exception):
    """A problem as an exception: raised by `value_or_raise`."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.code}: {problem.message}")
        self.problem = problem


class WrongWiring(ConnectorError):
    """The application is configured wrongly. Raised while it is built."""


def value_or_raise(result: Result[V, Problem]) -> V:
    """The value of a Result. Raises its problem as a `ConnectorError`."""
    if is_successful(result):
        return result.unwrap()
    raise ConnectorError(result.failure())


def problem_of(result: Result[object, P]) -> P | None:
    """The problem of a Result, for a `match`; None if it has a value."""
    return None if is_successful(result) else result.failure()
