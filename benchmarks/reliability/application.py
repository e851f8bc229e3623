"""The application whose processes the campaigns run, kill and stop: an OAuth connector on Postgres.

Nothing of the library is replaced. What a campaign has to hold or to hear of it wraps around the
ports from outside, in `steps`.
"""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
from returns.result import Result, Success

from benchmarks.reliability.steps import Steps
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
    """The kind of tenant."""


class Drive(msgspec.Struct, frozen=True):
    """The config: a number that some campaigns count up."""

    count: int = 0


class Use(msgspec.Struct, frozen=True):
    """The action's input: nothing."""


class Note(msgspec.Struct, frozen=True):
    """The webhook's payload."""

    text: str


@action("use", input=Use, output=str)
async def use(call: ActionCall[Drive, object, Use]) -> Result[str, ActionFailed]:
    """The access token that an action would have sent along."""
    assert call.access_token is not None
    return Success(call.access_token.value.reveal())


async def take_note(call: WebhookCall[Drive, object, Note]) -> Result[None, WebhookFailed]:
    """Nothing to do: what is counted is the answer."""
    return Success(None) if call.payload.text else call.failed("an empty note")


@dataclass(frozen=True)
class Setting:
    """What a process of the application is told when it starts."""

    database_url: str
    provider_url: str
    client_id: str
    client_secret: str = field(repr=False)
    sealing_secret: str = field(repr=False)
    skew: timedelta = timedelta()
    stops_at: str = ""
    deadline: timedelta = timedelta(seconds=5)
    links: int = 10


class SkewedClock:
    """The host's clock, wrong by so much; what it measures is right."""

    def __init__(self, skew: timedelta) -> None:
        self.skew = skew
        self._right = SystemClock()

    def now(self) -> datetime:
        """The present instant as a host would have it whose clock is off."""
        return self._right.now() + self.skew

    def monotonic(self) -> float:
        """Seconds since some fixed instant."""
        return self._right.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Waits."""
        await self._right.sleep(seconds)


@dataclass(frozen=True)
class Application:
    """One process's manager, with its ports wrapped."""

    connectors: Connectors[Drive, Organization]
    drive: OAuthConnector[Drive, None, Drive]
    clock: SkewedClock
    steps: Steps
    complaints: list[str]

    def at(self, tenant: str) -> AtOAuth[Drive, None]:
        """A tenant's connection."""
        return self.connectors.scope(Organization(tenant)).at(self.drive)

    async def record(self, tenant: str) -> ConnectionRecord:
        """A tenant's row."""
        key = ConnectionKey("organization", tenant, "drive")
        record = await self.connectors.store.find(key)
        assert record is not None
        return record

    def refresh_token(self, record: ConnectionRecord) -> str:
        """The refresh token that a row holds."""
        tokens = open_tokens(self.connectors._engine, record).unwrap()
        assert tokens.refresh_token is not None
        return tokens.refresh_token.reveal()


class _Complaints(logging.Handler):
    """Keeps what the library warns of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps one."""
        self.heard.append(record.getMessage())


@asynccontextmanager
async def opened(setting: Setting, steps: Steps) -> AsyncGenerator[Application, None]:
    """The application, running."""
    provider = OAuthProvider(
        authorization_url=f"{setting.provider_url}/authorize",
        token_url=f"{setting.provider_url}/token",
        client_id=setting.client_id,
        client_secret=Secret(setting.client_secret),
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
    complaints = _Complaints()
    logger.addHandler(complaints)
    logger.propagate = False
    store = PostgresStore(
        setting.database_url, min_size=1, max_size=setting.links, deadline=setting.deadline
    )
    http = HttpxClient(logger=logger)
    steps.stop_in(store, http)
    clock = SkewedClock(setting.skew)
    connectors = (
        ConnectorManager.create()
        .with_database(store)
        .with_encryption(Keyring.from_secret(setting.sealing_secret))
        .with_base_url("http://127.0.0.1:1")
        .with_clock(clock)
        .with_http(http)
        .with_logger(logger)
        .add_scope(Organization)
        .add_connector(drive)
        .build()
    )
    async with connectors:
        yield Application(connectors, drive, clock, steps, complaints.heard)
