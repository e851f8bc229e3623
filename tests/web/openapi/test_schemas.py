"""The schemas of the document, beside the types that they describe."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.pipeline import is_successful

from igniter_connectors import Secret
from igniter_connectors.core.connector.config import ConfigSchema
from igniter_connectors.core.connector.masking import mask
from igniter_connectors.web.openapi.schemas import Schemas, one_of, or_null, shape_of
from tests.web.documented import validator_of

Short = Annotated[str, msgspec.Meta(min_length=1, max_length=3)]


class Nested(msgspec.Struct, frozen=True):
    """Holds a secret."""

    pin: Secret


class Config(msgspec.Struct, frozen=True, rename="camel"):
    """Most of what a config may hold."""

    api_key: Secret
    team_name: Short
    level: Literal["low", "high"] = "low"
    how_many: Annotated[int, msgspec.Meta(ge=0, le=3)] = 0
    spare: Secret | None = None
    more: tuple[Nested, ...] = ()


class Defaulted(Config, frozen=True, rename="camel"):
    """The same, with a secret as a default."""

    other_key: Secret = Secret("canary")


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Forbids other fields."""

    api_key: Secret = msgspec.field(name="apiKey")


class Tagged(msgspec.Struct, frozen=True, tag="tagged"):
    """Has a tag."""

    api_key: Secret


NAMES = ("apiKey", "teamName", "level", "howMany", "spare", "more", "otherKey", "unknown")
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 5),
    st.sampled_from(["", "a", "abc", "abcd", "low", "high"]),
    st.lists(st.fixed_dictionaries({}, optional={"pin": st.sampled_from(["p", 1])}), max_size=2),
)
GOOD = st.fixed_dictionaries(
    {"apiKey": st.just("k"), "teamName": st.sampled_from(["", "a", "abc", "abcd"])},
    optional=dict.fromkeys(NAMES[2:], VALUES),
)


@pytest.mark.parametrize("kind", [Config, Defaulted, Strict])
@given(body=st.one_of(GOOD, st.dictionaries(st.sampled_from(NAMES), VALUES), VALUES))
def test_a_config_is_accepted_if_it_fits_the_schema(
    kind: type[msgspec.Struct], body: object
) -> None:
    """The parser and the schema agree. The answer fits the schema of the response."""
    schemas = Schemas()
    taken, shown = schemas.of_request(kind, "taken"), schemas.of_response(kind, "shown")
    document = {"components": {"schemas": schemas.components}}
    parsed = ConfigSchema[Any](kind).parse(msgspec.json.encode(body))
    assert validator_of(document, taken).is_valid(body) == is_successful(parsed)
    if is_successful(parsed):
        validator_of(document, shown).validate(mask(parsed.unwrap()))


def test_a_tag_is_required() -> None:
    """The parser accepts a config without its tag too, but the answer has the tag."""
    schemas = Schemas()
    taken, shown = schemas.of_request(Tagged, "taken"), schemas.of_response(Tagged, "shown")
    document = {"components": {"schemas": schemas.components}}
    assert validator_of(document, taken).is_valid({"type": "tagged", "api_key": "k"})
    assert not validator_of(document, taken).is_valid({"type": "other", "api_key": "k"})
    validator_of(document, shown).validate(mask(Tagged(Secret("k"))))


@pytest.mark.parametrize("kind", [Config, Defaulted])
def test_a_schema_is_plain_json(kind: type[msgspec.Struct]) -> None:
    """A default that is a tuple becomes a list: YAML has no word for a tuple."""
    schemas = Schemas()
    _ = schemas.of_request(kind, "taken")
    assert schemas.components == msgspec.json.decode(msgspec.json.encode(schemas.components))


def test_a_component_has_a_valid_name() -> None:
    """Whatever the names of the type and its fields are in Python."""
    odd = msgspec.defstruct("Größe", [("maß", Nested), ("key", Secret, Secret("canary"))])
    schemas = Schemas()
    assert schemas.of_request(odd, "x") == {"$ref": "#/components/schemas/x.Gr__e"}
    assert schemas.components.keys() == {"x.ma_.Nested", "x.Gr__e"}
    assert schemas.components["x.Gr__e"]["properties"].keys() == {"maß", "key"}


def test_a_schema_that_cannot_be_written_accepts_anything() -> None:
    """A type that holds a struct with a secret as a default gives no exception."""
    schemas = Schemas()
    assert schemas.of_request(list[Defaulted], "x") == {}
    assert schemas.components == {}
    assert schemas.follow({}) == {}


def test_one_schema_needs_no_choice() -> None:
    """Two schemas are alternatives."""
    text, null = {"type": "string"}, {"type": "null"}
    assert one_of([text]) == text
    assert one_of([text, null]) == or_null(text) == {"anyOf": [text, null]}


def test_a_shape_requires_every_field() -> None:
    """An answer has the fields with a default too, by their JSON names; times have an offset."""

    class Seen(msgspec.Struct, frozen=True, rename="camel"):
        """First line.

        Second paragraph.
        """

        first_at: datetime
        last_at: datetime | None = None
        other: object = None

    shape = shape_of(Seen, other={"type": "null"})
    instant = {"type": "string", "format": "date-time"}
    assert shape == {
        "title": "Seen",
        "description": "First line.\n\nSecond paragraph.",
        "type": "object",
        "properties": {
            "firstAt": instant,
            "lastAt": {"anyOf": [instant, {"type": "null"}]},
            "other": {"type": "null"},
        },
        "required": ["firstAt", "lastAt", "other"],
    }
    seen = msgspec.json.decode(msgspec.json.encode(Seen(datetime(2026, 1, 1, tzinfo=UTC))))
    validator_of({"components": {}}, shape).validate(seen)
