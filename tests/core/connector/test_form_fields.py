"""The form fields of a config type."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple, TypedDict

import msgspec
from msgspec import Meta, Struct

from igniter_connectors.core.connector.form_fields import FormField, form_fields
from igniter_connectors.core.secret import Secret

CANARY = "canary-5f1d"


class Region(enum.Enum):
    EUROPE = "eu"
    AMERICA = "us"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@dataclass
class PlainDataclass:
    inside: str


class PlainTypedDict(TypedDict):
    inside: str


class PlainNamedTuple(NamedTuple):
    inside: str


class PlainStruct(Struct):
    inside: str


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
    """Kind, options, default and texts follow from the type alone, in its order."""
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
    """Title and description are shown for optional fields too."""
    assert form_fields(OptionalForm) == (
        FormField("limit", "Most", "integer", False, False, description="How many"),
        FormField("key", "API key", "secret", False, True),
    )


def test_a_form_never_shows_the_default_of_a_secret() -> None:
    """The catalogue is public, so the default of a secret is not in it."""
    shown = form_fields(Form)
    assert CANARY not in repr(shown)
    assert CANARY not in msgspec.json.encode(shown).decode()
