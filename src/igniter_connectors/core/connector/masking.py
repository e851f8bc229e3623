"""Which fields of a config type hold secrets, and the mask that is shown in their place."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import inspect

from igniter_connectors.core.json_value import JsonValue
from igniter_connectors.core.problem import BuildInvalid, WrongWiring
from igniter_connectors.core.secret import Secret

MASK: Final = "••••••••"
"""Shown in place of every secret. Always the same, so that it does not reveal a length."""


def mask(config: msgspec.Struct) -> dict[str, JsonValue]:
    """A config as plain data for display, with `MASK` in place of each secret."""
    shown = msgspec.to_builtins(config, enc_hook=mask_secret)
    if not isinstance(shown, dict):
        raise TypeError("a config is an object in JSON")
    return shown


def mask_secret(value: object) -> str:
    """The msgspec `enc_hook` that writes `MASK` for a `Secret`.

    Raises:
        NotImplementedError: the value is of another type that msgspec does not know.
    """
    if isinstance(value, Secret):
        return MASK
    raise NotImplementedError(type(value))


def secret_fields(config: type[msgspec.Struct]) -> frozenset[str]:
    """The JSON names of the top-level fields that contain a `Secret`, at any depth.

    Raises:
        WrongWiring: the type cannot be stored and read back: it is not an object in JSON, or
            it has a `Secret` that msgspec cannot decode (`Annotated[Secret, …]`,
            `Secret | str`).
    """
    fields = struct_info(config).fields
    return frozenset(field.encode_name for field in fields if contains_secret(field.type))


def struct_info(config: type[msgspec.Struct]) -> inspect.StructType:
    """What msgspec knows of a config type.

    Raises:
        WrongWiring: msgspec cannot read the type, or it is not an object in JSON.
    """
    try:
        info = inspect.type_info(config)
    except (TypeError, NotImplementedError, NameError) as error:
        raise WrongWiring(
            BuildInvalid(
                f"{config.__name__} is not a config type; a secret field has the type Secret or"
                f" Secret | None, without an annotation around it: {error}"
            )
        ) from error
    if not isinstance(info, inspect.StructType) or info.array_like:
        raise WrongWiring(
            BuildInvalid(f"{config.__name__}: a config type is a msgspec.Struct, not array_like")
        )
    return info


def contains_secret(kind: inspect.Type, seen: frozenset[type] = frozenset()) -> bool:
    """Whether a type contains a `Secret`, at any depth. `seen` stops at recursive types.

    Raises:
        WrongWiring: the type cannot be stored in a config.
    """
    match kind:
        case inspect.CustomType(cls=cls):
            if cls is not Secret:
                raise WrongWiring(BuildInvalid(f"{cls.__name__} cannot be stored in a config"))
            return True
        case inspect.UnionType(types=members):
            return any([contains_secret(member, seen) for member in members])
        case inspect.Metadata(type=inner):
            return contains_secret(inner, seen)
        case inspect.DictType(key_type=key, value_type=value):
            if contains_secret(key, seen):
                raise WrongWiring(BuildInvalid("a secret cannot be the key of a dict"))
            return contains_secret(value, seen)
        case inspect.TupleType(item_types=items):
            return any([contains_secret(item, seen) for item in items])
        case inspect.CollectionType(item_type=item):
            return contains_secret(item, seen)
        case (
            inspect.StructType(cls=cls, fields=fields)
            | inspect.DataclassType(cls=cls, fields=fields)
            | inspect.TypedDictType(cls=cls, fields=fields)
            | inspect.NamedTupleType(cls=cls, fields=fields)
        ):
            if cls in seen:
                return False
            return any([contains_secret(field.type, seen | {cls}) for field in fields])
        case _:
            return False
