"""The Litestar plugin: routes, lifespan and the OpenAPI document."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, final

from litestar import Litestar, Router, asgi
from litestar.config.app import AppConfig
from litestar.datastructures import CacheControlHeader
from litestar.di import Provide
from litestar.exceptions import ValidationException
from litestar.handlers import BaseRouteHandler
from litestar.openapi.spec import Schema
from litestar.plugins import InitPlugin, OpenAPISchemaPlugin, ReceiveRoutePlugin
from litestar.typing import FieldDefinition
from litestar.utils.path import join_paths

from igniter_connectors.core.connector.masking import mask_secret
from igniter_connectors.core.principal import Permit
from igniter_connectors.core.problem import ConnectorError, RouteFailed
from igniter_connectors.core.secret import Secret
from igniter_connectors.manager.connectors import Connectors
from igniter_connectors.web.actions import Actions, find_called_connection
from igniter_connectors.web.catalogue import Catalogue
from igniter_connectors.web.connections import (
    ConnectionList,
    Connections,
    find_connection,
    put_route,
)
from igniter_connectors.web.json_body import bounded_bodies
from igniter_connectors.web.oauth import Authorizations
from igniter_connectors.web.openapi.connectors import has_oauth, open_actions
from igniter_connectors.web.openapi.plugin import DocumentSchemas
from igniter_connectors.web.openapi.webhooks import documented_routes
from igniter_connectors.web.permissions import (
    AccessControl,
    Connection,
    PrincipalOf,
    find_caller,
)
from igniter_connectors.web.responses import (
    Refusal,
    answer_connector_error,
    answer_invalid_parameter,
    answer_refusal,
    answer_unexpected,
)
from igniter_connectors.web.webhooks import webhook_mount


@final
class ConnectorsPlugin(InitPlugin, OpenAPISchemaPlugin):
    """Serves the connectors from a Litestar application, and opens and closes them with it.

    ```python
    app = Litestar(plugins=[ConnectorsPlugin(connectors, principal=who_is_signed_in)])
    ```

    Args:
        connectors: The manager, built with a base URL.
        principal: Called with each request; returns who is signed in, or None. Without this
            hook every route except the webhooks answers 401.
        permit: Called with the principal, the operation and the connector's key ("" for
            lists), before the body is read. Unless it returns True, the route answers 403.
            OAuth's start and callback are an "authorize"; a route that does two things, such
            as a PUT that begins an authorization, asks for both. None permits everything.
        path: Where the routes are in this application. The path of the base URL says where
            they are for the outside; a proxy may make the two differ.
    """

    def __init__(
        self,
        connectors: Connectors[Any, Any],
        *,
        principal: PrincipalOf | None = None,
        permit: Permit | None = None,
        path: str = "/",
    ) -> None:
        _ = connectors.base()
        self._connectors = connectors
        self._access = AccessControl(connectors, principal, permit)
        self._path = path
        self._schemas = DocumentSchemas(connectors.definitions())

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        """Adds the routes, their documentation and the lifespan.

        Adds an exception handler too, so that a `ConnectorError` of `value_or_raise` in one of
        the application's routes is answered like a problem of ours. The application's own
        handler of it takes precedence.
        """
        connectors = self._connectors

        @asynccontextmanager
        async def lifespan(_: Litestar) -> AsyncGenerator[None, None]:
            async with connectors:
                yield

        mount = asgi(
            join_paths([self._path, "webhooks"]),
            is_mount=True,
            copy_scope=True,
            exception_handlers={Exception: answer_unexpected(self._report)},
        )
        # Operation ids are unique in a document, so a second plugin is served undocumented.
        first = next(one for one in app_config.plugins if isinstance(one, ConnectorsPlugin))
        router = self._router(in_document=first is self)
        app_config.route_handlers.extend([router, mount(webhook_mount(connectors))])
        app_config.lifespan.append(lifespan)
        app_config.exception_handlers = {
            ConnectorError: answer_connector_error(self._report),
            **app_config.exception_handlers,
        }
        if first is self:
            self._document_webhooks(app_config)
        return app_config

    def is_plugin_supported_field(self, field_definition: FieldDefinition) -> bool:
        """Whether the schema of a type or parameter depends on the registered connectors."""
        return self._schemas.has(field_definition)

    def to_openapi_schema(self, field_definition: FieldDefinition, schema_creator: Any) -> Schema:
        """The schema of such a type or parameter."""
        return self._schemas.schema_of(field_definition, schema_creator.schema_registry)

    def _router(self, *, in_document: bool) -> Router:
        known = self._connectors.definitions().values()
        with_oauth, with_actions = any(map(has_oauth, known)), any(map(open_actions, known))
        put = put_route(has_config=not all(map(has_oauth, known)), has_oauth=with_oauth)
        oauth = Router(
            "/", route_handlers=[Authorizations], include_in_schema=in_document and with_oauth
        )
        actions = Router(
            "/", route_handlers=[Actions], include_in_schema=in_document and with_actions
        )

        def connectors() -> Connectors[Any, Any]:
            return self._connectors

        def access() -> AccessControl:
            return self._access

        # A function: Litestar copies a handler's options deeply, and a method with its object.
        async def guard(connection: Connection, handler: BaseRouteHandler) -> None:
            await self._access.guard(connection, handler)

        return Router(
            self._path,
            route_handlers=[Catalogue, ConnectionList, Connections, put, oauth, actions],
            dependencies={
                "connectors": Provide(connectors, sync_to_thread=False),
                "access": Provide(access, sync_to_thread=False),
                "caller": Provide(find_caller),
                "connection": Provide(find_connection),
                "called_connection": Provide(find_called_connection),
            },
            guards=[guard],
            middleware=[bounded_bodies(self._connectors)],
            exception_handlers={
                Refusal: answer_refusal,
                ValidationException: answer_invalid_parameter,
                Exception: answer_unexpected(self._report),
            },
            type_encoders={Secret: mask_secret},
            cache_control=CacheControlHeader(no_store=True),
            include_in_schema=in_document,
            dto=None,
            return_dto=None,
        )

    def _report(self, error: Exception) -> RouteFailed:
        return self._connectors.report_route_failure(error, where="a route of the plugin")

    def _document_webhooks(self, app_config: AppConfig) -> None:
        """Tells Litestar's document of routes that it does not serve itself."""
        path = join_paths([app_config.path or "/", self._path])
        for plugin in app_config.plugins:
            if isinstance(plugin, ReceiveRoutePlugin):
                for route in documented_routes(path, self._connectors.webhooks()):
                    plugin.receive_route(route)
