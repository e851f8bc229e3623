"""Request bodies: Litestar documents their types, and the connector decodes their bytes.

A connector's config type is known only after the caller and the connector are: so a body arrives
here as bytes. Litestar's own decoder would also quote a wrong value in its answer.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Final, Generic, Never, TypeVar

import msgspec
from litestar.dto.base_dto import AbstractDTO
from litestar.openapi.spec import Reference, Schema
from litestar.typing import FieldDefinition

from igniter_connectors.core.problem import RequestRefused
from igniter_connectors.web.responses import Refusal, WebRequest

BODY_LIMIT_BYTES: Final = 1024 * 1024

B = TypeVar("B", bound="JsonBody")


class JsonBody(msgspec.Struct, frozen=True):
    """The bytes of a request's body, not decoded yet."""

    octets: bytes = b""

    def read(self, request: WebRequest) -> bytes:
        """The bytes, if they are JSON of at most 1 MiB.

        Raises:
            Refusal: with `RequestRefused`: another media type, or a larger body.
        """
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media != "application/json":
            # Any site can make a browser post a form without asking first; JSON it cannot.
            raise Refusal(RequestRefused("send application/json"))
        if len(self.octets) > BODY_LIMIT_BYTES:
            raise Refusal(RequestRefused("the body is over 1 MiB"))
        return self.octets


class ConfigBody(JsonBody, frozen=True):
    """The config of the connector in the path."""


class ConfigChangeBody(JsonBody, frozen=True):
    """Some fields of the config of the connector in the path."""


class ActionInputBody(JsonBody, frozen=True):
    """The input of the action in the path."""


class JsonBodyDTO(AbstractDTO[B], Generic[B]):
    """Gives a route handler the bytes of the body; the schema comes from the plugin."""

    def decode_bytes(self, value: bytes) -> B:
        return self.model_type(value)

    @classmethod
    def create_openapi_schema(
        cls,
        field_definition: FieldDefinition,
        handler_id: str,  # noqa: ARG003 - Litestar passes it by name
        schema_creator: Any,  # a class of a private module of Litestar
    ) -> Reference | Schema:
        schema: Reference | Schema = schema_creator.for_field_definition(field_definition)
        return schema

    # The rest of the interface is for data that Litestar itself would decode.

    @classmethod
    def create_for_field_definition(cls, *_: object, **__: object) -> None:
        return None

    @classmethod
    def generate_field_definitions(cls, model_type: type[Any]) -> Generator[Never, None, None]:  # noqa: ARG003
        yield from ()

    @classmethod
    def detect_nested_field(cls, field_definition: FieldDefinition) -> bool:  # noqa: ARG003
        return False
