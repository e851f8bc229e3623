"""Loads the application's manager, and runs an operation on one of its tenants or connections."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any, Never

from igniter_connectors.core.problem import SettingInvalid, WrongWiring, value_or_raise
from igniter_connectors.manager.at import AtConfig
from igniter_connectors.manager.at_oauth import AtOAuth
from igniter_connectors.manager.connectors import Connectors
from igniter_connectors.manager.scoped import Scoped

AtAnyConnector = AtConfig[Any, Any] | AtOAuth[Any, Any]
"""A tenant at the connector whose key the user typed."""


def load_application(name: str) -> Connectors[Any, Any]:
    """The built manager that `package.module:attribute` names.

    Modules are also searched in the working directory.

    Raises:
        WrongWiring: the name is malformed, the module or attribute does not exist, or the
            attribute is not a built manager.
    """
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute:
        raise _invalid("must have the form package.module:connectors")
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        raise _invalid(f"there is no module {error.name!r}") from error
    found = getattr(module, attribute, None)
    if not isinstance(found, Connectors):
        raise _invalid(f"{attribute!r} in {module_name} is not a built manager")
    return found


def run_for_tenant(
    app: str, tenant: str, operation: Callable[[Scoped[Never]], Awaitable[None]]
) -> None:
    """Runs an operation on a tenant of the application. No webhook is handled meanwhile.

    Args:
        app: `package.module:attribute`.
        tenant: `kind:identity`.
        operation: Called with the tenant while the manager is open.

    Raises:
        ConnectorError: no such application or tenant.
    """
    kind, _, identity = tenant.partition(":")
    connectors = load_application(app)

    async def run() -> None:
        async with connectors.without_delivery():
            await operation(value_or_raise(connectors.tenant(kind, identity)))

    asyncio.run(run())


def run_at_connector(
    app: str,
    tenant: str,
    connector: str,
    account: str,
    operation: Callable[[AtAnyConnector], Awaitable[None]],
) -> None:
    """Runs an operation on a tenant's account at one connector. See `run_for_tenant`.

    Raises:
        ConnectorError: no such application, tenant or connector.
    """
    connectors = load_application(app)

    async def run(scoped: Scoped[Never]) -> None:
        at = scoped.at(value_or_raise(connectors.find(connector)), account=account)
        await operation(at)

    run_for_tenant(app, tenant, run)


def _invalid(reason: str) -> WrongWiring:
    return WrongWiring(SettingInvalid("--app", reason))
