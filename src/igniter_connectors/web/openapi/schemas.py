"""JSON Schemas of what the routes take and show, as components of an OpenAPI document."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Final, TypeAlias, final

import msgspec
from litestar.openapi.spec import OpenAPIMediaType, Schema
from msgspec import json

from igniter_connectors.core.connector.masking import MASK
from igniter_connectors.core.secret import Secret

Json = dict[str, Any]
"""A JSON Schema (2020-12, the dialect of OpenAPI 3.1)."""

_Written: TypeAlias = tuple[tuple[Json], dict[str, Json]]

_TAKEN: Final[Json] = {"type": "string", "format": "password", "writeOnly": True}
_SHOWN: Final[Json] = {
    "type": "string",
    "const": MASK,
    "readOnly": True,
    "description": "Stands for a secret, which is never shown; to send it back is refused",
}
_Aware: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]
_AwareOrNone: TypeAlias = _Aware | None
_INSTANTS: Final[dict[object, object]] = {datetime: _Aware, datetime | None: _AwareOrNone}


@dataclass
class JsonSchema(Schema):
    """A schema that stands in the document as it is written here.

    Litestar's own names each keyword and knows few of those that msgspec writes.
    """

    written: Json = field(default_factory=dict)

    def to_schema(self) -> Json:
        return self.written


def as_json(schema: Json) -> dict[str, OpenAPIMediaType]:
    """The content of a body in JSON."""
    return {"application/json": OpenAPIMediaType(schema=JsonSchema(written=schema))}


def one_of(schemas: Sequence[Json]) -> Json:
    """Any of them; the one, where there is one. Never given none."""
    return schemas[0] if len(schemas) == 1 else {"anyOf": [*schemas]}


def or_null(schema: Json) -> Json:
    """It, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


@final
class Schemas:
    """The components that the operations name, gathered while they are described."""

    def __init__(self) -> None:
        self.components: dict[str, Json] = {}

    def add(self, name: str, schema: Json) -> Json:
        """One more component; a reference to it."""
        self.components[name] = schema
        return {"$ref": f"#/components/schemas/{name}"}

    def taken(self, kind: object, place: str) -> Json:
        """What a request may hold of a type: its secrets are passwords that only go in.

        Args:
            kind: A config type, or an action's input.
            place: What the names of its components begin with, so that types of one name
                in two connectors, or in the application, stay apart.
        """
        return self._of(kind, place, _TAKEN)

    def shown(self, kind: object, place: str) -> Json:
        """What an answer holds of a type: in the place of each secret stands the mask."""
        return self._of(kind, place, _SHOWN)

    def follow(self, schema: Json) -> Json:
        """The component that a reference names; any other schema as it is."""
        name = str(schema.get("$ref", "")).rpartition("/")[2]
        return self.components.get(name, schema)

    def _of(self, kind: object, place: str, secret: Json) -> Json:
        def of_secret(found: type) -> Json:
            if found is not Secret:
                raise NotImplementedError(found)
            return dict(secret)

        try:
            written = json.schema_components(
                (kind,),
                schema_hook=of_secret,
                ref_template=f"#/components/schemas/{place}.{{name}}",
            )
            # Defaults may be tuples, which documents in YAML would name as Python's.
            plain: _Written = json.decode(json.encode(written), type=_Written)
        except (TypeError, NotImplementedError):
            return self._without_defaults(kind, place, secret)
        (schema,), components = plain
        for name, one in components.items():
            _ = self.add(f"{place}.{name}", _documented(one))
        return schema

    def _without_defaults(self, kind: object, place: str, secret: Json) -> Json:
        """A struct field by field, since msgspec writes no default that holds a secret; for
        a type that only contains such a struct, anything."""
        if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
            return {}
        fields = msgspec.structs.fields(kind)
        properties = {
            one.encode_name: self._of(one.type, f"{place}.{_named(one.name)}", secret)
            for one in fields
        }
        required = [one.encode_name for one in fields if one.required]
        return self.add(f"{place}.{_named(kind.__name__)}", object_of(properties, required))


def object_of(properties: Json, required: Sequence[str] | None = None) -> Json:
    """An object; every property is required where `required` does not say which."""
    return {
        "type": "object",
        "properties": properties,
        "required": [*(properties if required is None else required)],
    }


def shape_of(kind: type[msgspec.Struct], **known: Json) -> Json:
    """The schema of a struct of ours as it is answered: every field is there, instants with
    their offset.

    Args:
        kind: The struct.
        known: The schemas of the fields that its type does not tell.
    """
    fields = msgspec.structs.fields(kind)
    plain = [one for one in fields if one.name not in known]
    parts, _ = json.schema_components([_INSTANTS.get(one.type, one.type) for one in plain])
    written = {one.name: part for one, part in zip(plain, parts, strict=True)} | known
    shape = object_of({one.encode_name: written[one.name] for one in fields})
    return _documented({"title": kind.__name__, "description": kind.__doc__ or "", **shape})


def _named(name: str) -> str:
    """A name of Python's as a component's may be (OpenAPI 3.1, section 4.8.7.1)."""
    return re.sub("[^A-Za-z0-9._-]", "_", name)


def _documented(schema: Json) -> Json:
    said = inspect.cleandoc(schema.get("description", ""))
    return {**schema, "description": said} if said else schema
