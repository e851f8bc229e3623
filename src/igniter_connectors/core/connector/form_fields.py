"""Form fields of a config type, where its secrets lie, and masking."""

from __future__ import annotations

from typing import Final, Literal

import msgspec
from msgspec import inspect

from igniter_connectors.core.problem import BuildInvalid, WrongWiring
from igniter_connectors.core.secret import Secret

MASK: Final = "••••••••"
"""What stands for a secret in anything shown. The same for all, so it tells no length."""

FieldKind = Literal["text", "secret", "integer", "number", "boolean", "choice", "list", "object"]
JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]


class FormField(msgspec.Struct, frozen=True):
    """One field of a config type, as a form shows it.

    `default` is None where there is none, and for every sensitive field.
    """

    name: str
    label: str
    kind: FieldKind
    required: bool
    sensitive: bool
    options: tuple[str | int, ...] = ()
    default: JsonValue = None
    description: str = ""


def form_fields(config: type[msgspec.Struct]) -> tuple[FormField, ...]:
    """The fields of a config type in order; names are those of its JSON."""
    return tuple(_form_field(field) for field in _struct_info(config).fields)


def secret_fields(config: type[msgspec.Struct]) -> frozenset[str]:
    """The JSON names of the top-level fields that hold a `Secret` anywhere inside.

    Raises:
        WrongWiring: a type that cannot be stored or read back: not an object in JSON, or
            a `Secret` that msgspec cannot decode (`Annotated[Secret, …]`, `Secret | str`).
    """
    info = _struct_info(config)
    return frozenset(field.encode_name for field in info.fields if _holds_secret(field.type))


def mask(config: msgspec.Struct) -> dict[str, JsonValue]:
    """A config as plain data to show, with each secret replaced by `MASK`."""
    shown = msgspec.to_builtins(config, enc_hook=mask_secret)
    if not isinstance(shown, dict):
        raise TypeError("a config is an object in JSON")
    return shown


def mask_secret(value: object) -> str:
    if isinstance(value, Secret):
        return MASK
    raise NotImplementedError(type(value))


def _struct_info(config: type[msgspec.Struct]) -> inspect.StructType:
    try:
        info = inspect.type_info(config)
    except (TypeError, NotImplementedError, NameError) as error:
        raise WrongWiring(
            BuildInvalid(
                f"{config.__name__} is no config type; a secret is typed Secret or Secret | None,"
                f" with nothing around it: {error}"
            )
        ) from error
    if not isinstance(info, inspect.StructType) or info.array_like:
        raise WrongWiring(
            BuildInvalid(f"{config.__name__}: a config type is a msgspec.Struct, not array_like")
        )
    return info


def decoding_fault(kind: object) -> str | None:
    """Why values of a type cannot be read from JSON; None where they can."""
    try:
        info = inspect.type_info(kind)
        _ = _holds_secret(info)
    except (TypeError, NotImplementedError, NameError) as error:
        return str(error)
    except WrongWiring as error:
        return error.problem.message
    return None


def _holds_secret(kind: inspect.Type, seen: frozenset[type] = frozenset()) -> bool:
    match kind:
        case inspect.CustomType(cls=cls):
            if cls is not Secret:
                raise WrongWiring(BuildInvalid(f"{cls.__name__} cannot be stored in a config"))
            return True
        case inspect.UnionType(types=members):
            return any([_holds_secret(member, seen) for member in members])
        case inspect.Metadata(type=inner):
            return _holds_secret(inner, seen)
        case inspect.DictType(key_type=key, value_type=value):
            if _holds_secret(key, seen):
                raise WrongWiring(BuildInvalid("a secret cannot be the key of a table"))
            return _holds_secret(value, seen)
        case inspect.TupleType(item_types=items):
            return any([_holds_secret(item, seen) for item in items])
        case inspect.CollectionType(item_type=item):
            return _holds_secret(item, seen)
        case (
            inspect.StructType(cls=cls, fields=fields)
            | inspect.DataclassType(cls=cls, fields=fields)
            | inspect.TypedDictType(cls=cls, fields=fields)
            | inspect.NamedTupleType(cls=cls, fields=fields)
        ):
            if cls in seen:
                return False
            return any([_holds_secret(field.type, seen | {cls}) for field in fields])
        case _:
            return False


def _form_field(field: inspect.Field) -> FormField:
    kind, extra = _described(field.type)
    sensitive = _holds_secret(kind)
    default = None if sensitive else _plain_default(field)
    title = extra.get("title")
    shown, options = _shown(kind)
    return FormField(
        name=field.encode_name,
        label=title if isinstance(title, str) else field.name.replace("_", " ").capitalize(),
        kind=shown,
        required=field.required,
        sensitive=sensitive,
        options=options,
        default=default,
        description=str(extra.get("description", "")),
    )


def _described(kind: inspect.Type) -> tuple[inspect.Type, dict[str, object]]:
    """A type without its annotations, and what those say; an optional one is seen through."""
    if isinstance(kind, inspect.Metadata):
        inner, said = _described(kind.type)
        return inner, {**said, **(kind.extra_json_schema or {})}
    if isinstance(kind, inspect.UnionType):
        some = [one for one in kind.types if not isinstance(one, inspect.NoneType)]
        if len(some) == 1:
            return _described(some[0])
    return kind, {}


def _plain_default(field: inspect.Field) -> JsonValue:
    if field.default is msgspec.NODEFAULT:
        return None
    plain: JsonValue = msgspec.to_builtins(field.default)
    return plain


def _shown(kind: inspect.Type) -> tuple[FieldKind, tuple[str | int, ...]]:
    match kind:
        case inspect.UnionType():
            return "object", ()
        case inspect.CustomType():
            return "secret", ()
        case inspect.LiteralType(values=values):
            return "choice", tuple(value for value in values if isinstance(value, str | int))
        case inspect.EnumType(cls=cls):
            return "choice", tuple(member.value for member in cls)
        case inspect.BoolType():
            return "boolean", ()
        case inspect.IntType():
            return "integer", ()
        case inspect.FloatType() | inspect.DecimalType():
            return "number", ()
        case inspect.CollectionType() | inspect.TupleType():
            return "list", ()
        case (
            inspect.StructType()
            | inspect.DictType()
            | inspect.DataclassType()
            | inspect.TypedDictType()
            | inspect.NamedTupleType()
        ):
            return "object", ()
        case _:
            return "text", ()
