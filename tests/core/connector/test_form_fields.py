"""Forms, secrets and masks of a config type."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple, TypedDict

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from igniter_connectors.core.connector.form_fields import (
    MASK,
    FormField,
    form_fields,
    mask,
    secret_fields,
)
from igniter_connectors.core.problem import BuildInvalid, WrongWiring
from igniter_connectors.core.secret import Secret

CANARY = "canary-5f1d"


class Region(enum.Enum):
    EUROPE = "eu"
    AMERICA = "us"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


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
    """A type that holds itself."""

    value: str
    left: Tree | None = None
    right: Tree | None = None


class SecretTree(Struct):
    """A type that holds itself and a secret, the secret last."""

    children: list[SecretTree]
    value: Secret


# --- form fields ------------------------------------------------------------------------


class Form(Struct, rename="camel"):
    plain_text: str
    described: Annotated[str, Meta(title="Chat", description="Where to post", min_length=1)]
    secret: Secret
    described_secret: Annotated[Secret, Meta(title="Key")]
    count: int
    ratio: float
    price: Decimal
    active: bool
    choice: Literal["a", "b", 3]
    choice_or_none: Literal["a", None]
    region: Region
    level: Level
    listed: list[str]
    pair: tuple[int, str]
    table: dict[str, int]
    nested: PlainStruct
    as_dataclass: PlainDataclass
    as_typed_dict: PlainTypedDict
    as_named_tuple: PlainNamedTuple
    several: int | str
    instant: datetime
    anything: Any
    optional_number: int | None = None
    optional_secret: Secret | None = None
    optional_described: Annotated[int, Meta(ge=1)] | None = 5
    with_default: str = "x"
    enum_default: Region = Region.EUROPE
    made_default: list[str] = msgspec.field(default_factory=list)
    secret_default: Secret = Secret(CANARY)
    renamed: str = msgspec.field(name="other-name", default="")


def test_a_form_shows_each_field_by_its_kind() -> None:
    """Kind, options, default and texts of a form follow from the type alone, in its order."""
    expected = (
        FormField("plainText", "Plain text", "text", True, False),
        FormField("described", "Chat", "text", True, False, description="Where to post"),
        FormField("secret", "Secret", "secret", True, True),
        FormField("describedSecret", "Key", "secret", True, True),
        FormField("count", "Count", "integer", True, False),
        FormField("ratio", "Ratio", "number", True, False),
        FormField("price", "Price", "number", True, False),
        FormField("active", "Active", "boolean", True, False),
        FormField("choice", "Choice", "choice", True, False, (3, "a", "b")),
        FormField("choiceOrNone", "Choice or none", "choice", True, False, ("a",)),
        FormField("region", "Region", "choice", True, False, ("eu", "us")),
        FormField("level", "Level", "choice", True, False, (1, 2)),
        FormField("listed", "Listed", "list", True, False),
        FormField("pair", "Pair", "list", True, False),
        FormField("table", "Table", "object", True, False),
        FormField("nested", "Nested", "object", True, False),
        FormField("asDataclass", "As dataclass", "object", True, False),
        FormField("asTypedDict", "As typed dict", "object", True, False),
        FormField("asNamedTuple", "As named tuple", "object", True, False),
        FormField("several", "Several", "object", True, False),
        FormField("instant", "Instant", "text", True, False),
        FormField("anything", "Anything", "text", True, False),
        FormField("optionalNumber", "Optional number", "integer", False, False),
        FormField("optionalSecret", "Optional secret", "secret", False, True),
        FormField("optionalDescribed", "Optional described", "integer", False, False, default=5),
        FormField("withDefault", "With default", "text", False, False, default="x"),
        FormField(
            "enumDefault", "Enum default", "choice", False, False, ("eu", "us"), default="eu"
        ),
        FormField("madeDefault", "Made default", "list", False, False),
        FormField("secretDefault", "Secret default", "secret", False, True),
        FormField("other-name", "Renamed", "text", False, False, default=""),
    )
    shown = form_fields(Form)
    assert {field.name: field for field in shown} == {field.name: field for field in expected}
    assert [field.name for field in shown] == [field.name for field in expected]


class OptionalForm(Struct):
    limit: Annotated[int, Meta(ge=1, title="Most", description="How many")] | None = None
    key: Annotated[Secret, Meta(title="API key")] | None = None


def test_an_optional_field_keeps_its_title_and_description() -> None:
    """What was written about a field is shown whether it may be left out or not."""
    assert form_fields(OptionalForm) == (
        FormField("limit", "Most", "integer", False, False, description="How many"),
        FormField("key", "API key", "secret", False, True),
    )


def test_a_form_never_shows_the_default_of_a_secret() -> None:
    """The catalogue is public: no secret of the type's own reaches it."""
    shown = form_fields(Form)
    assert CANARY not in repr(shown)
    assert CANARY not in msgspec.json.encode(shown).decode()


# --- where the secrets are --------------------------------------------------------------


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


def test_a_secret_is_found_wherever_it_lies() -> None:
    """Flat or deep, in every kind of container: the whole field is sealed."""
    info = msgspec.inspect.type_info(Places)
    assert isinstance(info, msgspec.inspect.StructType)
    assert secret_fields(Places) == {field.encode_name for field in info.fields}
    assert {"inAnnotated", "other-name"} <= secret_fields(Places)


def test_a_field_without_a_secret_stays_in_clear() -> None:
    """What is not secret can be searched and shown; types that hold themselves end the search."""
    assert secret_fields(NoPlaces) == frozenset()


# --- types that cannot be stored ---------------------------------------------------------


class Positional(Struct, array_like=True):
    text: str


class ConstrainedSecret(Struct):
    secret: Annotated[Secret, Meta(min_length=8)]


class SecretOrText(Struct):
    secret: Secret | str


class SecretKey(Struct):
    """msgspec converts the values of a table, and leaves a string key the string it was."""

    table: dict[Secret, int]


class HoldsComplex(Struct):
    number: complex


class HoldsObject(Struct):
    table: dict[str, object]


@pytest.mark.parametrize(
    "kind", [Positional, ConstrainedSecret, SecretOrText, SecretKey, HoldsComplex, HoldsObject]
)
def test_a_type_that_cannot_be_stored_is_refused(kind: type[Struct]) -> None:
    """It fails while the application is built, by its name, not at the first tenant."""
    with pytest.raises(WrongWiring) as caught:
        secret_fields(kind)
    assert isinstance(caught.value.problem, BuildInvalid)


def test_a_type_with_an_unknown_name_inside_is_refused() -> None:
    """An annotation that cannot be resolved is told as a fault of the config type."""
    fields: list[Any] = [("text", "NoSuchType")]
    with pytest.raises(WrongWiring, match="Broken is no config type"):
        secret_fields(msgspec.defstruct("Broken", fields))


def test_a_type_that_is_no_struct_is_refused() -> None:
    """A dataclass or number is no config type, whatever else can be done with it."""
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
def test_a_mask_stands_for_every_secret_and_tells_nothing(a: str, b: str, c: str) -> None:
    """Long and short, even empty secrets look alike; what is no secret is shown as it is."""
    config = Masked("shown", Secret(a), {"key": Secret(b)}, [SecretStruct(Secret(c))])
    assert mask(config) == {
        "name": "shown",
        "secret": MASK,
        "table": {"key": MASK},
        "rows": [{"inside": MASK}],
        "maybe": None,
    }


def test_a_secret_in_an_untyped_field_is_masked_too() -> None:
    """The mask goes by what a value is, not by what its type promised."""
    assert mask(NoPlacesAtAll(Secret(CANARY))) == {"anything": MASK}


class NoPlacesAtAll(Struct):
    anything: Any


def test_what_cannot_be_masked_is_not_shown() -> None:
    """An object without a form in JSON, or a config that is no object, is a fault."""
    with pytest.raises(NotImplementedError):
        mask(NoPlacesAtAll(complex(1)))
    with pytest.raises(TypeError, match="an object in JSON"):
        mask(Positional("x"))
