"""`igniter-connectors`: what it can be told, and how it ends.

Nothing heavy is imported before a command needs it, so that `--help` answers at once.
"""

from __future__ import annotations

import sys
from typing import NoReturn

import click

FAILED = 1
"""Exit status where an operation did not succeed; 2 is click's, for a wrong command line."""


class Commands(click.Group):
    """Ends a command in one line, where the library says that something is wired wrongly."""

    def invoke(self, ctx: click.Context) -> object:
        """Runs the command."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            from igniter_connectors.core.problem import ConnectorError
            from igniter_connectors.ports import StoreUnavailable

            if isinstance(error, ConnectorError):
                fail(error.problem.message)
            if isinstance(error, StoreUnavailable):
                fail(error.reason)
            if isinstance(error, ImportError) and error.name in ("litestar", "uvicorn"):
                fail("this needs the web extra: pip install 'igniter-connectors[web]'")
            raise


def fail(line: str) -> NoReturn:
    """Says what is wrong in one line, and ends."""
    click.echo(f"igniter-connectors: {line}", err=True)
    sys.exit(FAILED)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="igniter-connectors")
def main() -> None:
    """Typed, multi-tenant connections to third-party services.

    `demo` needs nothing. Commands about connections take your application's manager:
    --app package.module:connectors, or the same in IGNITER_APP.
    """


@main.command("generate-secret")
def generate_secret() -> None:
    """Print a new random secret, for IGNITER_SECRET."""
    from igniter_connectors.core.sealing.key_rotation import Keyring

    click.echo(Keyring.generate().reveal())


@main.command()
@click.option("--issuer", help="An OpenID provider to authorize at, instead of the scripted one.")
@click.option("--client-id", help="The client registered there.")
@click.option("--client-secret", help="Its secret; leave it out for a public client.")
@click.option("--scope", "scopes", multiple=True, default=("openid",), help="What to ask for.")
@click.option(
    "--port",
    default=0,
    show_default="any that is free",
    type=click.IntRange(0, 65535),
    help="Where to serve on loopback. A real provider wants a fixed one registered.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a step.")
def demo(
    issuer: str | None,
    client_id: str | None,
    client_secret: str | None,
    scopes: tuple[str, ...],
    port: int,
    as_json: bool,
) -> None:
    """Show the main job on loopback, each step checking itself.

    With --issuer, register http://127.0.0.1:PORT/connectors/drive/oauth/callback as the
    client's redirect URI first, and give that PORT.
    """
    if (issuer is None) != (client_id is None):
        raise click.UsageError("--issuer and --client-id go together")
    import asyncio

    from igniter_connectors.cli.demo import DemoFailed, run_demo
    from igniter_connectors.cli.real_provider import RealProvider

    real = (
        None
        if issuer is None or client_id is None
        else RealProvider(issuer, client_id, client_secret, scopes)
    )
    try:
        asyncio.run(run_demo(real, port, as_json=as_json))
    except DemoFailed as error:
        fail(str(error))


@main.command()
@click.option("--plan", "only_plan", is_flag=True, help="Say what would be done, and do nothing.")
def migrate(only_plan: bool) -> None:
    """Bring the schema of DATABASE_URL up to date.

    Safe from several processes at once. A SQLite file needs none: it is brought up to date
    when it is opened.
    """
    from igniter_connectors.cli.migrate import migrate_database

    migrate_database(only_plan=only_plan)


@main.command()
@click.option("--app", envvar="IGNITER_APP", required=True, help="package.module:connectors")
@click.option("--once", "only_once", is_flag=True, help="End as soon as nothing is due.")
@click.option(
    "--handlers",
    default=128,
    show_default=True,
    type=click.IntRange(1, 10_000),
    help="How many webhooks are handled at once.",
)
@click.option(
    "--renew-every",
    default=300.0,
    show_default=True,
    type=click.FloatRange(1, 86_400),
    help="Seconds between looks for tokens that would lapse, a quarter more or less.",
)
@click.option(
    "--tell-every",
    default=10.0,
    show_default=True,
    type=click.FloatRange(0.1, 86_400),
    help="Seconds between lines that say what was done; none where nothing was.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def worker(
    app: str,
    only_once: bool,
    handlers: int,
    renew_every: float,
    tell_every: float,
    as_json: bool,
) -> None:
    """Handle webhooks, renew tokens before they lapse, revoke and purge, until told to stop.

    Any number may run on one database. SIGINT and SIGTERM let what runs end first; a second
    one does not.
    """
    from igniter_connectors.cli.worker import work

    work(app, handlers, renew_every, tell_every, only_once=only_once, as_json=as_json)


@main.group()
def connections() -> None:
    """Look at tenants' connections, and end them."""


_app = click.option("--app", envvar="IGNITER_APP", required=True, help="package.module:connectors")
_tenant = click.argument("tenant", metavar="KIND:IDENTITY")
_json = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
_account = click.option("--account", default="default", show_default=True)


@connections.command("list")
@_app
@_tenant
@_json
def list_connections(app: str, tenant: str, as_json: bool) -> None:
    """List a tenant's connections, secrets masked."""
    from igniter_connectors.cli import connections as commands

    commands.list_all(app, tenant, as_json=as_json)


@connections.command("explain")
@_app
@_tenant
@click.argument("connector")
@_account
@_json
def explain(app: str, tenant: str, connector: str, account: str, as_json: bool) -> None:
    """Say why a connection works or not, and what to do."""
    from igniter_connectors.cli import connections as commands

    commands.explain(app, tenant, connector, account, as_json=as_json)


@connections.command("disconnect")
@_app
@_tenant
@click.argument("connector")
@_account
@click.confirmation_option(prompt="Delete the connection, its secrets and webhooks?")
def disconnect(app: str, tenant: str, connector: str, account: str) -> None:
    """Take a connection away: config, tokens, webhook endpoints."""
    from igniter_connectors.cli import connections as commands

    commands.disconnect(app, tenant, connector, account)


@main.group()
def webhooks() -> None:
    """Look at what came in at a connection's webhooks, and have it handled once more."""


_connector = click.argument("connector")
_event = click.argument("event", metavar="EVENT_ID")


@webhooks.command("list")
@_app
@_tenant
@_connector
@_account
@click.option(
    "--state",
    type=click.Choice(["pending", "held", "done", "dead"]),
    help="Events in this state alone.",
)
@_json
def list_webhooks(
    app: str, tenant: str, connector: str, account: str, state: str | None, as_json: bool
) -> None:
    """List a connection's webhook events, the latest first."""
    from igniter_connectors.cli import webhooks as commands

    commands.list_all(app, tenant, connector, account, state, as_json=as_json)


@webhooks.command("show")
@_app
@_tenant
@_connector
@_event
@_account
@click.option("--body", "with_body", is_flag=True, help="The body too: a tenant's data.")
@_json
def show_webhook(
    app: str,
    tenant: str,
    connector: str,
    event: str,
    account: str,
    with_body: bool,
    as_json: bool,
) -> None:
    """Show one webhook event."""
    from igniter_connectors.cli import webhooks as commands

    commands.show(app, tenant, connector, account, event, with_body=with_body, as_json=as_json)


@webhooks.command("replay")
@_app
@_tenant
@_connector
@_event
@_account
@click.option("--dry-run", is_flag=True, help="Say whether it could be, and do nothing.")
@_json
def replay_webhook(
    app: str,
    tenant: str,
    connector: str,
    event: str,
    account: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Have a webhook event handled once more, by the application's own processes."""
    from igniter_connectors.cli import webhooks as commands

    commands.replay(app, tenant, connector, account, event, only_check=dry_run, as_json=as_json)
