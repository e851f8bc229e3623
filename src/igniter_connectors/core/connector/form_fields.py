"""The form fields of a config type, for a page on which a tenant enters a config."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import inspect

from igniter_connectors.core.connector.masking import contains_secret, struct_info
from igniter_connectors.core.json_value import JsonValue

FieldKind = Literal["text", "secret", "integer", "number", "boolean", "choice", "list", "object"]


class FormField(msgspec.Struct, frozen=True):
    """One field of a config type, as a form shows it.

    `default` is None if the field has no default, and for every sensitive field.
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
    """The fields of a config type, in order. Each `name` is the field's name in JSON."""
    return tuple(_form_field(field) for field in struct_info(config).fields)


def _form_field(field: inspect.Field) -> FormField:
    kind, extra = _described(field.type)
    sensitive = contains_secret(kind)
    default = None if sensitive else _plain_default(field)
    title = extra.get("title")
    shown_as, options = _kind_and_options(kind)
    return FormField(
        name=field.encode_name,
        label=title if isinstance(title, str) else field.name.replace("_", " ").capitalize(),
        kind=shown_as,
        required=field.required,
        sensitive=sensitive,
        options=options,
        default=default,
        description=str(extra.get("description", "")),
    )


def _described(kind: inspect.Type) -> tuple[inspect.Type, dict[str, object]]:
    """A type without its annotations and without `None`, and the annotations' JSON Schema."""
    if isinstance(kind, inspect.Metadata):
        inner, extra = _described(kind.type)
        return inner, {**extra, **(kind.extra_json_schema or {})}
    if isinstance(kind, inspect.UnionType):
        members = [member for member in kind.types if not isinstance(member, inspect.NoneType)]
        if len(members) == 1:
            return _described(members[0])
    return kind, {}


def _plain_default(field: inspect.Field) -> JsonValue:
    if field.default is msgspec.NODEFAULT:
        return None
    plain: JsonValue = msgspec.to_builtins(field.default)
    return plain


def _kind_and_options(kind: inspect.Type) -> tuple[FieldKind, tuple[str | int, ...]]:
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
