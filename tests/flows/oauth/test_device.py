"""A tenant connects by a code that somebody types in on another device. RFC 8628."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace
from returns.result import Result

from igniter_connectors import (
    Connection,
    Connector,
    ConnectorManager,
    Connectors,
    Event,
    HttpResponse,
    MemoryStore,
    OAuthConnector,
    OAuthProvider,
    Secret,
    WrongWiring,
    problem_of,
    value_or_raise,
)
from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.flows.oauth.revoke import revoke_due
from igniter_connectors.problems import (
    ConfigInvalid,
    Conflict,
    DeviceProblem,
    IdentityMismatch,
    ProviderAnswerMalformed,
    ProviderUnreachable,
    TokenRefused,
    UserInfoMalformed,
)
from igniter_connectors.stores import StoreUnavailable
from igniter_connectors.testing import ManualClock
from igniter_connectors.typing import PendingDevice
from tests.flows.scripted_http import ScriptedHttp, answer
from tests.sample import KEYRING, Organization

ACME = Organization("acme")
KEY = ConnectionKey("organization", "acme", "forge")
HOST = "https://forge.example"
DEVICE, TOKEN, REVOKE, ME = (f"{HOST}/{name}" for name in ("device", "token", "revoke", "me"))
PROVIDER = OAuthProvider(
    authorization_url=f"{HOST}/authorize",
    token_url=TOKEN,
    device_authorization_url=DEVICE,
    userinfo_url=ME,
    revocation_url=REVOKE,
    client_id="app",
    oauth_scopes=("read",),
)
CODE = {
    "device_code": "the device's code",
    "user_code": "WDJB-MJHT",
    "verification_uri": f"{HOST}/device",
    "verification_uri_complete": f"{HOST}/device?user_code=WDJB-MJHT",
    "expires_in": 600,
}
PENDING = answer(400, error="authorization_pending")
SLOWER = answer(400, error="slow_down")
GRANTED = answer(200, access_token="access", refresh_token="refresh", expires_in=3600)


class Forge(msgspec.Struct, frozen=True):
    """The config."""

    hook: Secret


Answer = Result[Connection[Forge], DeviceProblem]


class Scene:
    """A manager whose HTTP is a script."""

    def __init__(
        self,
        connectors: Connectors[Forge, Organization],
        connector: OAuthConnector[Forge, None, Forge],
        http: ScriptedHttp,
        store: MemoryStore,
        clock: ManualClock,
    ) -> None:
        self.http = http
        self.store = store
        self.clock = clock
        self.connector = connector
        self.engine = connectors._engine
        self.events: list[Event] = []
        self.at = connectors.scope(ACME).at(connector)

    async def begin(self) -> PendingDevice[Forge]:
        """The code."""
        return value_or_raise(
            await self.at.authorize_device(Forge(Secret("hook")), oauth_scopes=["write"])
        )

    async def begin_replacing(self) -> PendingDevice[Forge]:
        """The code, with which another account may come."""
        return value_or_raise(
            await self.at.authorize_device_replacing_account(
                Forge(Secret("other")), oauth_scopes=["write"]
            )
        )

    def signs_in(self, subject: str) -> None:
        """Who types the next code in, with tokens of their own."""
        self.http.says(ME, answer(200, sub=subject))
        tokens = {"access_token": f"{subject}'s", "refresh_token": f"{subject}'s refresh"}
        self.http.says(TOKEN, answer(200, **tokens, expires_in=3600))

    async def revoked(self) -> list[str]:
        """The tokens that were queued for revocation and are revoked now."""
        self.clock.advance(timedelta(seconds=31))
        await revoke_due(self.engine)
        return [form["token"] for _, url, form in self.http.asked if url == REVOKE]

    async def finish(self, device: PendingDevice[Forge], *, within: float = 3600) -> Answer:
        """Waits, a second at a time."""
        waiting = asyncio.create_task(device.finished())
        await self.wait(within, waiting)
        _ = waiting.cancel()
        return await waiting

    async def wait(self, seconds: float, until: asyncio.Task[Answer] | None = None) -> None:
        """Lets time pass."""
        for _ in range(int(seconds)):
            await settle()
            if until is not None and until.done():
                return
            self.clock.advance(timedelta(seconds=1))
        await settle()


async def settle() -> None:
    """Lets every task come to where it waits for the clock."""
    for _ in range(20):
        await asyncio.sleep(0)


@asynccontextmanager
async def scene(provider: OAuthProvider = PROVIDER) -> AsyncGenerator[Scene, None]:
    """The scene; user info names ada."""
    clock = ManualClock()
    http, store = ScriptedHttp(clock), MemoryStore(clock=clock)
    http.says(DEVICE, answer(200, **CODE))
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
        .add_scope(Organization)
        .add_connector(connector)
        .build()
    )
    async with connectors:
        await connectors._lifecycle.revocations.close()
        made = Scene(connectors, connector, http, store, clock)

        async def hear(event: Event) -> None:
            made.events.append(event)

        connectors.subscribe(hear)
        yield made


async def test_a_code_is_shown_and_its_tokens_connect_the_tenant() -> None:
    """Without a base URL; the scopes beyond the declared ones are asked for too."""
    async with scene() as made:
        device = await made.begin()
        assert (device.user_code, device.verification_uri) == ("WDJB-MJHT", f"{HOST}/device")
        assert device.verification_uri_complete == f"{HOST}/device?user_code=WDJB-MJHT"
        assert device.expires_at == made.clock.now() + timedelta(minutes=10)
        assert "WDJB" not in repr(device)
        connection = value_or_raise(await made.finish(device))
        assert connection.config == Forge(Secret("hook"))
        assert connection.authorization is not None
        assert connection.authorization.oauth_scopes == ("read", "write")
        assert connection.authorization.account is not None
        assert connection.authorization.account.subject == "ada"
        forms = [form for _, url, form in made.http.asked if url in (DEVICE, TOKEN)]
        assert forms == [
            {"client_id": "app", "scope": "read write"},
            {
                "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
                "device_code": "the device's code",
                "client_id": "app",
            },
        ]
        assert [type(event).__name__ for event in made.events] == [
            "AuthorizationStarted",
            "AuthorizationCompleted",
            "Connected",
        ]


async def test_it_is_asked_every_five_seconds_and_five_slower_each_time_it_is_told() -> None:
    """The first time too after a wait (sections 3.3 and 3.5)."""
    async with scene() as made:
        made.http.says(TOKEN, PENDING, PENDING, SLOWER, PENDING, SLOWER, GRANTED)
        assert problem_of(await made.finish(await made.begin())) is None
        assert made.http.times(TOKEN) == [5, 10, 15, 25, 35, 50]


async def test_a_provider_that_is_away_for_a_while_is_asked_again_more_seldom() -> None:
    """Nobody has to type the code in anew."""
    async with scene() as made:
        made.http.says(TOKEN, None, answer(503), GRANTED)
        assert problem_of(await made.finish(await made.begin())) is None
        assert made.http.times(TOKEN) == [5, 15, 35]


@pytest.mark.parametrize("error", ["access_denied", "expired_token", "invalid_grant"])
async def test_a_refusal_ends_it(error: str) -> None:
    """And connects nobody; the provider is not asked again."""
    async with scene() as made:
        made.http.says(TOKEN, PENDING, answer(400, error=error, error_description="s3cret"))
        assert problem_of(await made.finish(await made.begin())) == TokenRefused("forge", error)
        await made.wait(60)
        assert made.http.times(TOKEN) == [5, 10]
        assert await made.store.find(KEY) is None
        assert [type(event).__name__ for event in made.events] == [
            "AuthorizationStarted",
            "AuthorizationFailed",
        ]


@pytest.mark.parametrize(("life", "asked"), [(9, [5]), (10, [5]), (11, [5, 10])])
async def test_the_code_s_end_is_the_end_of_asking(life: int, asked: list[float]) -> None:
    """By our own clock, and not a try later: the wait before it is cut short."""
    async with scene() as made:
        made.http.says(DEVICE, answer(200, **(CODE | {"expires_in": life})))
        made.http.says(TOKEN, PENDING)
        device = await made.begin()
        answered = await made.finish(device, within=life)
        assert problem_of(answered) == TokenRefused("forge", "expired_token")
        assert made.clock.monotonic() == life
        assert made.http.times(TOKEN) == asked


async def test_a_wait_can_be_cancelled_and_taken_up_again() -> None:
    """Nothing is asked in between."""
    async with scene() as made:
        device = await made.begin()
        waiting = asyncio.create_task(device.finished())
        await made.wait(3)
        waiting.cancel()
        await made.wait(60)
        assert waiting.cancelled()
        assert made.http.times(TOKEN) == []
        assert problem_of(await made.finish(device)) is None


async def test_cancelled_during_a_question_its_tokens_are_stored_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The provider has granted, and nobody else could be given them."""
    async with scene() as made:
        device = await made.begin()
        send = made.http.send

        async def slowly(request, **kwargs):  # type: ignore[no-untyped-def]  # passed through
            await made.clock.sleep(2)
            return await send(request, **kwargs)

        monkeypatch.setattr(made.http, "send", slowly)
        waiting = asyncio.create_task(device.finished())
        await made.wait(6)
        waiting.cancel()
        await made.wait(6)
        assert waiting.cancelled()
        assert await made.store.find(KEY) is not None


async def test_what_was_connected_meanwhile_is_not_overwritten() -> None:
    """The provider is not even asked, and the tokens of another grant stay."""
    async with scene() as made:
        first, second = await made.begin(), await made.begin()
        assert problem_of(await made.finish(first)) is None
        assert isinstance(problem_of(await made.finish(second)), Conflict)
        assert len(made.http.times(TOKEN)) == 1


async def test_another_account_is_refused_before_anything_is_stored() -> None:
    """And its tokens are queued for revocation."""
    async with scene() as made:
        assert problem_of(await made.finish(await made.begin())) is None
        before = await made.store.find(KEY)
        made.http.says(ME, answer(200, sub="eve"))
        made.http.says(TOKEN, answer(200, access_token="eve's", refresh_token="hers"))
        device = await made.begin()
        assert problem_of(await made.finish(device)) == IdentityMismatch("forge")
        assert await made.store.find(KEY) == before
        made.clock.advance(timedelta(seconds=31))
        await revoke_due(made.engine)
        assert len(made.http.times(REVOKE)) == 2


async def test_another_account_takes_over_where_that_was_asked_for() -> None:
    """With its own config, in the same row; the one before is revoked, and it alone."""
    async with scene() as made:
        made.signs_in("ada")
        before = value_or_raise(await made.finish(await made.begin()))
        row = await made.store.find(KEY)
        made.signs_in("eve")
        connection = value_or_raise(await made.finish(await made.begin_replacing()))
        assert connection.config == Forge(Secret("other"))
        assert before.authorization is not None
        assert connection.authorization is not None
        assert connection.authorization.account is not None
        assert connection.authorization.account.subject == "eve"
        assert connection.authorization.oauth_scopes == ("read", "write")
        assert connection.authorization.generation == before.authorization.generation + 1
        stored = await made.store.find(KEY)
        assert row is not None
        assert stored is not None
        assert stored.id == row.id
        assert await made.revoked() == ["ada's refresh", "ada's"]


async def test_the_account_that_took_over_is_pinned_in_its_turn() -> None:
    """Asking to replace counts for the one authorization."""
    async with scene() as made:
        for subject in ("ada", "eve"):
            made.signs_in(subject)
            assert problem_of(await made.finish(await made.begin_replacing())) is None
        made.signs_in("ada")
        assert problem_of(await made.finish(await made.begin())) == IdentityMismatch("forge")
        connection = value_or_raise(await made.at.get())
        assert connection.authorization is not None
        assert connection.authorization.account is not None
        assert connection.authorization.account.subject == "eve"


async def test_replacing_the_account_overwrites_nothing_that_came_meanwhile() -> None:
    """It is the account of before that was to be replaced, not one that nobody has seen."""
    async with scene() as made:
        made.signs_in("ada")
        first, second = await made.begin_replacing(), await made.begin_replacing()
        assert problem_of(await made.finish(first)) is None
        made.signs_in("eve")
        assert isinstance(problem_of(await made.finish(second)), Conflict)
        value_or_raise(await made.at.disconnect())
        third = await made.begin_replacing()
        assert problem_of(await made.finish(third)) is None


async def test_replacing_the_account_needs_a_provider_that_tells_it() -> None:
    """Whose tokens they are is asked all the same; without an answer nothing is replaced."""
    async with scene() as made:
        made.signs_in("ada")
        assert problem_of(await made.finish(await made.begin())) is None
        before = await made.store.find(KEY)
        made.signs_in("eve")
        made.http.says(ME, answer(200, name="nobody"))
        problem = problem_of(await made.finish(await made.begin_replacing()))
        assert isinstance(problem, UserInfoMalformed)
        assert await made.store.find(KEY) == before
        assert await made.revoked() == ["eve's refresh", "eve's"]


async def test_revocations_wait_until_the_device_is_decided() -> None:
    """It could be granted anew what they would end."""
    async with scene() as made:
        device = await made.begin()
        assert await made.store.revocations.is_authorization_pending(KEY)
        assert problem_of(await made.finish(device)) is None
        assert not await made.store.revocations.is_authorization_pending(KEY)


async def test_a_database_that_is_away_is_told_and_the_wait_goes_on_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The code is still good."""
    async with scene() as made:
        device = await made.begin()

        async def away(key: ConnectionKey) -> str | None:
            raise StoreUnavailable("away")

        monkeypatch.setattr(made.store, "last_grant", away)
        problem = problem_of(await made.finish(device))
        assert problem is not None
        assert problem.code == "CONNECTOR_DATABASE_FAILED"
        monkeypatch.undo()
        assert problem_of(await made.finish(device)) is None


async def test_no_code_no_flow() -> None:
    """Refused, unreadable, unreachable: a problem each, and nothing to wait for."""
    async with scene() as made:
        for said, expected in (
            (answer(401, error="invalid_client"), TokenRefused("forge", "invalid_client")),
            (answer(200, user_code="x"), ProviderAnswerMalformed("forge", "$.device_code")),
            (None, ProviderUnreachable("forge")),
        ):
            made.http.says(DEVICE, said)
            begun = await made.at.authorize_device(Forge(Secret("x")))
            assert problem_of(begun) == expected
        begun = await made.at.authorize_device(Forge(7))  # type: ignore[arg-type]  # refused
        assert isinstance(problem_of(begun), ConfigInvalid)
        assert made.events == []


async def test_a_provider_without_devices_is_wrong_wiring() -> None:
    """A fault of the application's, whatever the tenant does."""
    async with scene(replace(PROVIDER, device_authorization_url=None)) as made:
        with pytest.raises(WrongWiring, match="device_authorization_url"):
            await made.begin()
