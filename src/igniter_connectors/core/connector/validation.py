"""Validation against a user's type. Problems name the path and the rule, never the value."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final, TypeVar, cast

import msgspec
import msgspec.inspect
from returns.result import Failure, Result, Success
from typing_extensions import TypeForm

from igniter_connectors.core.secret import Secret, decode_secret, reveal_to_seal

T = TypeVar("T")

_SECRET: Final = (Secret,)
_PATH: Final = re.compile(r" - at (`key` in )?`(\$(?:\.[^`.\[\]]+|\[(?:[0-9]+|\.\.\.)\])*)`$")
_NAME: Final = re.compile(r"\.([^.\[\]]+)(?=[.\[]|$)")
# What msgspec says from the schema alone. Its other messages quote the input.
_FROM_SCHEMA: Final = re.compile(
    r"(?:Expected `[^`]*`(?:, got `[^`]*`| (?:of length )?(?:[<>]=? )?[-0-9.]+"
    r"| that's a multiple of [-0-9.]+| matching regex .*)?|Object missing required field `[^`]*`)",
    re.DOTALL,
)


class ValidationFault(msgspec.Struct, frozen=True):
    """Where a value does not fit its type (`$`, `$.chat_id`, `$.rows[0]`), and the rule broken."""

    path: str
    reason: str


VALIDATION_FAULTS: Final = (
    msgspec.ValidationError,
    NotImplementedError,
    OverflowError,
    RecursionError,
    TypeError,
    UnicodeError,
)
"""What a checker raises; `fault_of` reads it."""


def checker(kind: TypeForm[T]) -> Callable[[object], T]:
    """A function that returns a value checked against the type's every constraint, made anew.

    msgspec checks nothing when a struct is made in Python, and `convert(x, type(x))`
    returns x unchecked; so the value is taken apart first. Costs 0.3 µs for one field, and
    0.4 µs more where the type may hold secrets, which msgspec does not know. The function
    raises one of `VALIDATION_FAULTS` where the value does not fit.
    """
    # TypeForm is what msgspec's `type` parameter means; its stubs know `type[T]` alone.
    known = cast("type[T]", kind)
    convert, to_builtins = msgspec.convert, msgspec.to_builtins

    def check_plain(value: object) -> T:
        return convert(to_builtins(value), known)

    def check_with_secrets(value: object) -> T:
        return convert(to_builtins(value, builtin_types=_SECRET), known, dec_hook=decode_secret)

    return check_plain if _is_plain(known) else check_with_secrets


def _is_plain(kind: type) -> bool:
    """Whether msgspec knows every type inside: only then has it a JSON Schema of its own."""
    try:
        _ = msgspec.json.schema(kind)
    except (TypeError, NotImplementedError, RecursionError):
        return False
    return True


def validate(value: object, kind: TypeForm[T]) -> Result[T, ValidationFault]:
    """A value checked once, as a Result: for where a call is not counted in nanoseconds."""
    try:
        return Success(checker(kind)(value))
    except VALIDATION_FAULTS as error:
        return Failure(fault_of(error, kind))


NOT_READ: Final = (msgspec.DecodeError, UnicodeError, RecursionError)
"""What decoding JSON raises; `decoding_fault_of` reads it."""


def decoding_fault_of(error: Exception, kind: object) -> ValidationFault:
    """The path and the rule, or that it is no JSON at all."""
    if isinstance(error, msgspec.ValidationError):
        return fault_of(error, kind)
    return ValidationFault("$", "is not JSON")


def read_json(raw: bytes, kind: TypeForm[T]) -> T:
    """JSON bytes decoded and checked in one pass; raises one of `NOT_READ`."""
    # TypeForm is what msgspec's `type` parameter means; its stubs know `type[T]` alone.
    return msgspec.json.decode(raw, type=kind, dec_hook=decode_secret)  # type: ignore[no-any-return]


def decode_json(raw: bytes, kind: TypeForm[T]) -> Result[T, ValidationFault]:
    """JSON bytes decoded and checked in one pass."""
    try:
        return Success(read_json(raw, kind))
    except NOT_READ as error:
        return Failure(decoding_fault_of(error, kind))


def encode_json(value: object) -> Result[bytes, ValidationFault]:
    """JSON bytes of a value in which no secret may be."""
    return _encode(value, None)


def encode_json_to_seal(value: object) -> Result[bytes, ValidationFault]:
    """JSON bytes of a value, its secrets in clear: for an envelope and nothing else."""
    return _encode(value, reveal_to_seal)


def _encode(value: object, hook: Callable[[object], str] | None) -> Result[bytes, ValidationFault]:
    try:
        return Success(msgspec.json.encode(value, enc_hook=hook))
    except (UnicodeError, OverflowError, RecursionError, TypeError, NotImplementedError):
        return Failure(ValidationFault("$", "holds text or numbers that JSON cannot carry"))


def fault_of(error: Exception, kind: object) -> ValidationFault:
    """The path and the rule that an exception of a checker or decoder tells, never the value.

    What the input could have put into the exception's text counts for nothing: a path is
    taken from it only where its names are fields of the type.
    """
    if not isinstance(error, msgspec.ValidationError):
        return ValidationFault("$", "holds a value that is no plain data")
    text = str(error)
    found = _PATH.search(text)
    if found and not set(_NAME.findall(found.group(2))) <= _names_in(kind):
        found = None
    path = f"{'key in ' if found.group(1) else ''}{found.group(2)}" if found else "$"
    rule = text[: found.start()] if found else text
    if error.__cause__ is not None:
        # A __post_init__ or dec_hook raised: its text is the user's and may quote the value.
        return ValidationFault(path, "is refused by the type's own check")
    if rule.startswith("Object missing required field `"):
        return ValidationFault(f"{path}.{rule.split('`')[1]}", "is required")
    if _FROM_SCHEMA.fullmatch(rule):
        return ValidationFault(path, rule[0].lower() + rule[1:])
    return ValidationFault(path, "is not one of the values or fields allowed")


@lru_cache(maxsize=256)
def _names_in(kind: object) -> frozenset[str]:
    """The JSON names of every field inside a type that has decoded something already."""
    waiting: list[object] = [msgspec.inspect.type_info(kind)]
    names: set[str] = set()
    seen: set[int] = set()
    while waiting:
        part = waiting.pop()
        if isinstance(part, tuple):
            waiting.extend(part)
        elif isinstance(part, msgspec.inspect.Field):
            names.add(part.encode_name)
            waiting.append(part.type)
        elif isinstance(part, msgspec.inspect.Type) and id(part) not in seen:
            seen.add(id(part))
            waiting.extend(getattr(part, name) for name in part.__struct_fields__)
    return frozenset(names)
