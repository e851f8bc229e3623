"""Request bodies: Litestar documents their types, and the connector decodes their bytes.

A connector's config type is known only after the caller and the connector are: so a body arrives
here as bytes. Litestar's own decoder would also quote a wrong value in its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Final, Generic, Never, TypeVar

import msgspec
from litestar.dto.base_dto import AbstractDTO
from litestar.enums import ScopeType
from litestar.openapi.spec import Reference, Schema
from litestar.types import ASGIApp, Receive, ReceiveMessage, Scope, Send
from litestar.typing import FieldDefinition

from igniter_connectors.core.problem import RequestRefused
from igniter_connectors.manager.connectors import Connectors
from igniter_connectors.web.responses import Refusal, WebRequest, value_of

BODY_LIMIT_BYTES: Final = 1024 * 1024

B = TypeVar("B", bound="JsonBody")


class JsonBody(msgspec.Struct, frozen=True):
    """The bytes of a request's body, not decoded yet."""

    octets: bytes = b""

    def read(self, request: WebRequest) -> bytes:
        """The bytes, if they are JSON.

        Raises:
            Refusal: with `RequestRefused`: another media type.
        """
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media != "application/json":
            # Any site can make a browser post a form without asking first; JSON it cannot.
            raise Refusal(RequestRefused("send application/json"))
        return self.octets


def bounded_bodies(connectors: Connectors[Any, Any]) -> Callable[[ASGIApp], ASGIApp]:
    """A middleware whose `receive` reads a whole body: of at most 1 MiB, and within a deadline.

    Litestar calls `receive` after the guards, so nobody whom `permit` refuses uploads anything.
    Without this a body that never ends would be waited for without an end.
    """

    def wrap(app: ASGIApp) -> ASGIApp:
        async def bounded(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != ScopeType.HTTP:
                await app(scope, receive, send)
                return
            is_read = False

            async def next_part() -> tuple[bytes, bool] | None:
                message = await receive()
                if message["type"] != "http.request":
                    return None
                return message.get("body", b""), message.get("more_body", False)

            async def receive_whole() -> ReceiveMessage:
                nonlocal is_read
                if is_read:
                    return await receive()
                is_read = True
                read = await connectors.read_body(next_part, limit_bytes=BODY_LIMIT_BYTES)
                return {"type": "http.request", "body": value_of(read), "more_body": False}

            await app(scope, receive_whole, send)

        return bounded

    return wrap


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
