"""Validation of values against a type. A fault names the path and the rule, never the value."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final, TypeVar, cast

import msgspec
import msgspec.inspect
from returns.result import Failure, Result, Success
from typing_extensions import TypeForm

from igniter_connectors.core.connector.masking import contains_secret
from igniter_connectors.core.problem import WrongWiring
from igniter_connectors.core.secret import Secret, decode_secret, reveal_to_seal

T = TypeVar("T")

_SECRET: Final = (Secret,)
_NESTING_ALWAYS_READ: Final = 500  # the decoder of every supported Python reads this depth
_PATH: Final = re.compile(r" - at (`key` in )?`(\$(?:\.[^`.\[\]]+|\[(?:[0-9]+|\.\.\.)\])*)`$")
_NAME: Final = re.compile(r"\.([^.\[\]]+)(?=[.\[]|$)")
# Messages that msgspec builds from the schema alone. Its other messages quote the input.
_FROM_SCHEMA: Final = re.compile(
    r"(?:Expected `[^`]*`(?:, got `[^`]*`| (?:of length )?(?:[<>]=? )?[-0-9.]+"
    r"| that's a multiple of [-0-9.]+| matching regex .*)?|Object missing required field `[^`]*`)",
    re.DOTALL,
)


class ValidationFault(msgspec.Struct, frozen=True):
    """Where a value does not fit its type, and the rule that it breaks.

    `path` is `$` for the whole value, or for example `$.chat_id` or `$.rows[0]`.
    """

    path: str
    reason: str


VALIDATION_ERRORS: Final = (
    msgspec.ValidationError,
    NotImplementedError,
    OverflowError,
    RecursionError,
    TypeError,
    UnicodeError,
)
"""What a function of `checker` raises. `validation_fault` turns it into a fault."""


def checker(kind: TypeForm[T]) -> Callable[[object], T]:
    """A function that checks a value against every constraint of a type and returns a copy.

    msgspec checks nothing when a struct is made in Python, and `convert(x, type(x))` returns x
    unchecked. The function therefore converts to builtins first. It takes 0.3 µs for one field,
    and 0.4 µs more if the type can contain a `Secret`, which msgspec does not know. It raises
    one of `VALIDATION_ERRORS` if the value does not fit.
    """
    # msgspec accepts a TypeForm here; its stubs say `type[T]`.
    known = cast("type[T]", kind)
    convert, to_builtins = msgspec.convert, msgspec.to_builtins

    def check_plain(value: object) -> T:
        return convert(to_builtins(value), known)

    def check_with_secrets(value: object) -> T:
        return convert(to_builtins(value, builtin_types=_SECRET), known, dec_hook=decode_secret)

    return check_plain if _is_plain(known) else check_with_secrets


def _is_plain(kind: type) -> bool:
    """Whether msgspec knows every type inside. Only then can it make a JSON Schema."""
    try:
        _ = msgspec.json.schema(kind)
    except (TypeError, NotImplementedError, RecursionError):
        return False
    return True


def type_fault(kind: object) -> str | None:
    """Why values of a type cannot be decoded from JSON; None if they can."""
    try:
        info = msgspec.inspect.type_info(kind)
        _ = contains_secret(info)
    except (TypeError, NotImplementedError, NameError) as error:
        return str(error)
    except WrongWiring as error:
        return error.problem.message
    return None


def validate(value: object, kind: TypeForm[T]) -> Result[T, ValidationFault]:
    """Checks a value against a type. On a hot path, keep the function of `checker` instead."""
    try:
        return Success(checker(kind)(value))
    except VALIDATION_ERRORS as error:
        return Failure(validation_fault(error, kind))


JSON_ERRORS: Final = (msgspec.DecodeError, UnicodeError, RecursionError)
"""What decoding JSON raises. `json_fault` turns it into a fault."""


def json_fault(error: Exception, kind: object) -> ValidationFault:
    """The fault behind one of `JSON_ERRORS`: the path and the rule, or "is not JSON"."""
    if isinstance(error, msgspec.ValidationError):
        return validation_fault(error, kind)
    return ValidationFault("$", "is not JSON")


def decode_json_or_raise(raw: bytes, kind: TypeForm[T]) -> T:
    """Decodes JSON and checks it in one pass; raises one of `JSON_ERRORS`."""
    # msgspec accepts a TypeForm here; its stubs say `type[T]`.
    return msgspec.json.decode(raw, type=kind, dec_hook=decode_secret)  # type: ignore[no-any-return]


def decode_json(raw: bytes, kind: TypeForm[T]) -> Result[T, ValidationFault]:
    """Decodes JSON and checks it in one pass."""
    try:
        return Success(decode_json_or_raise(raw, kind))
    except JSON_ERRORS as error:
        return Failure(json_fault(error, kind))


def encode_json(value: object) -> Result[bytes, ValidationFault]:
    """The JSON of a value that contains no secret. A `Secret` inside is a fault."""
    return _encode(value, None)


def encode_json_to_seal(value: object) -> Result[bytes, ValidationFault]:
    """The JSON of a value with its secrets in clear, only for bytes that are sealed next."""
    return _encode(value, reveal_to_seal)


def _encode(value: object, hook: Callable[[object], str] | None) -> Result[bytes, ValidationFault]:
    try:
        raw = msgspec.json.encode(value, enc_hook=hook)
        # From Python 3.14 on the encoder nests deeper than the decoder can read again.
        if raw.count(b"[") + raw.count(b"{") > _NESTING_ALWAYS_READ:
            msgspec.json.decode(raw)
        return Success(raw)
    except (UnicodeError, OverflowError, RecursionError, TypeError, NotImplementedError):
        return Failure(ValidationFault("$", "holds text or numbers that JSON cannot carry"))


def validation_fault(error: Exception, kind: object) -> ValidationFault:
    """The fault behind an exception of a checker or decoder: path and rule, never the value.

    The exception's text may contain parts of the input. A path is taken from it only if every
    name in the path is a field of the type.
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
        # A `__post_init__` or `dec_hook` raised. Its text is not ours and may quote the value.
        return ValidationFault(path, "is refused by the type's own check")
    if rule.startswith("Object missing required field `"):
        return ValidationFault(f"{path}.{rule.split('`')[1]}", "is required")
    if _FROM_SCHEMA.fullmatch(rule):
        return ValidationFault(path, rule[0].lower() + rule[1:])
    return ValidationFault(path, "is not one of the values or fields allowed")


@lru_cache(maxsize=256)
def _names_in(kind: object) -> frozenset[str]:
    """The JSON names of all fields inside a type. The type is one that msgspec can decode."""
    queue: list[object] = [msgspec.inspect.type_info(kind)]
    names: set[str] = set()
    seen: set[int] = set()
    while queue:
        part = queue.pop()
        if isinstance(part, tuple):
            queue.extend(part)
        elif isinstance(part, msgspec.inspect.Field):
            names.add(part.encode_name)
            queue.append(part.type)
        elif isinstance(part, msgspec.inspect.Type) and id(part) not in seen:
            seen.add(id(part))
            queue.extend(getattr(part, name) for name in part.__struct_fields__)
    return frozenset(names)
