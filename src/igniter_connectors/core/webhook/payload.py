"""Payloads: a verified body, decoded into the connector's payload type."""

from __future__ import annotations

from typing import Protocol, TypeVar, cast

import msgspec
from typing_extensions import TypeForm

from igniter_connectors.core.secret import decode_secret
from igniter_connectors.core.webhook.form import read_form
from igniter_connectors.core.webhook.schemes import BodyFormat

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


Tag = tuple[str, str | int]
"""The field of a union's tag, and the tag, where the body does not have it."""


class ReadPayload(Protocol[T_co]):
    """A function that decodes and validates a body."""

    def __call__(self, body: bytes, tag: Tag | None = None) -> T_co:
        """The payload."""
        ...


def payload_reader(kind: TypeForm[T], body_format: BodyFormat) -> ReadPayload[T]:
    """A function that decodes and validates bodies. Make it once: that costs 20 µs.

    A form's fields are decoded as an object of strings. Where the type has numbers or
    booleans, they are parsed from the strings. A name that occurs several times is a list.
    The function raises one of `JSON_ERRORS` if the body does not match the type. A tag takes the
    place of the body's own field.
    """
    # TypeForm is what msgspec's `type` parameter means; its stubs know `type[T]` alone.
    known = cast("type[T]", kind)
    if body_format == "json":
        decode = msgspec.json.Decoder(known, dec_hook=decode_secret).decode

        def read_json(body: bytes, tag: Tag | None = None) -> T:
            return decode(body if tag is None else _with_tag(body, tag))

        return read_json

    def read(body: bytes, tag: Tag | None = None) -> T:
        fields = read_form(body)
        if fields is None:
            raise msgspec.ValidationError("Expected `object`")
        values: dict[str, object] = {**_object(fields)}
        if tag is not None:
            values[tag[0]] = tag[1]
        return msgspec.convert(values, known, strict=False, dec_hook=decode_secret)

    return read


def _with_tag(body: bytes, tag: Tag) -> bytes:
    # What is no object stays as it is, so that the decoder says so.
    if not body.lstrip(b" \t\r\n").startswith(b"{"):
        return body
    field, value = tag
    fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    return msgspec.json.encode({**fields, field: value})


def _object(fields: tuple[tuple[str, str], ...]) -> dict[str, str | list[str]]:
    values_by_name: dict[str, list[str]] = {}
    for name, value in fields:
        values_by_name.setdefault(name, []).append(value)
    return {
        name: values if len(values) > 1 else values[0] for name, values in values_by_name.items()
    }
