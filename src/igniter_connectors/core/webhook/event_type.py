"""The type of an event, and its payload: which struct of a tagged union a body is decoded into."""

from __future__ import annotations

import re
from typing import Final, Generic, TypeVar

import msgspec
import msgspec.inspect
from typing_extensions import TypeForm

from igniter_connectors.core.connector.validation import (
    JSON_ERRORS,
    ValidationFault,
    json_fault,
)
from igniter_connectors.core.webhook.form import read_form
from igniter_connectors.core.webhook.json_object import read_object
from igniter_connectors.core.webhook.payload import ReadPayload, Tag, payload_reader
from igniter_connectors.core.webhook.readable_json import readable_json
from igniter_connectors.core.webhook.schemes import BodyFormat

T = TypeVar("T")

_SHOWN_TYPE: Final = re.compile(r"[A-Za-z0-9_.:/-]{1,100}")


class UnknownType(msgspec.Struct, frozen=True):
    """A type of event that no struct of the payload has.

    `name` is "" unless it looks like a name: up to 100 letters, digits and `_.:/-`. `path` is
    where the type is.
    """

    name: str
    path: str


def payload_fault(payload: object) -> ValidationFault | None:
    """Why an event has no payload, from what `EventReader.read` returned; None if it has one."""
    if isinstance(payload, UnknownType):
        return ValidationFault(payload.path, "is not a type of the payload")
    return payload if isinstance(payload, ValidationFault) else None


class EventTypes(msgspec.Struct, frozen=True):
    """The tags of a payload: the field that holds them in a body, and each tag by its text."""

    field: str
    tags: dict[str, str | int]


def event_types(kind: object) -> EventTypes | None:
    """The types of a struct or union of structs with tags; None for any other payload."""
    info = msgspec.inspect.type_info(kind)
    while isinstance(info, msgspec.inspect.Metadata):
        info = info.type
    members = info.types if isinstance(info, msgspec.inspect.UnionType) else (info,)
    structs = [one for one in members if isinstance(one, msgspec.inspect.StructType)]
    tags = {str(one.tag): one.tag for one in structs if one.tag is not None}
    field = next((one.tag_field for one in structs if one.tag_field is not None), None)
    return None if field is None else EventTypes(field, tags)


class EventReader(Generic[T]):
    """Decodes verified bodies into a payload type.

    Args:
        kind: The payload type.
        body_format: How bodies are encoded.
        is_header_alone: True if only the header tells the type. Otherwise the header counts where
            it names a type of the payload, and the body's own field where it does not.
    """

    def __init__(
        self, kind: TypeForm[T], body_format: BodyFormat, *, is_header_alone: bool
    ) -> None:
        self._kind: Final[object] = kind
        self._read: Final[ReadPayload[T]] = payload_reader(kind, body_format)
        self._is_json: Final = body_format == "json"
        self._types: Final = event_types(kind)
        self._is_header_alone: Final = is_header_alone

    def read(self, body: bytes, header_type: str = "") -> T | UnknownType | ValidationFault:
        """The payload; or that its type is unknown, or where it does not fit. Never raises.

        Args:
            body: The verified body.
            header_type: The type that the header tells; "" if there is no header.
        """
        types, tag = self._types, None
        if types is not None and header_type:
            if header_type in types.tags:
                tag = (types.field, types.tags[header_type])
            elif self._is_header_alone:
                return UnknownType(_shown(header_type), "the type header")
        try:
            return self._read(body, tag)
        except Exception as error:
            return self._mended(body, tag, header_type, error)

    def _mended(
        self, body: bytes, tag: Tag | None, header_type: str, error: Exception
    ) -> T | UnknownType | ValidationFault:
        mended = readable_json(body) if self._is_json else body
        if mended != body:
            try:
                return self._read(mended, tag)
            except Exception as second:
                error = second
        if tag is None and (unknown := self._unknown_type(body, header_type)) is not None:
            return unknown
        if isinstance(error, JSON_ERRORS):
            return json_fault(error, self._kind)
        # A check of the type's own raised; its text may quote the value.
        return ValidationFault("$", f"is refused by the type's own check ({type(error).__name__})")

    def _unknown_type(self, body: bytes, header_type: str) -> UnknownType | None:
        types = self._types
        if types is None:
            return None
        told = self._type_in_body(body, types.field)
        if told is None:
            return UnknownType(_shown(header_type), "the type header") if header_type else None
        return None if told in types.tags else UnknownType(_shown(told), f"$.{types.field}")

    def _type_in_body(self, body: bytes, field: str) -> str | None:
        if not self._is_json:
            values = [value for name, value in read_form(body) or () if name == field]
            return values[0] if len(values) == 1 else None
        raw = read_object(body).get(field)
        try:
            return None if raw is None else str(msgspec.json.decode(raw, type=str | int))
        except JSON_ERRORS:
            return None


def _shown(name: str) -> str:
    return name if _SHOWN_TYPE.fullmatch(name) else ""
