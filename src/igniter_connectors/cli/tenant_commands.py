"""The command groups `connections` and `webhooks`: arguments and help text.

The implementations are in `cli.connections` and `cli.webhooks`. They are imported when a
command runs, so that `--help` stays fast.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

_app = click.option(
    "--app",
    envvar="IGNITER_APP",
    required=True,
    help="The application's built manager, as package.module:connectors.",
)
_tenant = click.argument("tenant", metavar="KIND:IDENTITY")
_connector = click.argument("connector")
_event = click.argument("event", metavar="EVENT_ID")
_account = click.option(
    "--account",
    default="default",
    show_default=True,
    help="Which of the tenant's accounts at this connector.",
)
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")


def app_option(command: Command) -> Command:
    """Adds the option `--app`."""
    return _app(command)


@click.group()
def connections() -> None:
    """List, explain and delete the connections of a tenant."""


@connections.command("list")
@app_option
@_tenant
@_json
def list_connections(app: str, tenant: str, as_json: bool) -> None:
    """List the connections of a tenant. Secrets are masked."""
    from igniter_connectors.cli import connections as implementation

    implementation.list_connections(app, tenant, as_json=as_json)


@connections.command("explain")
@app_option
@_tenant
@_connector
@_account
@_json
def explain(app: str, tenant: str, connector: str, account: str, as_json: bool) -> None:
    """Show whether a connection works, why, and what to do."""
    from igniter_connectors.cli import connections as implementation

    implementation.explain(app, tenant, connector, account, as_json=as_json)


@connections.command("disconnect")
@app_option
@_tenant
@_connector
@_account
@click.confirmation_option(prompt="Delete the connection, its secrets and webhooks?")
def disconnect(app: str, tenant: str, connector: str, account: str) -> None:
    """Delete a connection: its config, tokens and webhook endpoints."""
    from igniter_connectors.cli import connections as implementation

    implementation.disconnect(app, tenant, connector, account)


@click.group()
def webhooks() -> None:
    """List, show and replay the webhook events of a connection, and check routes."""


@webhooks.command("list")
@app_option
@_tenant
@_connector
@_account
@click.option(
    "--state",
    type=click.Choice(["pending", "held", "done", "dead"]),
    help="List only events in this state.",
)
@_json
def list_events(
    app: str, tenant: str, connector: str, account: str, state: str | None, as_json: bool
) -> None:
    """List the webhook events of a connection, newest first."""
    from igniter_connectors.cli import webhooks as implementation

    implementation.list_events(app, tenant, connector, account, state, as_json=as_json)


@webhooks.command("show")
@app_option
@_tenant
@_connector
@_event
@_account
@click.option("--body", "with_body", is_flag=True, help="Print the body too. It is tenant data.")
@_json
def show_event(
    app: str,
    tenant: str,
    connector: str,
    event: str,
    account: str,
    with_body: bool,
    as_json: bool,
) -> None:
    """Show one webhook event."""
    from igniter_connectors.cli import webhooks as implementation

    implementation.show(
        app, tenant, connector, account, event, with_body=with_body, as_json=as_json
    )


@webhooks.command("replay")
@app_option
@_tenant
@_connector
@_event
@_account
@click.option("--dry-run", is_flag=True, help="Only check whether the event can be replayed.")
@_json
def replay_event(
    app: str,
    tenant: str,
    connector: str,
    event: str,
    account: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Queue a webhook event again. The application's processes handle it."""
    from igniter_connectors.cli import webhooks as implementation

    implementation.replay(
        app, tenant, connector, account, event, only_check=dry_run, as_json=as_json
    )


@webhooks.command("check-routes")
@app_option
@click.option("--repair", is_flag=True, help="Store the account that each config names.")
@_json
def check_routes(app: str, repair: bool, as_json: bool) -> None:
    """Find connections that get the webhook events of an account that their config does not name.

    Looks at all tenants. Exits with 1 if there are some and --repair is not given.
    """
    from igniter_connectors.cli import webhooks as implementation

    implementation.check_routes(app, repair=repair, as_json=as_json)
