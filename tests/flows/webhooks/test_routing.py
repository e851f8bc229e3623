"""Routing: one URL and one secret for the application, and the body names the tenants."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from returns.result import Result, Success

from igniter_connectors import (
    AtConfig,
    Connector,
    ConnectorManager,
    Connectors,
    Event,
    HttpResponse,
    MemoryStore,
    PostgresStore,
    Secret,
    SQLiteStore,
    Webhook,
    WebhookCall,
    WebhookFailed,
    WrongWiring,
    value_or_raise,
)
from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.events import WebhookReceived, WebhookUnrouted
from igniter_connectors.problems import AlreadyConnected, ConfigInvalid, Conflict, NotConnected
from igniter_connectors.stores import Store
from igniter_connectors.testing import sign_webhook
from igniter_connectors.webhooks import StandardWebhooks, WebhookEndpoint, WrongRoute
from tests.sample import CANARY, KEYRING, Organization

SECRETS = (Secret("whsec_" + "QUJD" * 8), Secret("whsec_" + "REVG" * 8))


class Chat(msgspec.Struct, frozen=True):
    """The config: which team at the provider."""

    token: Secret
    team: str


class Said(msgspec.Struct, frozen=True):
    """The payload: one team or several."""

    teams: list[str]
    text: str


Call = WebhookCall[Chat, object, Said]


@dataclass
class Office:
    """A running manager, and the calls of its handler."""

    connectors: Connectors[Chat, Organization]
    chat: Any
    url: str
    calls: list[Call]
    events: list[Event]

    def at(self, tenant: str) -> AtConfig[Chat, Any]:
        """A tenant's connection."""
        found: AtConfig[Chat, Any] = self.connectors.scope(Organization(tenant)).at(self.chat)
        return found

    async def connect(self, tenant: str, team: str) -> None:
        """Connects it."""
        value_or_raise(await self.at(tenant).connect(Chat(Secret(CANARY), team)))

    async def post(
        self, *teams: str, id: str = "msg_1", secret: Secret = SECRETS[0]
    ) -> HttpResponse:
        """Posts a signed event and returns the response."""
        body = msgspec.json.encode(Said(list(teams), "hi"))
        endpoint = WebhookEndpoint("", Secret(self.url), secret)
        request = sign_webhook(
            StandardWebhooks(), endpoint, body, now=datetime.now(UTC), event_id=id
        )
        answer = await self.connectors.handle(request)
        await self.connectors.settled()
        return answer

    def heard(self) -> list[str]:
        """The tenants whose handlers ran, sorted."""
        return sorted(call.tenant.identity for call in self.calls)


@asynccontextmanager
async def office(store: Store) -> AsyncGenerator[Office, None]:
    calls: list[Call] = []

    async def hear(call: Call) -> Result[None, WebhookFailed]:
        calls.append(call)
        return Success(None)

    def route(said: Said) -> tuple[str, ...]:
        if "raise" in said.teams:
            raise RuntimeError("no such team")
        return tuple(said.teams)

    def account_of(config: Chat) -> str:
        if config.team == "raise":
            raise RuntimeError(config.token.reveal())
        return config.team

    webhook = Webhook(
        payload=Said,
        verification=StandardWebhooks(),
        handler=hear,
        route=route,
        application_secrets=SECRETS,
        account_of=account_of,
    )
    chat = Connector.create("chat").with_config(Chat).with_webhook(webhook).build()
    connectors = (
        ConnectorManager.create()
        .with_database(store)
        .with_encryption(KEYRING)
        .with_base_url("https://app.example.com")
        .add_scope(Organization)
        .add_connector(chat)
        .build()
    )
    events: list[Event] = []

    async def note(event: Event) -> None:
        events.append(event)

    connectors.subscribe(note)
    async with connectors:
        yield Office(connectors, chat, connectors.application_webhook_url(chat), calls, events)


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    match request.param:
        case "memory":
            return MemoryStore()
        case "sqlite":
            return SQLiteStore(tmp_path / "c.db")
        case _:
            url = str(request.getfixturevalue("database_url"))
            return PostgresStore(url, deadline=timedelta(seconds=5))


async def test_an_event_reaches_the_tenants_that_its_body_names(store: Store) -> None:
    """Each tenant has its own row and config. A duplicate is handled by nobody."""
    async with office(store) as room:
        for tenant, team in (("acme", "T1"), ("brand", "T1"), ("rival", "T2")):
            await room.connect(tenant, team)
        assert room.url == "https://app.example.com/webhooks/chat"
        for _ in range(2):
            assert (await room.post("T1")).status == 204
        assert room.heard() == ["acme", "brand"]
        assert (await room.post("T1", "T2", "T2", id="msg_2")).status == 204
        assert room.heard() == ["acme", "acme", "brand", "brand", "rival"]
        for tenant, count in (("acme", 2), ("rival", 1)):
            page = value_or_raise(await room.at(tenant).webhooks.list())
            assert [one.state for one in page.items] == ["done"] * count


async def test_only_the_applications_secrets_verify(store: Store) -> None:
    """Each of them does, and the check comes before any look-up."""
    async with office(store) as room:
        await room.connect("acme", "T1")
        assert (await room.post("T1", secret=SECRETS[1])).status == 204
        assert (await room.post("T1", secret=Secret("whsec_" + "R0hJ" * 8))).status == 401
        assert room.heard() == ["acme"]


async def test_an_unrouted_event_is_acknowledged_counted_and_not_stored(store: Store) -> None:
    """Its team is unknown, was disconnected, or cannot be stored."""
    async with office(store) as room:
        await room.connect("acme", "T1")
        value_or_raise(await room.at("acme").disconnect())
        for number, team in enumerate(("T1", "T2", "", "x" * 256, "\x00")):
            assert (await room.post(team, id=f"id-{number}")).status == 204
        assert (room.heard(), sum(isinstance(e, WebhookReceived) for e in room.events)) == ([], 0)
        unrouted = [event for event in room.events if isinstance(event, WebhookUnrouted)]
        assert [event.event_id for event in unrouted] == [f"id-{number}" for number in range(5)]


async def test_a_changed_account_changes_the_route(store: Store) -> None:
    """From the update on, the new account's events arrive, and the old one's do not."""
    async with office(store) as room:
        await room.connect("acme", "T1")
        value_or_raise(await room.at("acme").update(Chat(Secret(CANARY), "T2")))
        await room.post("T1", id="1")
        assert room.heard() == []
        await room.post("T2", id="2")
        assert room.heard() == ["acme"]


async def routed(store: Store, *teams: str) -> dict[str, list[str]]:
    """The tenants that each team's events reach."""
    found = {team: await store.routing.find_by_account("chat", team) for team in teams}
    return {team: sorted(one.key.identity for one in rows) for team, rows in found.items()}


async def test_updates_at_once_leave_the_route_of_the_stored_config(store: Store) -> None:
    """Of several concurrent updates one is stored; its team routes here, and no other does."""
    async with office(store) as room:
        for turn in range(12):
            tenant, teams = f"t{turn}", [f"T{turn}-{number}" for number in range(4)]
            await room.connect(tenant, teams[0])

            async def move(tenant: str, team: str, delay: float) -> None:
                await asyncio.sleep(delay)
                await room.at(tenant).update(Chat(Secret(CANARY), team))

            moves = zip(teams, (0, turn * 0.001, 0, turn * 0.0005), strict=True)
            await asyncio.gather(*(move(tenant, team, delay) for team, delay in moves))
            stored = value_or_raise(await room.at(tenant).get()).config.team
            expected = {team: [tenant] if team == stored else [] for team in teams}
            assert await routed(store, *teams) == expected


async def test_concurrent_tenants_of_one_account_each_get_its_events(store: Store) -> None:
    """They connect at once, and one that leaves takes nothing from the other."""
    async with office(store) as room:
        await asyncio.gather(*(room.connect(tenant, "T1") for tenant in ("acme", "brand")))
        assert await routed(store, "T1") == {"T1": ["acme", "brand"]}
        value_or_raise(await room.at("acme").disconnect())
        await room.post("T1")
        assert room.heard() == ["brand"]


async def test_a_refused_call_changes_no_route(store: Store) -> None:
    """Connecting twice, an old version, and a switch leave config and route as they were."""
    async with office(store) as room:
        await room.connect("acme", "T1")
        at = room.at("acme")
        assert isinstance(
            (await at.connect(Chat(Secret(CANARY), "T2"))).failure(), AlreadyConnected
        )
        refused = await at.update(Chat(Secret(CANARY), "T3"), version=9)
        assert isinstance(refused.failure(), Conflict)
        value_or_raise(await at.disable())
        value_or_raise(await at.enable())
        assert value_or_raise(await at.get()).config.team == "T1"
        assert await routed(store, "T1", "T2", "T3") == {"T1": ["acme"], "T2": [], "T3": []}


@pytest.mark.parametrize("team", ["raise", "x" * 256, "\x00"])
async def test_a_config_whose_account_is_not_known_is_refused(store: Store, team: str) -> None:
    """`account_of` raises or returns what cannot be stored; config and route stay."""
    async with office(store) as room:
        await room.connect("acme", "T1")
        config = Chat(Secret(CANARY), team)
        for refused in (await room.at("acme").update(config), await room.at("b").connect(config)):
            assert isinstance(refused.failure(), ConfigInvalid)
            assert CANARY not in refused.failure().message
        assert isinstance((await room.at("b").get()).failure(), NotConnected)
        assert value_or_raise(await room.at("acme").get()).config.team == "T1"
        assert await routed(store, "T1") == {"T1": ["acme"]}


async def test_wrong_routes_are_found_and_repaired(store: Store) -> None:
    """Rows without an account, or with another one, of any tenant; the rest stay."""
    async with office(store) as room:
        for number in range(3):
            await room.connect(f"t{number}", f"T{number}")
        await room.connect("none", "")
        for number, stale in ((0, None), (1, "T9")):
            row = await store.find(ConnectionKey("organization", f"t{number}", "chat"))
            assert row is not None
            assert await store.routing.correct_account(
                row.key, row=row.id, version=row.version, account=stale
            )
        expected = tuple(
            WrongRoute("organization", f"t{number}", "chat", "default", stale, f"T{number}")
            for number, stale in ((0, None), (1, "T9"))
        )
        assert value_or_raise(await room.connectors.check_webhook_routes()) == expected
        assert await routed(store, "T0", "T9") == {"T0": [], "T9": ["t1"]}
        assert value_or_raise(await room.connectors.repair_webhook_routes()) == expected
        assert value_or_raise(await room.connectors.check_webhook_routes()) == ()
        teams = {"T0": ["t0"], "T1": ["t1"], "T2": ["t2"], "T9": []}
        assert await routed(store, *teams) == teams


async def test_a_route_that_raises_is_not_acknowledged(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """The provider gets a 503 and retries. The exception is logged."""
    async with office(store) as room:
        assert (await room.post("raise")).status == 503
    assert "chat: route raised RuntimeError" in caplog.text


async def test_events_of_a_disabled_tenant_are_held_and_the_others_handled(store: Store) -> None:
    """As at an endpoint of the connection."""
    async with office(store) as room:
        for tenant in ("acme", "brand"):
            await room.connect(tenant, "T1")
        value_or_raise(await room.at("acme").disable())
        assert (await room.post("T1")).status == 204
        assert room.heard() == ["brand"]
        value_or_raise(await room.at("acme").enable())
        await room.connectors.settled()
        assert room.heard() == ["acme", "brand"]


async def test_an_application_url_needs_a_route() -> None:
    """Without a route the URL returns 404, and `application_webhook_url` raises."""
    webhook = Webhook(payload=Said, verification=StandardWebhooks(), handler=never)
    plain = Connector.create("chat").with_config(Chat).with_webhook(webhook).build()
    connectors = (
        ConnectorManager.create()
        .with_database(MemoryStore())
        .with_encryption(KEYRING)
        .with_base_url("https://app.example.com")
        .add_scope(Organization)
        .add_connector(plain)
        .build()
    )
    async with connectors:
        endpoint = WebhookEndpoint("", Secret("https://app.example.com/webhooks/chat"), SECRETS[0])
        request = sign_webhook(StandardWebhooks(), endpoint, b"{}", now=datetime.now(UTC))
        assert (await connectors.handle(request)).status == 404
        with pytest.raises(WrongWiring, match="no webhook with a route"):
            connectors.application_webhook_url(plain)


async def never(_: Call) -> Result[None, WebhookFailed]:
    raise AssertionError("no event should be handled")
