"""Gives Litestar the schemas that it cannot read from types, when it makes the document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

from litestar.params import KwargDefinition
from litestar.typing import FieldDefinition

from igniter_connectors.core.connector.definition import Definition
from igniter_connectors.core.problem import Problem
from igniter_connectors.web.openapi.connectors import connector_schemas
from igniter_connectors.web.openapi.problems import problem_details
from igniter_connectors.web.openapi.schemas import Json, JsonSchema, Schemas


@final
class DocumentSchemas:
    """The schemas of one application's connectors. They are made once, when first needed."""

    def __init__(self, registered: Mapping[str, Definition[Any, Any, Any]]) -> None:
        self._registered = registered
        self._schemas = Schemas()
        self._known: dict[object, Json] | None = None

    def has(self, field: FieldDefinition) -> bool:
        """Whether the type or the component key of a parameter is one of ours."""
        return self._find(field) is not None

    def schema_of(self, field: FieldDefinition, registry: Any) -> JsonSchema:
        """The schema; every component that it may refer to is put into the registry.

        Args:
            field: The parameter, body or answer.
            registry: Litestar's components (`SchemaCreator.schema_registry`, a private class).
        """
        schema = self._find(field)
        assert schema is not None  # Litestar asks `has` first
        components = {(name,): one for name, one in self._schemas.components.items()}
        for name in components.keys() - {one.key for one in registry}:
            key = KwargDefinition(schema_component_key=name[0])
            component = FieldDefinition.from_kwarg(dict, name=name[0], kwarg_definition=key)
            _ = registry.get_schema_for_field_definition(component)
        for one in registry:
            if one.key in components:
                one.schema = JsonSchema(written=components[one.key])
        return JsonSchema(written=schema)

    def _find(self, field: FieldDefinition) -> Json | None:
        if self._known is None:
            self._known = connector_schemas(self._schemas, self._registered)
        key = getattr(field.kwarg_definition, "schema_component_key", None)
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Problem):
            return problem_details(self._schemas, kind)
        return self._known.get(key or kind)
