"""Problems have a stable code, a one-line message, and only the fields that a caller needs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from msgspec import inspect
from returns.result import Failure, Success

from igniter_connectors.core.problem import (
    ConnectorError,
    Disabled,
    ErrorCode,
    NotConnected,
    Problem,
    ScopeInvalid,
    WrongWiring,
    problem_of,
    value_or_raise,
)
from tests.core.vector_files import vectors


def kinds_below(kind: type[Problem]) -> list[type[Problem]]:
    """All problem classes below this one."""
    found = list(kind.__subclasses__())
    return found + [grandchild for child in found for grandchild in kinds_below(child)]


KINDS = [kind for kind in kinds_below(Problem) if kind.__module__.startswith("igniter_connectors.")]
TRICKY = "{connector} {0} %s\n"


def example_of(kind: type[Problem], text: str = "telegram") -> Problem:
    """A problem with a value in every field."""
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    values: dict[str, Any] = {}
    for field in info.fields:
        members = field.type.types if isinstance(field.type, inspect.UnionType) else (field.type,)
        match members[0]:
            case inspect.StrType():
                values[field.name] = text
            case inspect.IntType():
                values[field.name] = 7
            case inspect.VarTupleType(item_type=inspect.StrType()):
                values[field.name] = (text, text)
            case inspect.BoolType():
                values[field.name] = True
            case inspect.DateTimeType():
                values[field.name] = datetime(2026, 11, 1, tzinfo=UTC)
            case other:
                raise AssertionError(f"{kind.__name__}.{field.name} is {other}")
    return kind(**values)


class Codes(msgspec.Struct):
    codes: list[str]


def test_codes_are_distinct() -> None:
    """A caller that matches on a code matches one problem class."""
    codes = [str(kind.__struct_config__.tag) for kind in KINDS]
    assert len(set(codes)) == len(codes)


def test_error_code_is_generated_from_the_problems() -> None:
    """There is no second list that could differ from the classes."""
    listed = {str(code) for code in ErrorCode}
    assert listed == {str(kind.__struct_config__.tag) for kind in KINDS}
    assert all(code.name == code.value for code in ErrorCode)


@pytest.mark.parametrize("code", vectors("error_codes.json", Codes).codes)
def test_the_originals_codes_are_kept(code: str) -> None:
    """Code that handles a code of the original still works."""
    assert code in [str(kind.__struct_config__.tag) for kind in KINDS]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_problem_tells_its_code_in_python_and_json(kind: type[Problem]) -> None:
    """The struct's tag is the code everywhere, and every problem survives a JSON round trip."""
    problem = example_of(kind)
    assert problem.code == kind.__struct_config__.tag
    assert problem.code.startswith("CONNECTOR_")
    encoded = msgspec.json.encode(problem)
    assert msgspec.json.decode(encoded)["code"] == problem.code
    assert msgspec.json.decode(encoded, type=kind) == problem


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_message_can_be_made(kind: type[Problem]) -> None:
    """A template names only existing fields, and braces in a field's value stay text."""
    assert len(example_of(kind).message.splitlines()) == 1
    assert example_of(kind, TRICKY).message


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_problems_do_not_change(kind: type[Problem]) -> None:
    """Problems are frozen, comparable and hashable."""
    assert kind.__struct_config__.frozen
    assert example_of(kind) == example_of(kind)
    assert hash(example_of(kind)) == hash(example_of(kind))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_problems_hold_scalars_alone(kind: type[Problem]) -> None:
    """Or tuples of texts. There is no room for a body, a header or a config."""
    example_of(kind)  # fails on a field of any other type


def test_a_message_repeats_what_the_caller_gave() -> None:
    """The fields fill the template."""
    assert NotConnected("telegram", "work").message == (
        "telegram (account 'work') is not connected: connect it first"
    )
    assert ScopeInvalid("{scope}", "{reason}").message == "scope '{scope}': {reason}"


def test_the_base_class_has_a_message() -> None:
    """A problem without a template of its own has a message too."""
    assert Problem().message == "the operation failed"


def test_a_value_is_returned_and_a_problem_raised() -> None:
    """The exception carries the problem, its code and its message."""
    assert value_or_raise(Success(5)) == 5
    problem = Disabled("telegram")
    with pytest.raises(ConnectorError, match="CONNECTOR_DISABLED: telegram is disabled") as caught:
        value_or_raise(Failure(problem))
    assert caught.value.problem is problem


def test_wrong_wiring_is_a_connector_error() -> None:
    """One `except ConnectorError` catches both."""
    assert isinstance(WrongWiring(Disabled("telegram")), ConnectorError)


def test_problem_of_is_none_for_a_value() -> None:
    """`problem_of` returns None for every value, falsy ones too."""
    problem = Disabled("telegram")
    assert problem_of(Failure(problem)) is problem
    assert problem_of(Success(None)) is None
    assert problem_of(Success(0)) is None
