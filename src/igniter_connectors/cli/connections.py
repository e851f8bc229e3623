"""`connections list`, `explain` and `disconnect`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Never

import click
import msgspec

from igniter_connectors.cli.application import load_application
from igniter_connectors.core.pagination import LARGEST_PAGE
from igniter_connectors.core.problem import value_or_raise
from igniter_connectors.manager.at import AtConfig
from igniter_connectors.manager.at_oauth import AtOAuth
from igniter_connectors.manager.scoped import Scoped

FoundAt = AtConfig[Any, Any] | AtOAuth[Any, Any]
"""A connection of whatever connector was named."""


def list_all(app: str, tenant: str, *, as_json: bool) -> None:
    """Prints each connection of a tenant."""

    async def work(scoped: Scoped[Never]) -> None:
        cursor: str | None = None
        while True:
            page = value_or_raise(await scoped.list(limit=LARGEST_PAGE, after=cursor))
            for one in page.items:
                if as_json:
                    click.echo(msgspec.json.encode(one))
                else:
                    click.echo(f"{one.connector:<24} {one.account:<16} {one.health}")
            cursor = page.next
            if cursor is None:
                return

    _run(app, tenant, work)


def explain(app: str, tenant: str, connector: str, account: str, *, as_json: bool) -> None:
    """Prints what state a connection is in."""

    async def work(at: FoundAt) -> None:
        told = value_or_raise(await at.explain())
        if as_json:
            click.echo(msgspec.json.encode(told))
        else:
            later = f" ({told.retry_at:%Y-%m-%d %H:%M:%S} UTC)" if told.retry_at else ""
            click.echo(f"{told.state}: {told.because}. What to do: {told.remedy}{later}")

    run_at(app, tenant, connector, account, work)


def disconnect(app: str, tenant: str, connector: str, account: str) -> None:
    """Takes a connection away."""

    async def work(at: FoundAt) -> None:
        value_or_raise(await at.disconnect())
        click.echo(f"{connector} ({account}) is disconnected")

    run_at(app, tenant, connector, account, work)


def _run(app: str, tenant: str, work: Callable[[Scoped[Never]], Awaitable[None]]) -> None:
    kind, _, identity = tenant.partition(":")
    connectors = load_application(app)

    async def opened() -> None:
        async with connectors.without_delivery():
            await work(value_or_raise(connectors.tenant(kind, identity)))

    asyncio.run(opened())


def run_at(
    app: str, tenant: str, connector: str, account: str, work: Callable[[FoundAt], Awaitable[None]]
) -> None:
    """Does something with one connection of an application's, which handles no webhooks here."""
    connectors = load_application(app)

    async def found(scoped: Scoped[Never]) -> None:
        at = scoped.at(value_or_raise(connectors.find(connector)), account=account)
        await work(at)

    _run(app, tenant, found)
