"""The plugin: routes, lifespan, OpenAPI."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, final

from litestar import Litestar, Router, asgi
from litestar.config.app import AppConfig
from litestar.plugins import InitPlugin

from igniter_connectors.manager.connectors import Connectors
from igniter_connectors.web.catalogue import catalogue
from igniter_connectors.web.connections import connections
from igniter_connectors.web.openapi.describe import describe
from igniter_connectors.web.permissions import Callers, Permit, PrincipalOf
from igniter_connectors.web.webhooks import webhook_mount


@final
class ConnectorsPlugin(InitPlugin):
    """Serves the connectors from a Litestar application, and opens and closes them with it.

    ```python
    app = Litestar(plugins=[ConnectorsPlugin(connectors, principal=who_is_signed_in)])
    ```

    Args:
        connectors: The manager, built with a base URL.
        principal: Who is calling. None is returned for nobody. Without this hook every
            route but the webhooks answers 401.
        permit: May refuse more: given the principal, the operation and the connector's
            key ("" for lists).
        path: Where the routes lie in this application; the base URL's path says where
            they lie for the outside, which a proxy may make another.
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
        self._callers = Callers(connectors, principal, permit)
        self._path = path

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        """Adds the routes and the lifespan."""
        connectors = self._connectors
        mount = asgi(f"{self._path.rstrip('/')}/webhooks", is_mount=True, copy_scope=True)(
            webhook_mount(connectors)
        )
        routes = Router(
            self._path,
            route_handlers=[
                catalogue(connectors, self._callers),
                connections(connectors, self._callers),
            ],
            include_in_schema=False,  # `describe` says what Litestar cannot see
        )

        @asynccontextmanager
        async def lifespan(app: Litestar) -> AsyncGenerator[None, None]:
            if app.openapi_config is not None:
                root = f"{app.path.rstrip('/')}/{self._path.strip('/')}".rstrip("/")
                describe(app.openapi_schema, connectors, root)
            async with connectors:
                yield

        app_config.route_handlers.extend([routes, mount])
        app_config.lifespan.append(lifespan)
        return app_config
