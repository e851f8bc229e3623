"""JSON Schemas of requests and responses, as components of an OpenAPI document."""

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

_Components: TypeAlias = tuple[tuple[Json], dict[str, Json]]

_SECRET_IN_REQUEST: Final[Json] = {"type": "string", "format": "password", "writeOnly": True}
_SECRET_IN_RESPONSE: Final[Json] = {
    "type": "string",
    "const": MASK,
    "readOnly": True,
    "description": "Replaces a secret, which is never shown. A request with it is refused",
}
_Aware: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]
_AwareOrNone: TypeAlias = _Aware | None
_WITH_OFFSET: Final[dict[object, object]] = {datetime: _Aware, datetime | None: _AwareOrNone}


@dataclass
class JsonSchema(Schema):
    """A schema that is copied into the document unchanged.

    Litestar's own `Schema` has a field for each keyword, and lacks some that msgspec writes.
    """

    written: Json = field(default_factory=dict)

    def to_schema(self) -> Json:
        return self.written


def as_json(schema: Json) -> dict[str, OpenAPIMediaType]:
    """The content of a body in JSON."""
    return {"application/json": OpenAPIMediaType(schema=JsonSchema(written=schema))}


def one_of(schemas: Sequence[Json]) -> Json:
    """A value that fits at least one of the schemas."""
    return schemas[0] if len(schemas) == 1 else {"anyOf": [*schemas]}


def or_null(schema: Json) -> Json:
    """A value that fits the schema, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


@final
class Schemas:
    """The components of a document, collected while its schemas are made."""

    def __init__(self) -> None:
        self.components: dict[str, Json] = {}

    def add(self, name: str, schema: Json) -> Json:
        """Adds a component. Returns a reference to it."""
        self.components[name] = schema
        return {"$ref": f"#/components/schemas/{name}"}

    def of_request(self, kind: object, prefix: str) -> Json:
        """The schema of a type in a request: each secret is a write-only password.

        Args:
            kind: A config type, or an action's input.
            prefix: The names of its components start with it. So two types with the same name,
                in two connectors or in the application, have different components.
        """
        return self._of(kind, prefix, _SECRET_IN_REQUEST)

    def of_response(self, kind: object, prefix: str) -> Json:
        """The schema of a type in a response: each secret is the mask."""
        return self._of(kind, prefix, _SECRET_IN_RESPONSE)

    def follow(self, schema: Json) -> Json:
        """The component that a reference points to. Another schema is returned unchanged."""
        name = str(schema.get("$ref", "")).rpartition("/")[2]
        return self.components.get(name, schema)

    def _of(self, kind: object, prefix: str, secret: Json) -> Json:
        def of_secret(found: type) -> Json:
            if found is not Secret:
                raise NotImplementedError(found)
            return dict(secret)

        try:
            written = json.schema_components(
                (kind,),
                schema_hook=of_secret,
                ref_template=f"#/components/schemas/{prefix}.{{name}}",
            )
            # A default may be a tuple, for which YAML would write a tag of Python.
            plain: _Components = json.decode(json.encode(written), type=_Components)
        except (TypeError, NotImplementedError):
            return self._without_defaults(kind, prefix, secret)
        (schema,), components = plain
        for name, one in components.items():
            _ = self.add(f"{prefix}.{name}", _cleaned(one))
        return schema

    def _without_defaults(self, kind: object, prefix: str, secret: Json) -> Json:
        """A struct, field by field: msgspec cannot write a default that holds a secret. A type
        that only contains such a struct gets the schema of any value."""
        if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
            return {}
        fields = msgspec.structs.fields(kind)
        properties = {
            one.encode_name: self._of(one.type, f"{prefix}.{_component_name(one.name)}", secret)
            for one in fields
        }
        required = [one.encode_name for one in fields if one.required]
        return self.add(
            f"{prefix}.{_component_name(kind.__name__)}", object_of(properties, required)
        )


def object_of(properties: Json, required: Sequence[str] | None = None) -> Json:
    """An object. Every property is required, unless `required` lists those that are."""
    return {
        "type": "object",
        "properties": properties,
        "required": [*(properties if required is None else required)],
    }


def shape_of(kind: type[msgspec.Struct], **known: Json) -> Json:
    """The schema of one of our own structs in a response: it has every field, and its times
    have an offset.

    Args:
        kind: The struct.
        known: The schemas of fields whose types do not say enough.
    """
    fields = msgspec.structs.fields(kind)
    plain = [one for one in fields if one.name not in known]
    parts, _ = json.schema_components([_WITH_OFFSET.get(one.type, one.type) for one in plain])
    written = {one.name: part for one, part in zip(plain, parts, strict=True)} | known
    shape = object_of({one.encode_name: written[one.name] for one in fields})
    return _cleaned({"title": kind.__name__, "description": kind.__doc__ or "", **shape})


def _component_name(name: str) -> str:
    """A Python name as the name of a component (OpenAPI 3.1, section 4.8.7.1)."""
    return re.sub("[^A-Za-z0-9._-]", "_", name)


def _cleaned(schema: Json) -> Json:
    description = inspect.cleandoc(schema.get("description", ""))
    return {**schema, "description": description} if description else schema
