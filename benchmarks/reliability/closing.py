"""Closing at any moment: no grant and no webhook is lost, and closing ends.

In each round a manager is closed while callbacks exchange their codes, some of whose callers are
cancelled, while refreshes run, and while handlers run that swallow their cancellation. The next
manager on the same file then finds everything.
"""

import asyncio
import random
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import msgspec
from returns.result import Result, Success

from benchmarks.reliability.figure import Figure
from benchmarks.reliability.oauth_app import Forge, Note, Organization, ping, provider_of
from igniter_connectors import (
    Connector,
    ConnectorManager,
    Connectors,
    HttpRequest,
    Keyring,
    OAuthConnector,
    Principal,
    SQLiteStore,
    Webhook,
    WebhookCall,
    WebhookFailed,
    value_or_raise,
)
from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.flows.sealing import open_tokens
from igniter_connectors.testing import ProviderScript, running_provider, sign_webhook
from igniter_connectors.testing.provider import FakeOAuthProvider
from igniter_connectors.webhooks import DeliveryLimits, StandardWebhooks

ROUNDS = 40
TENANTS = 6
EVENTS = 6
CLOSE_SECONDS = 20.0
LATE_SECONDS = 0.15

_KEYRING = Keyring.from_secret(Keyring.generate())
_SCHEME = StandardWebhooks()


class _Round(msgspec.Struct):
    """What is counted over all rounds."""

    orphans: int = 0
    lost_events: int = 0
    cut_off: int = 0
    refreshes: int = 0
    longest: float = 0.0


async def closing(*, rounds: int = ROUNDS) -> Figure:
    """Closes at random moments and counts what the next manager does not find."""
    counted, chance = _Round(), random.Random(7)  # moments, not secrets
    script = ProviderScript(answer_late_seconds=LATE_SECONDS, access_token_seconds=1)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            async with running_provider(script) as provider:
                store = SQLiteStore(Path(folder) / f"{number}.db")
                await _close_and_reopen(provider, store, counted, chance)
    grants, events = rounds * TENANTS, rounds * EVENTS
    return Figure(
        "closing",
        f"{counted.orphans} of {grants} grants orphaned, {counted.lost_events} of {events} events "
        f"lost, longest {counted.longest:.1f} s, {counted.cut_off} callers cancelled, "
        f"{counted.refreshes} refreshes",
        f"0, 0, at most {CLOSE_SECONDS:.0f} s, some, some",
        counted.orphans == counted.lost_events == 0
        and counted.longest <= CLOSE_SECONDS
        and counted.cut_off > 0
        and counted.refreshes > 0,
    )


async def _close_and_reopen(
    provider: FakeOAuthProvider, store: SQLiteStore, counted: _Round, chance: random.Random
) -> None:
    handled: set[str] = set()
    connectors, connector = _manager(provider, store, handled, is_deaf=True)
    await connectors.__aenter__()
    requests = [await _callback(connectors, connector, number) for number in range(TENANTS)]
    callers = [
        asyncio.create_task(connectors.handle(request, principal=principal))
        for request, principal in requests[: TENANTS // 2]
    ]
    _ = await asyncio.gather(*callers)
    acknowledged = await _post(connectors, connector)
    # Tokens last a second, so that calls refresh.
    await asyncio.sleep(1)
    calls = [
        asyncio.create_task(
            connectors.scope(Organization(f"t{number}")).at(connector).action(ping).call(Note("hi"))
        )
        for number in range(TENANTS // 2)
    ]
    callers = [
        asyncio.create_task(connectors.handle(request, principal=principal))
        for request, principal in requests[TENANTS // 2 :]
    ]
    await asyncio.sleep(chance.uniform(0, 3 * LATE_SECONDS))
    for caller in callers[1:]:
        counted.cut_off += caller.cancel()
    loop = asyncio.get_running_loop()
    began = loop.time()
    await connectors.__aexit__(None, None, None)
    counted.longest = max(counted.longest, loop.time() - began)
    _ = await asyncio.gather(*callers, *calls, return_exceptions=True)

    again, connector = _manager(provider, store, handled, is_deaf=False)
    async with again:
        await again.settled()
        counted.refreshes += sum(len(grant.requests) for grant in provider.grants)
        counted.lost_events += len(acknowledged - handled)
        await again._lifecycle.revocations.settled()
        stored = await _stored_refresh_tokens(again, store)
        counted.orphans += sum(
            not grant.is_revoked and grant.refresh_token not in stored for grant in provider.grants
        )


def _manager(
    provider: FakeOAuthProvider, store: SQLiteStore, handled: set[str], *, is_deaf: bool
) -> tuple[Connectors[Forge, Organization], OAuthConnector[Forge, None, Forge]]:
    async def handle(call: WebhookCall[Forge, object, Note]) -> Result[None, WebhookFailed]:
        while is_deaf and call.payload.text == "deaf":
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                continue
        await asyncio.sleep(0.1)
        handled.add(call.event_id)
        return Success(None)

    connector = (
        Connector.create("forge")
        .with_config(Forge)
        .add_action(ping)
        .with_webhook(Webhook(payload=Note, verification=_SCHEME, handler=handle))
        .with_oauth(provider_of(provider))
        .build()
    )
    connectors = (
        ConnectorManager.create()
        .with_database(store)
        .with_encryption(_KEYRING)
        .with_base_url("http://127.0.0.1:9")
        .with_delivery_limits(DeliveryLimits(stop_within=timedelta(milliseconds=200)))
        .add_scope(Organization)
        .add_connector(connector)
        .build()
    )
    return connectors, connector


async def _callback(
    connectors: Connectors[Forge, Organization],
    connector: OAuthConnector[Forge, None, Forge],
    number: int,
) -> tuple[HttpRequest, Principal]:
    """The request of a browser that comes back from the provider, and who it is."""
    tenant = Organization(f"t{number}")
    at = connectors.scope(tenant).at(connector)
    begun = await at.authorize_without_browser_binding(Forge(), subject=f"s{number}")
    async with httpx.AsyncClient(trust_env=False) as browser:
        answer = await browser.get(value_or_raise(begun).url)
    return HttpRequest("GET", answer.headers["location"]), Principal(tenant, f"s{number}")


async def _post(
    connectors: Connectors[Forge, Organization],
    connector: OAuthConnector[Forge, None, Forge],
) -> set[str]:
    """Delivers events, one of whose handlers does not end. Returns the ids acknowledged."""
    at = connectors.scope(Organization("t0")).at(connector)
    endpoint = value_or_raise(await at.create_webhook())
    acknowledged: set[str] = set()
    for number in range(EVENTS):
        body = msgspec.json.encode(Note("" if number else "deaf"))
        request = sign_webhook(
            _SCHEME, endpoint, body, now=datetime.now(UTC), event_id=f"event_{number}"
        )
        if (await connectors.handle(request)).status == 204:
            acknowledged.add(f"event_{number}")
    return acknowledged


async def _stored_refresh_tokens(
    connectors: Connectors[Forge, Organization], store: SQLiteStore
) -> set[str]:
    found: set[str] = set()
    for number in range(TENANTS):
        key = ConnectionKey("organization", f"t{number}", "forge", "default")
        record = await store.find(key)
        if record is not None:
            tokens = open_tokens(connectors._engine, record).unwrap()
            if tokens.refresh_token is not None:
                found.add(tokens.refresh_token.reveal())
    return found
