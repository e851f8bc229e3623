"""The root command `igniter-connectors`, its plain commands, and how errors are reported.

Each command imports its implementation when it runs, so that `--help` stays fast.
"""

from __future__ import annotations

import sys
from typing import NoReturn

import click

from igniter_connectors.cli.tenant_commands import app_option, connections, webhooks

EXIT_FAILED = 1
"""Exit status of an operation that failed. Click exits with 2 for wrong arguments."""


class CommandGroup(click.Group):
    """Prints an error of the library as one line instead of a traceback."""

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
                fail("this command needs the web extra: pip install 'igniter-connectors[web]'")
            raise


def fail(message: str) -> NoReturn:
    """Prints one line to standard error and exits with `EXIT_FAILED`."""
    from igniter_connectors.cli.output import print_line

    print_line(f"igniter-connectors: {message}", to_stderr=True)
    sys.exit(EXIT_FAILED)


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="igniter-connectors")
def main() -> None:
    """Typed, multi-tenant connections to third-party services.

    `demo` needs no set-up. Commands that work with your application need its built
    manager: pass --app package.module:connectors, or set IGNITER_APP.
    """


main.add_command(connections)
main.add_command(webhooks)


@main.command("generate-secret")
def generate_secret() -> None:
    """Print a new random secret for IGNITER_SECRET."""
    from igniter_connectors.core.sealing.key_rotation import Keyring

    click.echo(Keyring.generate().reveal())


@main.command()
@click.option("--issuer", help="Use this OpenID provider instead of the built-in fake one.")
@click.option("--client-id", help="Client ID that you registered at the provider.")
@click.option("--client-secret", help="Client secret. Omit it for a public client.")
@click.option("--scope", "scopes", multiple=True, default=("openid",), help="OAuth scope to use.")
@click.option(
    "--port",
    default=0,
    show_default="any free port",
    type=click.IntRange(0, 65535),
    help="Loopback port to serve on. A real provider needs a fixed, registered one.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per step.")
def demo(
    issuer: str | None,
    client_id: str | None,
    client_secret: str | None,
    scopes: tuple[str, ...],
    port: int,
    as_json: bool,
) -> None:
    """Run the main features on loopback, and check every step.

    With --issuer, first register http://127.0.0.1:PORT/connectors/drive/oauth/callback
    as a redirect URI of your client. Then pass the same PORT to --port.
    """
    if (issuer is None) != (client_id is None):
        raise click.UsageError("--issuer and --client-id must be given together")
    import asyncio

    from igniter_connectors.cli.demo import run_demo
    from igniter_connectors.cli.demo_output import DemoFailed
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
@click.option("--plan", "only_plan", is_flag=True, help="Print the migrations, but run none.")
def migrate(only_plan: bool) -> None:
    """Apply the missing migrations to the database at DATABASE_URL.

    Several processes can run this at the same time. A SQLite database needs no migration
    command: its schema is updated when the file is opened.
    """
    from igniter_connectors.cli.migrate import migrate_database

    migrate_database(only_plan=only_plan)


@main.command()
@app_option
@click.option("--once", "only_once", is_flag=True, help="Exit as soon as no work is due.")
@click.option(
    "--handlers",
    default=128,
    show_default=True,
    type=click.IntRange(1, 10_000),
    help="Maximum number of webhooks handled at the same time.",
)
@click.option(
    "--renew-every",
    default=300.0,
    show_default=True,
    type=click.FloatRange(1, 86_400),
    help="Seconds between searches for grants that expire soon, with up to 25 % jitter.",
)
@click.option(
    "--report-every",
    default=10.0,
    show_default=True,
    type=click.FloatRange(0.1, 86_400),
    help="Seconds between progress lines. No line is printed if nothing was done.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
def worker(
    app: str,
    only_once: bool,
    handlers: int,
    renew_every: float,
    report_every: float,
    as_json: bool,
) -> None:
    """Handle webhooks, renew grants, revoke tokens and purge old events.

    Any number of workers can share one database. The first SIGINT or SIGTERM lets running
    work finish. The second one stops the process at once.
    """
    from igniter_connectors.cli.worker import run_worker

    run_worker(app, handlers, renew_every, report_every, only_once=only_once, as_json=as_json)
