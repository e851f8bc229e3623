"""The application that the figures run, kill and stop: an OAuth connector on PostgreSQL.

No part of the library is replaced. Breakpoints wrap the ports from outside.
"""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
from returns.result import Result, Success

from benchmarks.reliability.breakpoints import Breakpoints
from igniter_connectors import (
    ActionCall,
    ActionFailed,
    Connector,
    ConnectorManager,
    Connectors,
    Keyring,
    OAuthConnector,
    OAuthProvider,
    PostgresStore,
    Scope,
    Secret,
    Webhook,
    WebhookCall,
    WebhookFailed,
    action,
)
from igniter_connectors.adapters.httpx_client import HttpxClient
from igniter_connectors.adapters.system import SystemClock
from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.flows.sealing import open_tokens
from igniter_connectors.manager.at_oauth import AtOAuth
from igniter_connectors.webhooks import StandardWebhooks


class Organization(Scope, frozen=True, tag="organization"):
    """A kind of tenant."""


class Drive(msgspec.Struct, frozen=True):
    """Config of the connector: a number that some figures increment."""

    count: int = 0


class Use(msgspec.Struct, frozen=True):
    """Input of the action. It is empty."""


class Note(msgspec.Struct, frozen=True):
    """Payload of the webhook."""

    text: str


@action("use", input=Use, output=str)
async def use(call: ActionCall[Drive, object, Use]) -> Result[str, ActionFailed]:
    """Returns the access token that an action would send."""
    assert call.access_token is not None
    return Success(call.access_token.value.reveal())


async def take_note(call: WebhookCall[Drive, object, Note]) -> Result[None, WebhookFailed]:
    """Does nothing. The figures count the response to the webhook."""
    return Success(None) if call.payload.text else call.failed("an empty note")


@dataclass(frozen=True)
class AppConfig:
    """Start parameters of an application process."""

    database_url: str
    provider_url: str
    client_id: str
    client_secret: str = field(repr=False)
    sealing_secret: str = field(repr=False)
    skew: timedelta = timedelta()
    stop_at: str = ""
    deadline: timedelta = timedelta(seconds=5)
    links: int = 10
    previous_secrets: tuple[str, ...] = field(default=(), repr=False)


class SkewedClock:
    """The host's clock with a constant skew. Durations are correct."""

    def __init__(self, skew: timedelta) -> None:
        self.skew = skew
        self._clock = SystemClock()

    def now(self) -> datetime:
        """The current instant plus the skew."""
        return self._clock.now() + self.skew

    def monotonic(self) -> float:
        """Monotonic seconds, without skew."""
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Sleeps in real time."""
        await self._clock.sleep(seconds)


@dataclass(frozen=True)
class Application:
    """The running application of one process."""

    connectors: Connectors[Drive, Organization]
    drive: OAuthConnector[Drive, None, Drive]
    clock: SkewedClock
    breakpoints: Breakpoints
    warnings: list[str]

    def at(self, tenant: str) -> AtOAuth[Drive, None]:
        """A tenant at the connector."""
        return self.connectors.scope(Organization(tenant)).at(self.drive)

    async def record(self, tenant: str) -> ConnectionRecord:
        """A tenant's row."""
        key = ConnectionKey("organization", tenant, "drive")
        record = await self.connectors.store.find(key)
        assert record is not None
        return record

    def refresh_token(self, record: ConnectionRecord) -> str:
        """The refresh token in a row."""
        tokens = open_tokens(self.connectors._engine, record).unwrap()
        assert tokens.refresh_token is not None
        return tokens.refresh_token.reveal()


class _WarningHandler(logging.Handler):
    """Collects the library's warnings."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Stores one message."""
        self.messages.append(record.getMessage())


@asynccontextmanager
async def opened(config: AppConfig, breakpoints: Breakpoints) -> AsyncGenerator[Application, None]:
    """Opens the application for the block."""
    provider = OAuthProvider(
        authorization_url=f"{config.provider_url}/authorize",
        token_url=f"{config.provider_url}/token",
        client_id=config.client_id,
        client_secret=Secret(config.client_secret),
    )
    webhook = Webhook(payload=Note, verification=StandardWebhooks(), handler=take_note)
    drive = (
        Connector.create("drive")
        .with_config(Drive)
        .add_action(use)
        .with_webhook(webhook)
        .with_oauth(provider)
        .build()
    )
    logger = logging.getLogger("benchmarks.reliability.application")
    warnings = _WarningHandler()
    logger.addHandler(warnings)
    logger.propagate = False
    store = PostgresStore(
        config.database_url, min_size=1, max_size=config.links, deadline=config.deadline
    )
    http = HttpxClient(logger=logger)
    breakpoints.install(store, http)
    clock = SkewedClock(config.skew)
    connectors = (
        ConnectorManager.create()
        .with_database(store)
        .with_encryption(Keyring.from_secret(config.sealing_secret, config.previous_secrets))
        .with_base_url("http://127.0.0.1:1")
        .with_clock(clock)
        .with_http(http)
        .with_logger(logger)
        .add_scope(Organization)
        .add_connector(drive)
        .build()
    )
    async with connectors:
        yield Application(connectors, drive, clock, breakpoints, warnings.messages)
