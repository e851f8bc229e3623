"""Subscribers do not stand in anybody's way."""

from __future__ import annotations

import asyncio
import logging

import pytest

from igniter_connectors import ConnectorManager, MemoryStore, value_or_raise
from igniter_connectors.core.event import Connected, Disconnected, Event
from igniter_connectors.core.problem import WrongWiring
from igniter_connectors.flows import event_bus as announce
from tests.sample import CANARY, KEYRING, Organization, bot, config, running_bot

ACME = Organization("acme")


async def test_a_subscriber_that_fails_is_logged_and_the_others_hear(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its text stays out of the log: it may hold anything."""
    heard: list[str] = []

    async def failing(event: Event) -> None:
        raise RuntimeError(CANARY)

    async def hearing(event: Event) -> None:
        heard.append(event.name)

    async with running_bot() as connectors:
        connectors.subscribe(failing)
        connectors.subscribe(hearing)
        at = connectors.scope(ACME).at(bot)
        value_or_raise(await at.connect(config()))
        value_or_raise(await at.disconnect())
    assert heard == ["connector.connected", "connector.disconnected"]
    assert "RuntimeError" in caplog.text
    assert CANARY not in caplog.text


def remember(_event: Event) -> None:
    """No subscriber: it is not async."""


async def test_a_subscriber_that_is_not_async_is_refused_at_once() -> None:
    """At the manager, at a tenant, and while the manager is built."""
    async with running_bot() as connectors:
        for subscribe in (connectors.subscribe, connectors.scope(ACME).subscribe):
            with pytest.raises(WrongWiring, match="the handler of events is not async"):
                subscribe(remember)  # type: ignore[arg-type]  # the misuse
    for kind in (Event, Connected):
        with pytest.raises(WrongWiring, match=f"handler of {kind.__name__} is not async"):
            ConnectorManager.create().on(kind, remember)  # type: ignore[arg-type]  # the misuse


async def test_a_subscriber_that_hangs_holds_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The operation returns, the others hear, the hanging one is cut off."""
    monkeypatch.setattr(announce, "HANDLER_SECONDS", 0.01)
    heard: list[str] = []

    async def hanging(event: Event) -> None:
        await asyncio.sleep(3600)

    async def hearing(event: Event) -> None:
        heard.append(event.name)

    async with running_bot() as connectors:
        connectors.subscribe(hanging)
        connectors.subscribe(hearing)
        async with asyncio.timeout(1):
            value_or_raise(await connectors.scope(ACME).at(bot).connect(config()))
        await asyncio.sleep(0.05)
    assert heard == ["connector.connected"]
    assert "TimeoutError" in caplog.text


async def test_a_subscriber_far_behind_loses_the_newest_and_the_log_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Memory stays bounded."""
    monkeypatch.setattr(announce, "MAX_QUEUED", 2)
    heard: list[str] = []
    gate = asyncio.Event()

    async def slow(event: Event) -> None:
        await gate.wait()
        heard.append(event.name)

    async with running_bot() as connectors:
        connectors.subscribe(slow)
        at = connectors.scope(ACME).at(bot)
        value_or_raise(await at.connect(config()))
        await asyncio.sleep(0)
        for _ in range(3):
            value_or_raise(await at.disable())
        gate.set()
    assert heard == ["connector.connected", "connector.disabled", "connector.disabled"]
    assert "connector.disabled lost" in caplog.text


async def test_hooks_hear_their_kind_alone_and_telemetry_hears_all() -> None:
    """`on_connect`, `on_disconnect`, `on`, and an observer that raises."""
    heard: list[str] = []

    async def connected(event: Connected) -> None:
        heard.append(f"hook {event.connector}")

    async def disconnected(event: Disconnected) -> None:
        heard.append(f"hook {event.identity}")

    class Telemetry:
        def observe(self, event: Event) -> None:
            heard.append(event.name)
            raise RuntimeError

    connectors = (
        ConnectorManager.create()
        .with_database(MemoryStore())
        .with_encryption(KEYRING)
        .with_telemetry(Telemetry())
        .with_logger(logging.getLogger("application"))
        .add_scope(Organization)
        .add_connector(bot)
        .on_connect(connected)
        .on_disconnect(disconnected)
        .build()
    )
    async with connectors:
        at = connectors.scope(ACME).at(bot)
        value_or_raise(await at.connect(config()))
        value_or_raise(await at.disable())
        value_or_raise(await at.disconnect())
    assert sorted(heard) == sorted(
        [
            "connector.connected",
            "connector.disabled",
            "connector.disconnected",
            "hook bot",
            "hook acme",
        ]
    )


async def test_a_tenants_subscriber_hears_no_other_tenant() -> None:
    """Events of others are not offered to it."""
    heard: list[str] = []

    async def hear(event: Event) -> None:
        heard.append(event.identity)

    async with running_bot() as connectors:
        connectors.scope(ACME).subscribe(hear)
        for name in ("acme", "other"):
            value_or_raise(await connectors.scope(Organization(name)).at(bot).connect(config()))
    assert heard == ["acme"]
