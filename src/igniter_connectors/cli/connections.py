"""`connections list`, `explain` and `disconnect`."""

from __future__ import annotations

from typing import Never

from igniter_connectors.cli.application import AtAnyConnector, run_at_connector, run_for_tenant
from igniter_connectors.cli.output import print_json, print_line
from igniter_connectors.core.pagination import MAX_PAGE_SIZE
from igniter_connectors.core.problem import value_or_raise
from igniter_connectors.manager.scoped import Scoped


def list_connections(app: str, tenant: str, *, as_json: bool) -> None:
    """Prints every connection of a tenant, one per line."""

    async def run(scoped: Scoped[Never]) -> None:
        cursor: str | None = None
        while True:
            page = value_or_raise(await scoped.list(limit=MAX_PAGE_SIZE, after=cursor))
            for connection in page.items:
                if as_json:
                    print_json(connection)
                else:
                    columns = f"{connection.connector:<24} {connection.account:<16}"
                    print_line(f"{columns} {connection.health}")
            cursor = page.next
            if cursor is None:
                return

    run_for_tenant(app, tenant, run)


def explain(app: str, tenant: str, connector: str, account: str, *, as_json: bool) -> None:
    """Prints the state of a connection, its cause, and the remedy."""

    async def run(at: AtAnyConnector) -> None:
        explanation = value_or_raise(await at.explain())
        if as_json:
            print_json(explanation)
            return
        retry_at = explanation.retry_at
        later = f" ({retry_at:%Y-%m-%d %H:%M:%S} UTC)" if retry_at else ""
        cause = f"{explanation.state}: {explanation.because}."
        print_line(f"{cause} What to do: {explanation.remedy}{later}")

    run_at_connector(app, tenant, connector, account, run)


def disconnect(app: str, tenant: str, connector: str, account: str) -> None:
    """Deletes a connection."""

    async def run(at: AtAnyConnector) -> None:
        value_or_raise(await at.disconnect())
        print_line(f"{connector} ({account}) is disconnected")

    run_at_connector(app, tenant, connector, account, run)
