"""An OAuth connector at a scripted provider, and an engine around it: no network, no clock."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
from returns.result import Result

from igniter_connectors import (
    Connector,
    MemoryStore,
    OAuthConnector,
    OAuthProvider,
    Principal,
    Secret,
    value_or_raise,
)
from igniter_connectors.adapters.system import SystemEntropy
from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.http.base_url import parse_base_url
from igniter_connectors.core.http.messages import HttpFailed, HttpRequest, HttpResponse
from igniter_connectors.core.problem import Problem
from igniter_connectors.core.sealing.cipher_cache import Ciphers
from igniter_connectors.core.webhook.retry_policy import DeliveryLimits
from igniter_connectors.events import Event
from igniter_connectors.flows.deliveries import Deliveries
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.event_bus import EventBus
from igniter_connectors.flows.oauth import callback, start
from igniter_connectors.flows.oauth.authorize import AuthorizationOptions, authorize
from igniter_connectors.flows.renewals import Renewals
from igniter_connectors.ports import StoreUnavailable
from igniter_connectors.testing import FakeHttp, ManualClock, json_response
from tests.sample import KEYRING, Organization

ACME = Organization("acme")
KEY = ConnectionKey("organization", "acme", "forge", "default")
ADA = Principal(ACME, "ada")
AUTHORIZE = "https://forge.example/authorize"
TOKEN = "https://forge.example/token"
USERINFO = "https://forge.example/userinfo"
REVOKE = "https://forge.example/revoke"


class Team(msgspec.Struct, frozen=True):
    """The tenant's config: one plain field, one secret."""

    name: str = "core"
    hook: Secret = Secret("hook")


PROVIDER = OAuthProvider(
    authorization_url=AUTHORIZE,
    token_url=TOKEN,
    userinfo_url=USERINFO,
    revocation_url=REVOKE,
    client_id="app",
    client_secret=Secret("application's own"),
    oauth_scopes=("read",),
)


class Events:
    """An observer that keeps the events."""

    def __init__(self) -> None:
        self.seen: list[Event] = []

    def observe(self, event: Event) -> None:
        """Keeps the event."""
        self.seen.append(event)

    def names(self) -> list[str]:
        """The names of the events, in order."""
        return [event.name for event in self.seen]


@dataclass
class Forge:
    """The engine, the connector, and the provider's answers by URL: the last one stays."""

    engine: Engine
    connector: OAuthConnector[Team, None, Team]
    clock: ManualClock
    store: MemoryStore
    events: Events
    http: FakeHttp
    answers: dict[str, list[HttpResponse | HttpFailed]] = field(default_factory=dict)

    def sent(self, url: str) -> list[dict[str, list[str]]]:
        """The forms that were sent to a URL."""
        sent = [one for one in self.http.requests if one.url == url]
        return [parse_qs(one.body.decode()) for one in sent]

    async def record(self) -> ConnectionRecord:
        """The row of the connection."""
        record = await self.store.find(KEY)
        assert record is not None
        return record

    async def connect(
        self, options: AuthorizationOptions | None = None, *, key: ConnectionKey = KEY
    ) -> HttpResponse:
        """Authorizes as a browser does; the answer of the callback."""
        request = value_or_raise(
            await authorize(
                self.engine, self.connector, key, Team(), options or AuthorizationOptions("ada")
            )
        )
        cookie, state = await self.open_ticket(request.url)
        return value_or_raise(await self.come_back(state, cookie))

    async def open_ticket(self, url: str) -> tuple[str, str]:
        """Opens the start route; the cookie and the state that the browser gets."""
        opened = value_or_raise(
            await start.start(
                self.engine, "forge", query=urlsplit(url).query, fetch_site=None, principal=ADA
            )
        )
        state = parse_qs(urlsplit(opened.header("location") or "").query)["state"][0]
        return (opened.header("set-cookie") or "").partition(";")[0], state

    async def come_back(
        self, state: str, cookie: str | None, *, who: Principal = ADA
    ) -> Result[HttpResponse, Problem]:
        """The callback of a browser."""
        return await callback.finish(
            self.engine, "forge", query=f"code=c&state={state}", cookies=cookie, principal=who
        )


def forge(provider: OAuthProvider = PROVIDER, /, **changes: Any) -> Forge:
    """A provider that grants `access-1` and `refresh-1` to the account `u1`."""
    described = msgspec.structs.replace(provider, **changes)
    connector = Connector.create("forge").with_config(Team).with_oauth(described).build()
    clock, events = ManualClock(), Events()
    logger = logging.getLogger("tests.flows")
    answers: dict[str, list[HttpResponse | HttpFailed]] = {
        TOKEN: [granted(1)],
        USERINFO: [json_response({"sub": "u1", "name": "Ada"})],
        REVOKE: [json_response({})],
    }

    def respond(request: HttpRequest) -> HttpResponse | HttpFailed:
        left = answers[request.url]
        return left.pop(0) if len(left) > 1 else left[0]

    http, store = FakeHttp(respond), MemoryStore(clock=clock)
    engine = Engine(
        store,
        http,
        clock,
        SystemEntropy(),
        Ciphers(KEYRING),
        EventBus(events, logger),
        Renewals(clock),
        Deliveries(DeliveryLimits(), logger),
        logger,
        connectors={"forge": connector},
        scopes={"organization": Organization},
        base_url=value_or_raise(parse_base_url("https://app.example")),
    )
    return Forge(engine, connector, clock, store, events, http, answers)


def granted(number: int, *, seconds: int = 3600, **more: object) -> HttpResponse:
    """A token response."""
    return json_response(
        {
            "access_token": f"access-{number}",
            "refresh_token": f"refresh-{number}",
            "token_type": "bearer",
            "expires_in": seconds,
            **more,
        }
    )


def refused(error: str, status: int = 400) -> HttpResponse:
    """An OAuth error response."""
    return json_response({"error": error}, status=status)


def an_hour() -> timedelta:
    """Longer than an access token of the provider lives."""
    return timedelta(hours=1, seconds=1)


async def away(*_: object, **__: object) -> Any:
    """A store that does not answer."""
    raise StoreUnavailable("away")
