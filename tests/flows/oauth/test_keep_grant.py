"""Tokens that a provider issued are stored or queued for revocation, whatever happens then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from msgspec.structs import replace

from igniter_connectors import (
    AdoptedTokens,
    Connector,
    ConnectorManager,
    Connectors,
    Event,
    HttpRequest,
    HttpResponse,
    MemoryStore,
    OAuthConnector,
    OAuthProvider,
    Principal,
    Secret,
    problem_of,
    value_or_raise,
)
from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.flows.oauth.revoke import revoke_due
from igniter_connectors.problems import TokenMalformed
from igniter_connectors.stores import StoreRefused, StoreUnavailable
from igniter_connectors.testing import ManualClock
from tests.flows.scripted_http import ScriptedHttp, answer
from tests.sample import KEYRING, Organization

ACME = Organization("acme")
ADA = Principal(ACME, "ada")
KEY = ConnectionKey("organization", "acme", "forge")
HOST = "https://forge.example"
TOKEN, REVOKE, ME = (f"{HOST}/{name}" for name in ("token", "revoke", "me"))
PROVIDER = OAuthProvider(
    authorization_url=f"{HOST}/authorize",
    token_url=TOKEN,
    device_authorization_url=f"{HOST}/device",
    userinfo_url=ME,
    revocation_url=REVOKE,
    client_id="app",
    client_secret=Secret("secret of the application"),
    oauth_scopes=("read",),
)
GRANTED = answer(200, access_token="access", refresh_token="refresh", expires_in=3600)


class Forge(msgspec.Struct, frozen=True):
    """The config."""

    hook: Secret
    team: str = "core"


FORGE = Forge(Secret("hook"))


class Scene:
    """A manager whose provider is a script."""

    def __init__(
        self,
        connectors: Connectors[Forge, Organization],
        connector: OAuthConnector[Forge, None, Forge],
        http: ScriptedHttp,
        store: MemoryStore,
        clock: ManualClock,
    ) -> None:
        self.connectors = connectors
        self.http = http
        self.store = store
        self.clock = clock
        self.at = connectors.scope(ACME).at(connector)
        self.events: list[str] = []

    async def begin(self, config: Forge = FORGE) -> HttpRequest:
        """The callback that a browser will send."""
        begun = value_or_raise(
            await self.at.authorize_without_browser_binding(config, subject="ada")
        )
        state = parse_qs(urlsplit(begun.url).query)["state"][0]
        callback = f"http://127.0.0.1:9/connectors/forge/oauth/callback?code=c&state={state}"
        return HttpRequest("GET", callback)

    async def come_back(self, callback: HttpRequest) -> str:
        """Where the callback leads."""
        answered = await self.connectors.handle(callback, principal=ADA)
        return answered.header("location") or str(answered.status)

    async def wait(self, seconds: int, *until: asyncio.Task[Any]) -> None:
        """Lets time pass, a second at a time, until these tasks are done."""
        for _ in range(seconds):
            for _ in range(30):
                await asyncio.sleep(0)
            if until and all(task.done() for task in until):
                return
            self.clock.advance(timedelta(seconds=1))

    async def revoked(self) -> list[str]:
        """The tokens that were queued for revocation, and are revoked now."""
        self.clock.advance(timedelta(minutes=2))
        _ = await revoke_due(self.connectors._engine)
        return [form["token"] for _, url, form in self.http.asked if url == REVOKE]


@asynccontextmanager
async def scene(provider: OAuthProvider = PROVIDER) -> AsyncGenerator[Scene, None]:
    """The scene; user info names ada."""
    clock = ManualClock()
    http, store = ScriptedHttp(clock), MemoryStore(clock=clock)
    http.says(TOKEN, GRANTED)
    http.says(ME, answer(200, sub="ada"))
    http.says(REVOKE, HttpResponse(200))
    connector = Connector.create("forge").with_config(Forge).with_oauth(provider).build()
    connectors = (
        ConnectorManager.create()
        .with_database(store)
        .with_encryption(KEYRING)
        .with_http(http)
        .with_clock(clock)
        .with_base_url("http://127.0.0.1:9")
        .add_scope(Organization)
        .add_connector(connector)
        .build()
    )
    async with connectors:
        await connectors._lifecycle.revocations.close()
        made = Scene(connectors, connector, http, store, clock)

        async def hear(event: Event) -> None:
            made.events.append(type(event).__name__)

        connectors.subscribe(hear)
        yield made


# --- tokens that cannot be kept -----------------------------------------------------------------

UNUSABLE = [
    ({"access_token": "tök", "refresh_token": "refresh"}, ["refresh", "tök"]),
    ({"access_token": "a\n"}, ["a\n"]),
    ({"access_token": "a\x00", "refresh_token": "refresh"}, ["refresh", "a\x00"]),
    ({"access_token": "", "refresh_token": "refresh"}, ["refresh"]),
    ({"access_token": "access", "token_type": "mac"}, ["access"]),
]


@pytest.mark.parametrize(("body", "tokens"), UNUSABLE)
async def test_a_token_that_no_header_carries_is_refused_and_revoked_at_the_callback(
    body: dict[str, str], tokens: list[str]
) -> None:
    """No exception, no row, no grant without an owner."""
    async with scene() as made:
        made.http.says(TOKEN, answer(200, **body))
        callback = await made.begin()
        assert "CONNECTOR_OAUTH_PARSE_TOKEN_FAILED" in await made.come_back(callback)
        assert await made.store.find(KEY) is None
        assert await made.revoked() == tokens


@pytest.mark.parametrize(("body", "tokens"), UNUSABLE)
async def test_a_token_that_no_header_carries_is_refused_and_revoked_for_a_client(
    body: dict[str, str], tokens: list[str]
) -> None:
    """As at the callback."""
    async with scene() as made:
        made.http.says(TOKEN, answer(200, **body))
        problem = problem_of(await made.at.connect_as_client(FORGE))
        assert isinstance(problem, TokenMalformed)
        assert await made.revoked() == tokens


@pytest.mark.parametrize(("body", "tokens"), UNUSABLE)
async def test_a_token_that_no_header_carries_is_refused_and_revoked_for_a_device(
    body: dict[str, str], tokens: list[str]
) -> None:
    """As at the callback."""
    async with scene() as made:
        code = {"device_code": "d", "user_code": "W", "verification_uri": f"{HOST}/device"}
        made.http.says(f"{HOST}/device", answer(200, **code, interval=0.001))
        made.http.says(TOKEN, answer(200, **body))
        device = value_or_raise(await made.at.authorize_device(FORGE))
        waiting = asyncio.create_task(device.finished())
        await made.wait(9, waiting)
        assert isinstance(problem_of(await waiting), TokenMalformed)
        assert await made.revoked() == tokens


@pytest.mark.parametrize("access", ["tök", "", "a\n", "\ud83d"])
async def test_adopted_tokens_are_refused_before_a_request(access: str) -> None:
    """They are the application's own, and are not revoked."""
    async with scene() as made:
        for adopt in (made.at.adopt, made.at.adopt_as_only_user):
            problem = problem_of(await adopt(FORGE, AdoptedTokens(access_token=Secret(access))))
            assert problem == TokenMalformed("forge", "$.access_token")
        bad = AdoptedTokens(access_token=Secret("a"), refresh_token=Secret("\ud83d"))
        problem = problem_of(await made.at.adopt(FORGE, bad))
        assert problem == TokenMalformed("forge", "$.refresh_token")
        assert made.http.asked == []


async def test_an_account_that_is_not_known_leaves_nothing_unrevoked() -> None:
    """User info that cannot be read; a name that cannot be stored costs nothing."""
    async with scene() as made:
        made.http.says(ME, answer(200, sub="a\x00"))
        assert "USERINFO" in await made.come_back(await made.begin())
        assert await made.revoked() == ["refresh", "access"]
        made.http.says(ME, answer(200, sub="ada", name="a\x00", email="a@b.example"))
        assert await made.come_back(await made.begin()) == "/?connected=forge"
        authorization = value_or_raise(await made.at.get()).authorization
        assert authorization is not None
        account = authorization.account
        assert account is not None
        assert (account.name, account.email) == ("", "a@b.example")


async def test_scopes_that_no_store_holds_are_dropped() -> None:
    """Those of the answer, and those that the application adopts."""
    async with scene() as made:
        made.http.says(TOKEN, answer(200, access_token="a", scope="read a\x00b"))
        assert await made.come_back(await made.begin()) == "/?connected=forge"
        adopted = AdoptedTokens(access_token=Secret("a"), oauth_scopes=("read", "a\x00", "\ud83d"))
        _ = value_or_raise(await made.at.adopt(FORGE, adopted))
        stored = await made.store.find(KEY)
        assert stored is not None
        assert stored.grant is not None
        assert stored.grant.oauth_scopes == ("read",)


# --- a caller that goes away ----------------------------------------------------------------------


def slowly(made: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every answer of the provider takes two seconds."""
    send = made.http.send

    async def slow(request, **kwargs):  # type: ignore[no-untyped-def]  # passed through
        await made.clock.sleep(2)
        return await send(request, **kwargs)

    monkeypatch.setattr(made.http, "send", slow)


@pytest.mark.parametrize("seconds", [1, 3])
async def test_a_browser_that_goes_away_costs_no_tokens(
    seconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cancelled during the exchange, or during the user info: the grant is stored."""
    async with scene() as made:
        callback = await made.begin()
        slowly(made, monkeypatch)
        request = asyncio.create_task(made.come_back(callback))
        await made.wait(seconds)
        _ = request.cancel()
        await made.wait(8)
        assert request.cancelled()
        assert await made.store.find(KEY) is not None


async def test_a_client_s_caller_that_goes_away_costs_no_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The token is stored."""
    async with scene() as made:
        slowly(made, monkeypatch)
        caller = asyncio.create_task(made.at.connect_as_client(FORGE))
        await made.wait(1)
        _ = caller.cancel()
        await made.wait(8)
        assert caller.cancelled()
        assert await made.store.find(KEY) is not None


async def test_closing_waits_for_a_callback(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the provider issues meanwhile is stored."""
    async with scene() as made:
        callback = await made.begin()
        slowly(made, monkeypatch)
        request = asyncio.create_task(made.come_back(callback))
        await made.wait(1)
        _ = request.cancel()
        closing = asyncio.create_task(made.connectors._engine.owned_tasks.close())
        await made.wait(9, closing)
        assert await closing == 0
        assert await made.store.find(KEY) is not None


# --- a database that is away ----------------------------------------------------------------------


def away(
    made: Scene,
    name: str,
    times: int,
    monkeypatch: pytest.MonkeyPatch,
    *,
    commits: bool = False,
    error: type[StoreUnavailable] = StoreUnavailable,
) -> None:
    """A statement that fails so many times; with `commits`, after it took effect."""
    target = made.store.revocations if name == "add" else made.store
    call: Callable[..., Awaitable[object]] = getattr(target, name)
    left = [times]

    async def failing(*args: object, **kwargs: object) -> object:
        if left[0] == 0:
            return await call(*args, **kwargs)
        left[0] -= 1
        if commits:
            _ = await call(*args, **kwargs)
        raise error("away")

    monkeypatch.setattr(target, name, failing)


@pytest.mark.parametrize("is_queue_refused", [False, True])
async def test_tokens_that_the_database_refuses_are_queued_for_revocation(
    is_queue_refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once, and nothing is retried for ever: the manager closes."""
    async with scene() as made:
        callback = await made.begin()
        away(made, "save_authorized", -1, monkeypatch, error=StoreRefused)
        if is_queue_refused:
            away(made, "add", -1, monkeypatch, error=StoreRefused)
        assert await made.come_back(callback) == "/?error=CONNECTOR_DATABASE_FAILED"
        assert await made.store.find(KEY) is None
        assert await made.revoked() == ([] if is_queue_refused else ["refresh", "access"])


@pytest.mark.parametrize("commits", [False, True])
@pytest.mark.parametrize("name", ["find", "save_authorized"])
async def test_tokens_wait_for_a_database_that_is_away_for_one_statement(
    name: str, commits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stored a second later; also if the statement took effect and its answer was lost."""
    async with scene() as made:
        callback = await made.begin()
        away(made, name, 1, monkeypatch, commits=commits)
        request = asyncio.create_task(made.come_back(callback))
        await made.wait(5, request)
        assert await request == "/?connected=forge"
        assert value_or_raise(await made.at.get()).authorization is not None
        assert await made.revoked() == []
        assert made.events.count("Connected") == 1


async def test_a_browser_is_answered_while_the_tokens_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After a few seconds. The grant is stored when the database is back."""
    async with scene() as made:
        callback = await made.begin()
        away(made, "save_authorized", 20, monkeypatch)
        request = asyncio.create_task(made.come_back(callback))
        await made.wait(10, request)
        assert await request == "/?error=CONNECTOR_DATABASE_FAILED"
        assert await made.store.find(KEY) is None
        await made.wait(20)
        assert await made.store.find(KEY) is not None
        assert made.events[-2:] == ["AuthorizationCompleted", "Connected"]


async def test_a_revocation_waits_for_a_database_that_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Tokens that cannot be kept are queued when the database is back."""
    async with scene() as made:
        made.http.says(ME, answer(500))
        callback = await made.begin()
        away(made, "add", 3, monkeypatch)
        request = asyncio.create_task(made.come_back(callback))
        await made.wait(9, request)
        assert "USERINFO" in await request
        assert await made.revoked() == ["refresh", "access"]


# --- an update during an authorization ------------------------------------------------------------


@pytest.mark.parametrize("updates", [False, True])
async def test_an_update_during_an_authorization_is_kept(updates: bool) -> None:
    """The config of the authorization is older than the one that somebody saved since."""
    async with scene() as made:
        assert await made.come_back(await made.begin()) == "/?connected=forge"
        callback = await made.begin(Forge(Secret("hook"), "old"))
        if updates:
            _ = value_or_raise(await made.at.update(Forge(Secret("newer"), "new")))
        value_or_raise(await made.at.disable())
        assert await made.come_back(callback) == "/?connected=forge"
        connection = value_or_raise(await made.at.get())
        assert connection.config.team == ("new" if updates else "old")
        stored = await made.store.find(KEY)
        assert stored is not None
        assert stored.grant is not None
        assert stored.grant.generation == 2


async def test_an_update_while_a_grant_is_saved_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the read of the row and the write of the grant: at a callback, and at `adopt`."""
    async with scene() as made:
        assert await made.come_back(await made.begin()) == "/?connected=forge"
        save, teams = made.store.save_authorized, ["during callback"]

        async def update_first(*args: Any, **named: Any) -> bool:
            if teams:
                _ = value_or_raise(await made.at.update(Forge(Secret("newer"), teams.pop())))
            return await save(*args, **named)

        callback = await made.begin(Forge(Secret("hook"), "old"))
        monkeypatch.setattr(made.store, "save_authorized", update_first)
        assert await made.come_back(callback) == "/?connected=forge"
        assert value_or_raise(await made.at.get()).config.team == "during callback"
        teams.append("during adopt")
        adopted = AdoptedTokens(access_token=Secret("theirs"))
        connection = value_or_raise(await made.at.adopt(Forge(Secret("hook"), "old"), adopted))
        assert connection.config.team == "during adopt"
        assert connection == value_or_raise(await made.at.get())
        assert connection.version == 5


async def test_an_update_while_a_device_waits_is_kept() -> None:
    """As at a callback."""
    async with scene() as made:
        assert await made.come_back(await made.begin()) == "/?connected=forge"
        code = {"device_code": "d", "user_code": "W", "verification_uri": f"{HOST}/device"}
        made.http.says(f"{HOST}/device", answer(200, **code))
        device = value_or_raise(await made.at.authorize_device(Forge(Secret("hook"), "old")))
        _ = value_or_raise(await made.at.update(Forge(Secret("newer"), "new")))
        waiting = asyncio.create_task(device.finished())
        await made.wait(9, waiting)
        connection = value_or_raise(await waiting)
        assert connection.config.team == "new"
        assert connection == value_or_raise(await made.at.get())


async def test_an_update_to_another_client_ends_the_authorization() -> None:
    """The row names a client that did not obtain these tokens: they are revoked."""
    async with scene(replace(PROVIDER, token_url=f"{HOST}/token")) as made:
        assert await made.come_back(await made.begin()) == "/?connected=forge"
        callback = await made.begin()
        value_or_raise(await made.at.disconnect())
        assert "CONFLICT" in await made.come_back(callback)
