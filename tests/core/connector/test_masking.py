"""Fields that hold secrets, config types that cannot be stored, and masks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, TypedDict

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from igniter_connectors.core.connector.masking import MASK, mask, secret_fields
from igniter_connectors.core.problem import BuildInvalid, WrongWiring
from igniter_connectors.core.secret import Secret

CANARY = "canary-5f1d"


@dataclass
class SecretDataclass:
    inside: Secret


class SecretTypedDict(TypedDict):
    inside: Secret


class SecretNamedTuple(NamedTuple):
    inside: Secret


class SecretStruct(Struct):
    inside: Secret


@dataclass
class PlainDataclass:
    inside: str


class PlainTypedDict(TypedDict):
    inside: str


class PlainNamedTuple(NamedTuple):
    inside: str


class PlainStruct(Struct):
    inside: str


class Tree(Struct):
    """A recursive type."""

    value: str
    left: Tree | None = None
    right: Tree | None = None


class SecretTree(Struct):
    """A recursive type with a secret as its last field."""

    children: list[SecretTree]
    value: Secret


# --- fields with secrets -----------------------------------------------------------------


class Places(Struct, rename="camel"):
    bare: Secret
    maybe: Secret | None
    in_list: list[Secret]
    in_set: frozenset[Secret]
    in_pair: tuple[int, Secret]
    in_row: tuple[Secret, ...]
    as_value: dict[str, Secret]
    in_struct: SecretStruct
    in_dataclass: SecretDataclass
    in_typed_dict: SecretTypedDict
    in_named_tuple: SecretNamedTuple
    deep: list[dict[str, tuple[SecretStruct | None, int]]]
    in_a_tree: SecretTree
    in_annotated: list[Annotated[SecretStruct, Meta(description="x")]]
    described: Annotated[Secret, Meta(description="x")]
    named: Secret = msgspec.field(name="other-name")


class NoPlaces(Struct):
    text: str
    number: int | None
    rows: list[dict[str, tuple[int, str]]]
    nested: PlainStruct
    as_dataclass: PlainDataclass
    as_typed_dict: PlainTypedDict
    as_named_tuple: PlainNamedTuple
    tree: Tree
    twice: tuple[Tree, Tree]
    described: list[Annotated[str, Meta(description="x")]]
    anything: Any = None


def test_a_secret_is_found_at_any_depth() -> None:
    """Flat or deep, in every kind of container. The whole field is sealed."""
    info = msgspec.inspect.type_info(Places)
    assert isinstance(info, msgspec.inspect.StructType)
    assert secret_fields(Places) == {field.encode_name for field in info.fields}
    assert {"inAnnotated", "other-name"} <= secret_fields(Places)


def test_a_field_without_a_secret_stays_in_clear() -> None:
    """Only fields with secrets are sealed. The search stops at recursive types."""
    assert secret_fields(NoPlaces) == frozenset()


# --- types that cannot be stored ---------------------------------------------------------


class Positional(Struct, array_like=True):
    text: str


class ConstrainedSecret(Struct):
    secret: Annotated[Secret, Meta(min_length=8)]


class SecretOrText(Struct):
    secret: Secret | str


class SecretKey(Struct):
    """msgspec converts the values of a dict and leaves its string keys as they are."""

    table: dict[Secret, int]


class HoldsComplex(Struct):
    number: complex


class HoldsObject(Struct):
    table: dict[str, object]


@pytest.mark.parametrize(
    "kind", [Positional, ConstrainedSecret, SecretOrText, SecretKey, HoldsComplex, HoldsObject]
)
def test_a_type_that_cannot_be_stored_is_refused(kind: type[Struct]) -> None:
    """The error is raised while the application is built, not at the first tenant."""
    with pytest.raises(WrongWiring) as caught:
        secret_fields(kind)
    assert isinstance(caught.value.problem, BuildInvalid)


def test_a_type_with_an_unknown_name_inside_is_refused() -> None:
    """An annotation that cannot be resolved is a fault of the config type."""
    fields: list[Any] = [("text", "NoSuchType")]
    with pytest.raises(WrongWiring, match="Broken is not a config type"):
        secret_fields(msgspec.defstruct("Broken", fields))


def test_a_type_that_is_no_struct_is_refused() -> None:
    """Only a msgspec struct is a config type."""
    with pytest.raises(WrongWiring, match="PlainDataclass"):
        secret_fields(PlainDataclass)  # type: ignore[arg-type]  # what an unchecked caller does


# --- masks --------------------------------------------------------------------------------


class Masked(Struct):
    name: str
    secret: Secret
    table: dict[str, Secret]
    rows: list[SecretStruct]
    maybe: Secret | None = None


@given(st.text(), st.text(), st.text())
def test_a_mask_replaces_every_secret_and_reveals_nothing(a: str, b: str, c: str) -> None:
    """Long, short and empty secrets look the same; other values are shown unchanged."""
    config = Masked("shown", Secret(a), {"key": Secret(b)}, [SecretStruct(Secret(c))])
    assert mask(config) == {
        "name": "shown",
        "secret": MASK,
        "table": {"key": MASK},
        "rows": [{"inside": MASK}],
        "maybe": None,
    }


def test_a_secret_in_an_untyped_field_is_masked_too() -> None:
    """The mask depends on the value, not on the type of the field."""
    assert mask(NoPlacesAtAll(Secret(CANARY))) == {"anything": MASK}


class NoPlacesAtAll(Struct):
    anything: Any


def test_what_cannot_be_masked_is_not_shown() -> None:
    """A value without a JSON form, or a config that is not a JSON object, raises."""
    with pytest.raises(NotImplementedError):
        mask(NoPlacesAtAll(complex(1)))
    with pytest.raises(TypeError, match="an object in JSON"):
        mask(Positional("x"))
