"""What an OAuth connection generates, stores and gives out during its whole life."""

from __future__ import annotations

import gc
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest
from returns.result import Result, Success

from igniter_connectors import (
    ActionCall,
    ActionFailed,
    Connector,
    ConnectorManager,
    Connectors,
    HttpRequest,
    MemoryStore,
    OAuthConnector,
    OAuthProvider,
    Principal,
    Secret,
    Webhook,
    WebhookCall,
    WebhookFailed,
    action,
    mask,
    value_or_raise,
)
from igniter_connectors.adapters.system import SystemEntropy
from igniter_connectors.core.http.base64url import encode_base64url
from igniter_connectors.core.oauth.pkce import challenge_of
from igniter_connectors.testing import (
    FakeOAuthProvider,
    ManualClock,
    running_provider,
    sign_webhook,
)
from igniter_connectors.webhooks import StandardWebhooks
from tests.sample import KEYRING, Organization

ACME = Organization("acme")
ADA = Principal(ACME, "ada")


class Forge(msgspec.Struct, frozen=True):
    """The config: a secret and a plain field."""

    key: Secret
    team: str = "core"


class Nothing(msgspec.Struct, frozen=True):
    """No input."""


class Note(msgspec.Struct, frozen=True):
    """The payload of the webhook."""

    text: str


@action("reachable", input=Nothing, output=list[str])
async def reachable(
    call: ActionCall[Forge, object, Nothing],
) -> Result[list[str], ActionFailed]:
    """Every string and secret that a handler can reach from the arguments of its call."""
    found: list[str] = []
    seen: set[int] = set()
    waiting: list[object] = [call.config, call.access_token, call.context, call.input]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, type):
            continue
        seen.add(id(one))
        if isinstance(one, Secret):
            found.append(one.reveal())
        elif isinstance(one, str):
            found.append(one)
        else:
            waiting += gc.get_referents(one)
    return Success(found)


async def on_note(call: WebhookCall[Forge, object, Note]) -> Result[None, WebhookFailed]:
    """Accepts the event."""
    return Success(None)


class Entropy:
    """The real entropy, which records what it returned."""

    def __init__(self) -> None:
        self.given: list[bytes] = []

    def octets(self, count: int) -> bytes:
        """From the operating system."""
        self.given.append(SystemEntropy().octets(count))
        return self.given[-1]

    def fraction(self) -> float:
        """Random numbers for jitter."""
        return 0.5


class Scene:
    """A manager with a provider; the test acts as the browser."""

    def __init__(
        self,
        connectors: Connectors[Forge, Organization],
        connector: OAuthConnector[Forge, None, Forge],
        provider: FakeOAuthProvider,
        clock: ManualClock,
        entropy: Entropy,
    ) -> None:
        self.connectors = connectors
        self.provider = provider
        self.clock = clock
        self.entropy = entropy
        self.tenant = connectors.scope(ACME)
        self.at = self.tenant.at(connector)
        self.urls: list[str] = []

    async def connect(self, config: Forge) -> None:
        """Completes an authorization."""
        url = value_or_raise(await self.at.authorize(config, subject="ada")).url
        started = await self.connectors.handle(HttpRequest("GET", url), principal=ADA)
        location, cookie = started.header("location") or "", started.header("set-cookie") or ""
        self.urls = [url, location, cookie.partition(";")[0]]
        async with httpx.AsyncClient(trust_env=False) as browser:
            callback = (await browser.get(location)).headers["location"]
        request = HttpRequest("GET", callback, (("Cookie", self.urls[2]),))
        finished = await self.connectors.handle(request, principal=ADA)
        assert finished.header("location") == "/?connected=forge"


@asynccontextmanager
async def scene() -> AsyncGenerator[Scene, None]:
    """One tenant without a connection."""
    clock, entropy = ManualClock(), Entropy()
    async with running_provider() as provider:
        described = OAuthProvider(
            authorization_url=provider.authorization_url,
            token_url=provider.token_url,
            userinfo_url=provider.userinfo_url,
            client_id=provider.client_id,
            client_secret=provider.client_secret,
        )
        connector = (
            Connector.create("forge")
            .with_config(Forge)
            .add_action(reachable)
            .with_webhook(Webhook(payload=Note, verification=StandardWebhooks(), handler=on_note))
            .with_oauth(described)
            .build()
        )
        connectors = (
            ConnectorManager.create()
            .with_database(MemoryStore(clock=clock))
            .with_encryption(KEYRING)
            .with_base_url("http://127.0.0.1:1")
            .with_clock(clock)
            .with_entropy(entropy)
            .add_scope(Organization)
            .add_connector(connector)
            .build()
        )
        async with connectors:
            yield Scene(connectors, connector, provider, clock, entropy)


async def test_ticket_state_nonce_and_verifier_are_256_fresh_bits_each() -> None:
    """Each comes from the entropy port, and no two share bits."""
    async with scene() as made:
        await made.connect(Forge(Secret("k")))
        drawn = [octets for octets in made.entropy.given if len(octets) == 32]
        letters = {encode_base64url(octets) for octets in drawn}
        ticket = parse_qs(urlsplit(made.urls[0]).query)["ticket"][0]
        query = {name: v[0] for name, v in parse_qs(urlsplit(made.urls[1]).query).items()}
        nonce = made.urls[2].partition("=")[2]
        assert {ticket, query["state"], nonce} < letters
        assert query["code_challenge"] in {challenge_of(one) for one in letters}
        before = {*made.entropy.given}
        assert len(before) == len(made.entropy.given)
        await made.connect(Forge(Secret("k")))
        assert len({*made.entropy.given}) == len(made.entropy.given) > len(before)


def test_the_system_entropy_is_that_of_the_operating_system(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From `secrets`, not from a generator that can be predicted."""
    monkeypatch.setattr(secrets, "token_bytes", lambda count: b"\x07" * count)
    assert SystemEntropy().octets(32) == b"\x07" * 32


async def test_a_handler_gets_the_access_token_and_no_refresh_token() -> None:
    """Neither before nor after a refresh. It does not get the client secret either."""
    async with scene() as made:
        await made.connect(Forge(Secret("config's own")))
        for _ in range(2):
            (grant,) = made.provider.grants
            found = value_or_raise(await made.at.action(reachable).call(Nothing()))
            assert grant.access_token in found
            assert "config's own" in found
            assert not {grant.refresh_token, *grant.spent} & {*found}
            assert made.provider.client_secret.reveal() not in found
            made.clock.advance(timedelta(hours=1))


async def test_get_and_list_return_no_token_and_mask_secrets() -> None:
    """`get` returns the config with its secrets as `Secret`; a list shows them masked."""
    async with scene() as made:
        await made.connect(Forge(Secret("config's own")))
        connection = value_or_raise(await made.at.get())
        (summary,) = value_or_raise(await made.tenant.list()).items
        shown = repr(connection) + repr(summary) + repr(mask(connection.config))
        assert "config's own" not in shown
        assert summary.config["team"] == "core"
        with pytest.raises(TypeError):
            msgspec.json.encode(connection)
        encoded = msgspec.json.encode(summary).decode()
        for token in (*made.provider.issued, "config's own"):
            assert token not in shown + encoded


async def test_config_and_webhook_secret_stay_the_same_after_each_authorization() -> None:
    """After connecting, refreshing and authorizing again, deliveries are still accepted."""
    async with scene() as made:
        await made.connect(Forge(Secret("first"), "design"))
        endpoint = value_or_raise(await made.at.create_webhook())

        async def is_taken() -> bool:
            body = b'{"text":"x"}'
            now = made.clock.now()
            request = sign_webhook(StandardWebhooks(), endpoint, body, now=now)
            return (await made.connectors.handle(request)).status == 204

        assert await is_taken()
        made.clock.advance(timedelta(hours=1))
        _ = value_or_raise(await made.at.action(reachable).call(Nothing()))
        connection = value_or_raise(await made.at.get())
        assert connection.config == Forge(Secret("first"), "design")
        assert await is_taken()
        await made.connect(Forge(Secret("second"), "sales"))
        connection = value_or_raise(await made.at.get())
        assert connection.config == Forge(Secret("second"), "sales")
        assert connection.authorization is not None
        assert connection.authorization.generation == 3
        assert await is_taken()
