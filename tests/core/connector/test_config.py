"""Splitting a config and joining it gives the same config, and no secret is stored in clear."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace
from returns.pipeline import is_successful
from returns.result import Result

from igniter_connectors.core.connector.config import ConfigParts, ConfigSchema
from igniter_connectors.core.connector.masking import MASK
from igniter_connectors.core.connector.validation import ValidationFault, encode_json_to_seal
from igniter_connectors.core.problem import WrongWiring
from igniter_connectors.core.secret import Secret

CANARY = "canary-5f1d"


class Inner(Struct):
    token: Secret
    note: str


class Rich(Struct, rename="camel"):
    api_key: Secret
    name: str
    count: int
    ratio: float
    maybe: Secret | None
    nested: Inner
    rows: list[Inner]
    table: dict[str, Secret]
    tags: tuple[str, ...]
    choice: Literal["a", "b"]
    instant: datetime
    numbers: dict[str, int | None]
    octets: bytes
    anything: Any
    optional: str | None = None


class Public(Struct):
    name: str


class Private(Struct):
    key: Secret


class Empty(Struct):
    """Nothing to configure."""


class Defaults(Struct, omit_defaults=True):
    name: str = ""
    key: Secret | None = None


class Tagged(Struct, tag="tagged"):
    name: str
    key: Secret


class Number(Struct):
    value: float
    key: Secret = Secret("")


class OptionalNumber(Struct):
    value: float | None
    key: Secret = Secret("")


TEXT = st.text(st.characters(codec="utf-8"))
# Dots that stand for a secret are the one text that a field with a secret in it cannot hold.
UNMASKED = TEXT.filter(lambda text: MASK not in text)
SECRETS = UNMASKED.map(lambda text: Secret(CANARY + text))
INNERS = st.builds(Inner, SECRETS, UNMASKED)
RICH = st.builds(
    Rich,
    api_key=SECRETS,
    name=TEXT,
    count=st.integers(),
    ratio=st.floats(allow_nan=False, allow_infinity=False),
    maybe=st.none() | SECRETS,
    nested=INNERS,
    rows=st.lists(INNERS, max_size=3),
    table=st.dictionaries(UNMASKED, SECRETS, max_size=3),
    tags=st.lists(TEXT, max_size=3).map(tuple),
    choice=st.sampled_from(["a", "b"]),
    instant=st.datetimes(timezones=st.just(UTC)),
    numbers=st.dictionaries(TEXT, st.none() | st.integers(), max_size=3),
    octets=st.binary(),
    anything=st.none() | st.booleans() | TEXT | st.lists(TEXT) | st.dictionaries(TEXT, TEXT),
    optional=st.none() | TEXT,
)


@given(RICH)
def test_a_config_survives_being_stored(config: Rich) -> None:
    """`join` after `split` is the identity for every config."""
    schema = ConfigSchema(Rich)
    parts = schema.split(config).unwrap()
    assert schema.join(parts.public, parts.secret) == config


@given(RICH)
def test_no_secret_is_in_the_public_part(config: Rich) -> None:
    """Neither a secret nor the name of a field with a secret is stored in clear."""
    schema = ConfigSchema(Rich)
    public = schema.split(config).unwrap().public
    assert CANARY.encode() not in public
    assert schema.secret_names.isdisjoint(msgspec.json.decode(public))
    assert schema.secret_names == {"apiKey", "maybe", "nested", "rows", "table"}


@pytest.mark.parametrize(
    "config",
    [
        Public("x"),
        Private(Secret("x")),
        Empty(),
        Defaults(),
        Defaults("x"),
        Defaults(key=Secret("x")),
        Defaults("x", Secret("x")),
        Tagged("x", Secret("x")),
    ],
)
def test_parts_without_fields_are_joined_too(config: Struct) -> None:
    """All in clear, all sealed, or empty: each comes back unchanged."""
    schema = ConfigSchema(type(config))
    parts = schema.split(config).unwrap()
    assert schema.join(parts.public, parts.secret) == config


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (Empty(), ConfigParts(b"{}", b"{}")),
        (Public("x"), ConfigParts(b'{"name":"x"}', b"{}")),
        (Private(Secret("x")), ConfigParts(b"{}", b'{"key":"x"}')),
    ],
)
def test_each_field_goes_whole_into_one_part(config: Struct, expected: ConfigParts) -> None:
    """The stored form is plain JSON: one object in clear, one to be sealed."""
    assert ConfigSchema(type(config)).split(config).unwrap() == expected


class Incomparable(Struct, eq=False):
    """A type without an equality of its own."""

    name: str
    nested: Uncompared
    key: Secret


class Uncompared(Struct, eq=False):
    number: int


def test_a_type_without_equality_can_be_stored() -> None:
    """Whether a config can be stored does not depend on its `__eq__`."""
    schema = ConfigSchema(Incomparable)
    parts = schema.split(Incomparable("x", Uncompared(5), Secret("y"))).unwrap()
    joined = schema.join(parts.public, parts.secret)
    assert (joined.name, joined.nested.number, joined.key) == ("x", 5, Secret("y"))


def test_the_parts_do_not_show_themselves() -> None:
    """The object with the secrets in clear has a repr that reveals nothing."""
    assert CANARY not in repr(ConfigSchema(Private).split(Private(Secret(CANARY))))


@pytest.mark.parametrize("config", [Public("\ud800"), Private(Secret("\ud800"))])
def test_text_that_cannot_be_stored_is_refused(config: Struct) -> None:
    """A lone surrogate is a fault before it reaches the database, in either part."""
    assert not is_successful(ConfigSchema(type(config)).split(config))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("kind", [Number, OptionalNumber])
def test_a_number_that_json_cannot_carry_is_refused(
    kind: type[Number | OptionalNumber], value: float
) -> None:
    """It is not stored as null, which would be read back as another config or not at all."""
    assert not is_successful(ConfigSchema(kind).split(kind(value)))


def test_a_secret_in_a_field_in_clear_is_not_stored_in_clear() -> None:
    """A secret in a field of type `str` or `Any` is refused, not revealed into the public part."""
    misplaced = Public(Secret(CANARY))  # type: ignore[arg-type]  # what an unchecked caller does
    assert not is_successful(ConfigSchema(Public).split(misplaced))
    table = Table({"key": Secret(CANARY)})
    assert not is_successful(ConfigSchema(Table).split(table))


class Table(Struct):
    anything: dict[str, Any]


def test_what_no_longer_fits_is_an_error_of_msgspec() -> None:
    """A changed type and bytes that are not JSON raise the documented errors."""
    schema = ConfigSchema(Private)
    with pytest.raises(msgspec.ValidationError):
        schema.join(b'{"key":5}', b"{}")
    with pytest.raises(msgspec.ValidationError):
        schema.join(b"{}", b"{}")
    with pytest.raises(msgspec.DecodeError):
        schema.join(b"not json", b"{}")


# --- from outside -------------------------------------------------------------------------


def as_json(config: Rich) -> bytes:
    """A config as a client of the API sends it, with secrets in clear."""
    return encode_json_to_seal(config).unwrap()


@given(RICH)
def test_a_config_is_read_from_json(config: Rich) -> None:
    """The config that a client sends is the config that is stored."""
    assert ConfigSchema(Rich).parse(as_json(config)).unwrap() == config


@given(RICH, RICH)
def test_a_merge_with_every_field_is_a_replacement(config: Rich, other: Rich) -> None:
    """Each field is decoded as it would be alone, whatever its type."""
    assert ConfigSchema(Rich).merge(config, as_json(other)).unwrap() == other


@given(RICH)
def test_a_merge_with_nothing_changes_nothing(config: Rich) -> None:
    """Every secret that is not named is kept."""
    assert ConfigSchema(Rich).merge(config, b"{}").unwrap() == config


@given(RICH, RICH)
def test_a_merge_replaces_what_is_named_and_keeps_the_rest(config: Rich, other: Rich) -> None:
    """A new name keeps the key, and a new key keeps the name."""
    schema = ConfigSchema(Rich)
    named = encode_json_to_seal({"name": other.name, "apiKey": other.api_key}).unwrap()
    expected = replace(config, name=other.name, api_key=other.api_key)
    assert schema.merge(config, named).unwrap() == expected


class Tables(Struct):
    """Types whose JSON form differs from their Python form."""

    by_number: dict[int, str]
    by_day: dict[date, str]
    price: Decimal
    ratio: float
    when: datetime
    span: timedelta
    octets: bytes
    some: frozenset[int]
    key: Secret = Secret("")


TABLES = Tables(
    {1: "a", -5: "b"},
    {date(2026, 11, 1): "a"},
    Decimal("0.1000000000000000000000000001"),
    1.5,
    datetime(2026, 11, 1, tzinfo=UTC),
    timedelta(seconds=90),
    b"\x00\xff",
    frozenset({1, 2}),
)


@pytest.mark.parametrize("name", Tables.__struct_fields__)
def test_a_merge_reads_json_as_a_whole_config_is_read(name: str) -> None:
    """Number and date keys, decimals, durations and bytes: in one field as in all."""
    schema = ConfigSchema(Tables)
    fields = msgspec.json.decode(encode_json_to_seal(TABLES).unwrap(), type=dict[str, msgspec.Raw])
    assert schema.parse(encode_json_to_seal(TABLES).unwrap()).unwrap() == TABLES
    assert schema.merge(TABLES, msgspec.json.encode({name: fields[name]})).unwrap() == TABLES


@pytest.mark.parametrize(
    ("field", "raw"),
    [
        ("apiKey", f'{{"apiKey":"{MASK}"}}'),
        ("apiKey", f'{{"apiKey":"x{MASK}"}}'),
        ("apiKey", '{"apiKey":"' + "\\u2022" * 8 + '"}'),
        ("nested", f'{{"nested":{{"token":"{MASK}","note":""}}}}'),
        ("rows", f'{{"rows":[{{"token":"x","note":""}},{{"token":"{MASK}","note":""}}]}}'),
        ("table", f'{{"table":{{"a":"{MASK}"}}}}'),
    ],
)
@given(config=RICH)
@settings(max_examples=10)
def test_a_mask_is_no_secret(field: str, raw: str, config: Rich) -> None:
    """A form that sends back the mask does not overwrite the secret."""
    schema = ConfigSchema(Rich)
    for judged in (schema.parse(raw.encode()), schema.merge(config, raw.encode())):
        assert judged.failure() == ValidationFault(
            f"$.{field}", "is a mask; leave it out to keep the secret"
        )


def test_dots_where_no_secret_is_are_text() -> None:
    """A public field may contain the mask."""
    raw = msgspec.json.encode({"name": MASK})
    assert ConfigSchema(Public).parse(raw).unwrap() == Public(MASK)
    assert ConfigSchema(Public).merge(Public("x"), raw).unwrap() == Public(MASK)


BROKEN = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"x"',
    b"\xff",
    b'{"key":1e400}',
    b'{"key":"\\ud800"}',
    b'{"key":"\xff"}',
    b'{"key":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"key":' + b"9" * 5_000 + b"}",
    b'{"key":nan}',
    b'{"other":1e400}',
    b'{"other":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"key":5}',
    b'{"key":["canary-5f1d"]}',
    b'{"key":' + b"[" * 900 + b"]" * 900 + b"}",
]


@pytest.mark.parametrize("raw", BROKEN, ids=lambda raw: ascii(raw[:30]))
def test_what_a_stranger_sends_is_judged(raw: bytes) -> None:
    """Any bytes give a config or a fault, never an exception or a quotation."""
    schema = ConfigSchema(Private)
    for judged in (schema.parse(raw), schema.merge(Private(Secret("x")), raw)):
        assert isinstance(judged, Result)
        assert CANARY not in repr(judged)


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_are_judged(raw: bytes) -> None:
    """The same for every other value."""
    schema = ConfigSchema(Private)
    assert isinstance(schema.parse(raw), Result)
    assert isinstance(schema.merge(Private(Secret("x")), raw), Result)


def test_a_merge_into_what_cannot_be_stored_is_a_misfit() -> None:
    """A config that JSON cannot represent is a fault, whatever is merged into it."""
    assert not is_successful(ConfigSchema(Public).merge(Public("\ud800"), b"{}"))


def test_a_merge_is_checked_like_a_whole_config() -> None:
    """A field that does not fit is reported by its path, and nothing is merged."""
    judged = ConfigSchema(Public).merge(Public("x"), b'{"name":5}')
    assert judged.failure() == ValidationFault("$.name", "expected `str`, got `int`")


def test_a_schema_knows_its_type() -> None:
    """What a form and a store need is computed once."""
    schema = ConfigSchema(Rich)
    assert schema.kind is Rich
    assert [field.name for field in schema.fields if field.sensitive] == [
        name for name in (field.name for field in schema.fields) if name in schema.secret_names
    ]


def test_a_type_that_cannot_be_stored_makes_no_schema() -> None:
    """The type is refused while the application is built."""
    with pytest.raises(WrongWiring):
        ConfigSchema(msgspec.defstruct("Odd", [("value", complex)]))


def test_a_config_made_in_python_is_validated() -> None:
    """A struct made in Python is checked as if it came from outside, and copied."""
    good = Private(Secret("x"))
    schema = ConfigSchema(Private)
    assert schema.validate(good).unwrap() == good
    bad = Private("x" * 5)  # type: ignore[arg-type]  # what an unchecked caller does
    assert schema.validate(bad).unwrap() == Private(Secret("xxxxx"))
    worse = Private(5)  # type: ignore[arg-type]  # what an unchecked caller does
    assert not is_successful(schema.validate(worse))


def test_a_config_made_of_masks_is_refused() -> None:
    """`mask` and back: a config that a form sent unchanged would replace the secret by dots."""

    class Masked(Struct, rename="camel"):
        plain_text: str
        api_key: Secret
        inner: list[Inner] = []

    schema = ConfigSchema(Masked)
    assert is_successful(schema.validate(Masked(MASK, Secret("k"), [Inner(Secret("k"), MASK)])))
    for config, path in (
        (Masked("a", Secret(MASK)), "$.apiKey"),
        (Masked("a", Secret(f"x{MASK}")), "$.apiKey"),
        (Masked("a", Secret("k"), [Inner(Secret("k"), "n"), Inner(Secret(MASK), "n")]), "$.inner"),
    ):
        fault = schema.validate(config).failure()
        assert (fault.path, fault.reason) == (path, "is a mask; leave it out to keep the secret")
