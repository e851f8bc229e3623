"""Validation names the path and the rule, and never the value."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Annotated, Any, Final, Generic, Literal, TypeVar
from uuid import UUID

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import Meta, Struct
from returns.pipeline import is_successful
from returns.result import Result

from igniter_connectors.core.connector.validation import (
    VALIDATION_ERRORS,
    ValidationFault,
    checker,
    decode_json,
    encode_json,
    encode_json_to_seal,
    validate,
    validation_fault,
)
from igniter_connectors.core.problem import (
    ActionInputInvalid,
    ConfigInvalid,
    Problem,
    WebhookPayloadInvalid,
)
from igniter_connectors.core.secret import Secret

CANARY: Final = "Zq7canary"

T = TypeVar("T")


class Mood(enum.Enum):
    GLAD = "glad"
    SAD = "sad"


class Strict(enum.Enum):
    """An enum whose own look-up raises an error with the value."""

    ONE = "one"

    @classmethod
    def _missing_(cls, value: object) -> Strict:
        raise ValueError(f"never heard of {value}")


class Inner(Struct, frozen=True, forbid_unknown_fields=True):
    note: str = ""


class Judged(Struct):
    """A type with its own check, whose error quotes the value."""

    word: str

    def __post_init__(self) -> None:
        raise ValueError(f"what is {self.word}?")


class Doubted(Struct):
    """Like `Judged`, with the other exception that msgspec treats as a refusal."""

    word: str

    def __post_init__(self) -> None:
        raise TypeError(self.word)


class Cat(Struct, tag="cat"):
    name: str


class Dog(Struct, tag="dog"):
    name: str


class Everything(Struct, kw_only=True, forbid_unknown_fields=True):
    """One field for each way in which a text can fail to fit."""

    text: str = ""
    number: int = 0
    small: Annotated[int, Meta(ge=1, le=9)] = 1
    even: Annotated[int, Meta(multiple_of=2)] = 2
    short: Annotated[str, Meta(max_length=3)] = ""
    long: Annotated[str, Meta(min_length=3)] = "abc"
    digits: Annotated[str, Meta(pattern="^[0-9]*$")] = ""
    choice: Literal["a", "b"] = "a"
    mood: Mood = Mood.GLAD
    strict: Strict = Strict.ONE
    instant: datetime | None = None
    uuid: UUID | None = None
    octets: bytes = b""
    pet: Cat | Dog | None = None
    inner: Inner = Inner()
    judged: Judged | None = None
    doubted: Doubted | None = None
    secret: Secret | None = None
    table: dict[str, int] = {}
    keyed: dict[int, int] = {}
    moods: dict[Mood, int] = {}
    rows: list[Inner] = []
    pair: tuple[int, int] = (1, 2)


# --- what a problem says --------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "path", "reason"),
    [
        ({"number": "x"}, "$.number", "expected `int`, got `str`"),
        ({"text": None}, "$.text", "expected `str`, got `null`"),
        ({"inner": {"note": 5}}, "$.inner.note", "expected `str`, got `int`"),
        ({"rows": [{}, {"note": 5}]}, "$.rows[1].note", "expected `str`, got `int`"),
        ({"table": {"a": "b"}}, "$.table[...]", "expected `int`, got `str`"),
        ({"keyed": {"a": 1}}, "key in $.keyed", "expected `int`, got `str`"),
        ({"small": 0}, "$.small", "expected `int` >= 1"),
        ({"small": 10}, "$.small", "expected `int` <= 9"),
        ({"even": 3}, "$.even", "expected `int` that's a multiple of 2"),
        ({"short": "abcd"}, "$.short", "expected `str` of length <= 3"),
        ({"long": "ab"}, "$.long", "expected `str` of length >= 3"),
        ({"digits": "x"}, "$.digits", "expected `str` matching regex '^[0-9]*$'"),
        ({"pet": {"type": "cat"}}, "$.pet.name", "is required"),
        ({"choice": "c"}, "$.choice", "is not one of the values or fields allowed"),
        ({"mood": "odd"}, "$.mood", "is not one of the values or fields allowed"),
        ({"judged": {"word": "odd"}}, "$.judged", "is refused by the type's own check"),
        ({"doubted": {"word": "odd"}}, "$.doubted", "is refused by the type's own check"),
        ({"secret": 5}, "$.secret", "is refused by the type's own check"),
        (5, "$", "expected `object`, got `int`"),
    ],
)
def test_a_misfit_names_the_path_and_the_rule(value: object, path: str, reason: str) -> None:
    """A value from Python and a value from JSON give the same path and rule."""
    expected = ValidationFault(path, reason)
    assert validate(value, Everything).failure() == expected
    assert decode_json(msgspec.json.encode(value), Everything).failure() == expected


def test_a_missing_field_is_named_from_the_root() -> None:
    """The path of a missing field is the path at which it belongs."""
    assert validate({}, Judged).failure() == ValidationFault("$.word", "is required")
    assert decode_json(b"[{}]", list[Judged]).failure() == ValidationFault(
        "$[0].word", "is required"
    )


def test_bounds_hold_at_the_exact_value() -> None:
    """The minimum and the maximum of numbers and lengths are allowed."""
    for value in ({"small": 1}, {"small": 9}, {"short": "abc"}, {"long": "abc"}):
        assert is_successful(validate(value, Everything))


class Described(Struct):
    count: Annotated[int, Meta(examples=[1, 2], extra_json_schema={"x": [1]})]


class Holder(Struct, Generic[T]):
    held: T
    next: Holder[T] | None = None


@pytest.mark.parametrize(
    ("kind", "value", "path"),
    [
        (Described, {"count": "x"}, "$.count"),
        (list[Annotated[int, Meta(extra_json_schema={"x": [1]})]], ["x"], "$[0]"),
        (Holder[int], {"held": 1, "next": {"held": "x"}}, "$.next.held"),
        (Holder[Secret], {"held": "x", "next": {"held": 5}}, "$.next.held"),
        (dict[str, list[Inner]], {"a": [{"note": 5}]}, "$[...][0].note"),
        (Cat | Dog, {"type": "cat", "name": 5}, "$.name"),
        (int | None, "x", "$"),
    ],
)
def test_every_kind_of_type_has_its_path(kind: Any, value: object, path: str) -> None:
    """Annotated, generic, recursive, union: the fault does not depend on how the type is made."""
    assert validate(value, kind).failure().path == path
    assert decode_json(msgspec.json.encode(value), kind).failure().path == path


# --- what a problem does not say ------------------------------------------------------

_PIECES: Final = st.sampled_from(
    [" - at `", "`", "$", "$.", ".x", "'", '"', "\n", "key in ", "Expected `int`", " >= 1", "{}"]
)
_SECRETS: Final = st.builds(
    lambda before, after: "".join(before) + CANARY + "".join(after),
    st.lists(_PIECES, max_size=4),
    st.lists(_PIECES, max_size=4),
)
_WAYS: Final[dict[str, Any]] = {
    "a text where a number belongs": lambda text: {"number": text},
    "a pattern not matched": lambda text: {"digits": text},
    "too long": lambda text: {"short": text},
    "no such choice": lambda text: {"choice": text},
    "no such enum value": lambda text: {"mood": text},
    "an enum that raises": lambda text: {"strict": text},
    "no date": lambda text: {"instant": text},
    "no UUID": lambda text: {"uuid": text},
    "no base64": lambda text: {"octets": text},
    "no such tag": lambda text: {"pet": {"type": text, "name": text}},
    "an unknown field": lambda text: {text: 1},
    "an unknown field inside": lambda text: {"inner": {text: 1}},
    "an unknown field in a list": lambda text: {"rows": [{text: 1}]},
    "a check that quotes": lambda text: {"judged": {"word": text}},
    "a check that quotes, as TypeError": lambda text: {"doubted": {"word": text}},
    "a secret that is no string": lambda text: {"secret": [text]},
    "a key of a table of numbers": lambda text: {"table": {text: text}},
    "a key that is no number": lambda text: {"keyed": {text: 1}},
    "a key that is no enum value": lambda text: {"moods": {text: 1}},
    "a list too long": lambda text: {"pair": [1, 2, text]},
    "a text where an object belongs": lambda text: text,
}


def shown(result: Result[Any, ValidationFault]) -> str:
    """Everything of a fault that a caller, a log or an HTTP response could show."""
    fault = result.failure()
    problems: list[Problem] = [
        ConfigInvalid("telegram", fault.path, fault.reason),
        ActionInputInvalid("telegram", "send", fault.path, fault.reason),
        WebhookPayloadInvalid("telegram", fault.path, fault.reason),
    ]
    texts = [repr(fault), repr(result)]
    for problem in problems:
        texts += [repr(problem), problem.message, msgspec.json.encode(problem).decode()]
    return "\n".join(texts)


@pytest.mark.parametrize("way", _WAYS)
@given(text=_SECRETS)
@example(text=CANARY)
@example(text=f" - at `{CANARY}")
@example(text=f" - at `$.{CANARY}")
def test_no_problem_quotes_the_value(way: str, text: str) -> None:
    """However a secret fails to fit, as a value or a key, the fault does not contain it."""
    value = _WAYS[way](text)
    assert CANARY not in shown(validate(value, Everything))
    assert CANARY not in shown(decode_json(msgspec.json.encode(value), Everything))


@given(text=_SECRETS)
@example(text=f" - at `{CANARY}`")
@example(text=f" - at `$.{CANARY}`")
def test_no_problem_quotes_a_value_at_the_root(text: str) -> None:
    """At the root msgspec names no path, so text that looks like one came from the input."""

    class Quoting(Struct):
        word: str

        def __post_init__(self) -> None:
            raise ValueError(self.word)

    raw = msgspec.json.encode({"word": text})
    assert decode_json(raw, Quoting).failure().path == "$"
    assert CANARY not in shown(decode_json(raw, Quoting))
    assert CANARY not in shown(decode_json(msgspec.json.encode({text: 1}), Inner))
    assert CANARY not in shown(decode_json(msgspec.json.encode(text), Mood))


# --- values made in Python --------------------------------------------------------------


def test_a_struct_made_in_python_is_checked_too() -> None:
    """msgspec checks nothing when a struct is made; the fault is found here."""
    wrong = Inner(note=5)  # type: ignore[arg-type]  # what an unchecked caller does
    assert validate(wrong, Inner).failure() == ValidationFault(
        "$.note", "expected `str`, got `int`"
    )
    with pytest.raises(VALIDATION_ERRORS):
        checker(Inner)(wrong)


def test_what_is_checked_is_made_anew() -> None:
    """Changing the given value does not change the checked copy."""
    given_in = Everything(rows=[Inner("a")])
    checked = checker(Everything)(given_in)
    given_in.rows.append(Inner("b"))
    assert checked == Everything(rows=[Inner("a")])


def test_secrets_pass_a_check_as_they_are() -> None:
    """Checking a config neither reveals nor loses its secrets."""
    assert checker(Everything)(Everything(secret=Secret(CANARY))).secret == Secret(CANARY)
    assert validate({"secret": CANARY}, Everything).unwrap().secret == Secret(CANARY)


def test_a_secret_where_a_string_belongs_is_refused() -> None:
    """A field of another type does not accept a secret, so none is stored or shown in clear."""
    wrong = Inner(note=Secret(CANARY))  # type: ignore[arg-type]  # what an unchecked caller does
    assert CANARY not in shown(validate(wrong, Inner))
    assert not is_successful(validate({"any": Secret(CANARY)}, dict[str, Any]))


class Opaque:
    """Something that is not data."""

    def __repr__(self) -> str:
        return CANARY


def nested(depth: int) -> object:
    """A list in a list in a list."""
    value: object = CANARY
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("value", [Opaque(), {"text": Opaque()}, {Opaque(): 1}, nested(100_000)])
def test_what_is_no_plain_data_is_refused(value: object) -> None:
    """An object without a JSON form, or one that is too deep, is a fault and not an exception."""
    assert CANARY not in shown(validate(value, dict[str, Any]))
    assert CANARY not in shown(validate(value, Any))


@pytest.mark.parametrize(
    "value",
    [
        Everything(choice="\ud800"),  # type: ignore[arg-type]  # what an unchecked caller does
        {"\ud800": 1},
        {"mood": "\ud800"},
        {"instant": "\ud800"},
        {"pet": {"type": "\ud800"}},
        {"secret": "\ud800", "text": "\ud800"},
    ],
)
def test_text_that_is_not_unicode_is_judged_without_an_exception(value: object) -> None:
    """A lone surrogate fits a `str` and nothing else, and raises no error of Python."""
    judged = validate(value, Everything)
    assert isinstance(judged, Result)


ANY_TEXT: Final = st.text(st.characters(codec=None))
SCALARS: Final = st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT
FLAT: Final = SCALARS | st.lists(SCALARS) | st.dictionaries(ANY_TEXT, SCALARS)


@given(FLAT | st.dictionaries(st.sampled_from(Everything.__struct_fields__), FLAT))
def test_any_plain_data_is_judged(value: object) -> None:
    """Every value gives a value or a fault."""
    assert isinstance(validate(value, Everything), Result)


@given(st.binary() | st.text().map(str.encode))
@example(b"1" * 5_000)
@example(b"1e400")
@example(b"[" * 100_000)
@example(b'"\\ud800"')
@example(b"\xff")
@example(b"")
def test_any_bytes_are_judged(raw: bytes) -> None:
    """Every input gives a value or a fault."""
    for kind in (Everything, dict[str, Any], list[int]):
        assert isinstance(decode_json(raw, kind), Result)


@pytest.mark.parametrize("raw", [b"", b"{", b"{}x", b"\xff", b'"\xff"', b"[" * 100_000])
def test_what_is_not_json_is_said_to_be_none(raw: bytes) -> None:
    """Text that is not JSON is reported differently from data that does not fit."""
    assert decode_json(raw, Any).failure() == ValidationFault("$", "is not JSON")


# --- for an envelope ----------------------------------------------------------------------


def test_what_goes_into_an_envelope_holds_its_secrets() -> None:
    """Only this encoder reveals secrets, because its output is sealed next."""
    encoded = encode_json_to_seal(Everything(secret=Secret(CANARY))).unwrap()
    assert decode_json(encoded, Everything).unwrap().secret == Secret(CANARY)


def test_what_is_stored_in_clear_holds_no_secret() -> None:
    """The other encoder refuses a secret at any depth."""
    assert encode_json({"a": [1, "b"]}).unwrap() == b'{"a":[1,"b"]}'
    for value in (Secret(CANARY), Everything(secret=Secret(CANARY)), {"a": [Secret(CANARY)]}):
        assert CANARY not in shown(encode_json(value))


@pytest.mark.parametrize(
    "value", ["\ud800", {"a": "\ud800"}, Opaque(), {"a": complex(1)}, nested(100_000)]
)
def test_what_json_cannot_carry_is_a_misfit(value: object) -> None:
    """A value that could not be read back is not stored."""
    assert CANARY not in shown(encode_json_to_seal(value))
    assert CANARY not in shown(encode_json(value))


@pytest.mark.parametrize("depth", [500, 501, 5_000, 50_000])
def test_nesting_that_cannot_be_read_again_is_not_encoded(depth: int) -> None:
    """The limit depends on the Python version; 500 levels work on each."""
    encoded = encode_json_to_seal(nested(depth))
    if is_successful(encoded):
        assert msgspec.json.encode(msgspec.json.decode(encoded.unwrap())) == encoded.unwrap()
    assert is_successful(encoded) or depth > 500


def test_other_exceptions_say_nothing() -> None:
    """The text of a foreign exception may contain anything, so it is not used."""
    expected = ValidationFault("$", "holds a value that is no plain data")
    assert validation_fault(TypeError(CANARY), Everything) == expected
