"""`demo`: builds an application on loopback and runs the demo's steps on it."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from igniter_connectors import ConnectorManager, Keyring, OAuthProvider, value_or_raise
from igniter_connectors.adapters.httpx_client import HttpxClient
from igniter_connectors.adapters.memory.store import MemoryStore
from igniter_connectors.cli import demo_steps as steps
from igniter_connectors.cli.demo_connectors import Drive, Organization, bot, drive
from igniter_connectors.cli.demo_output import StepPrinter
from igniter_connectors.cli.demo_server import listen_on_loopback, serve_routes
from igniter_connectors.cli.real_provider import RealProvider, authorize_in_browser, discover
from igniter_connectors.testing.clock import ManualClock
from igniter_connectors.testing.provider import FakeOAuthProvider, running_provider


async def run_demo(real: RealProvider | None, port: int, *, as_json: bool) -> None:
    """Runs every step and prints it.

    Args:
        real: The provider for the OAuth steps; None starts a fake one on loopback.
        port: Where the routes are served; 0 picks a free port.
        as_json: Print JSON lines instead of text.

    Raises:
        DemoFailed: a check failed, or the port is in use.
        ConnectorError: the real provider's metadata cannot be fetched or is invalid.
    """
    printer = StepPrinter(as_json=as_json)
    listener = listen_on_loopback(port)
    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with running_provider() as fake:
        if real is None:
            provider = _provider_of(fake)
        else:
            http = HttpxClient(logger=_silent_logger())
            provider = await discover(real, http)
            await http.close()
        clock = ManualClock(datetime.now(UTC))
        store = MemoryStore(clock=clock)
        drive_connector = drive(provider)
        connectors = (
            ConnectorManager.create()
            .with_database(store)
            .with_encryption(Keyring.from_secret(Keyring.generate()))
            .with_base_url(origin)
            .with_clock(clock)
            .with_logger(_silent_logger())
            .add_scope(Organization)
            .add_connector(bot)
            .add_connector(drive_connector)
            .build()
        )
        tenant = connectors.scope(steps.ACME)
        async with serve_routes(connectors, listener, steps.ACME):
            await steps.connect_bot(printer, tenant.at(bot), store)
            at_drive = tenant.at(drive_connector)
            request = value_or_raise(
                await at_drive.authorize(Drive(), subject="you", return_to="/")
            )
            if real is None:
                await steps.authorize(printer, request)
                await steps.refresh_once(printer, at_drive, fake, clock)
            else:
                userinfo_url = provider.userinfo_url or ""
                await authorize_in_browser(printer, connectors, at_drive, request, userinfo_url)
            await steps.receive_webhook(printer, connectors, clock)
            await steps.isolate_tenants(printer, connectors, drive_connector)
    printer.step("Done: every step passed its checks")


def _provider_of(fake: FakeOAuthProvider) -> OAuthProvider:
    return OAuthProvider(
        authorization_url=fake.authorization_url,
        token_url=fake.token_url,
        userinfo_url=fake.userinfo_url,
        client_id=fake.client_id,
        client_secret=fake.client_secret,
    )


def _silent_logger() -> logging.Logger:
    """Drops the library's log, so that the refused webhook does not appear between the steps."""
    logger = logging.getLogger("igniter_connectors.demo")
    logger.propagate = False
    logger.addHandler(logging.NullHandler())
    return logger
