"""A connection in the client's own name: no person, no refresh token. RFC 6749 section 4.4."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from returns.result import Result, Success

from igniter_connectors import (
    ActionCall,
    ActionFailed,
    AdoptedTokens,
    Connector,
    ConnectorManager,
    MemoryStore,
    OAuthProvider,
    Secret,
    SQLiteStore,
    WrongWiring,
    action,
    problem_of,
    value_or_raise,
)
from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.flows.oauth.revoke import revoke_due
from igniter_connectors.ports import Store
from igniter_connectors.problems import (
    CallProblem,
    ConfigInvalid,
    Conflict,
    IdentityMismatch,
    NeedsReauth,
    ProviderUnreachable,
    RefreshFailed,
    TokenMalformed,
    TokenRefused,
)
from igniter_connectors.providers import TenantClient
from igniter_connectors.testing import ManualClock
from tests.flows.scripted_http import ScriptedHttp, answer
from tests.sample import KEYRING, Organization

ACME = Organization("acme")
KEY = ConnectionKey("organization", "acme", "forge")
HOST = "https://forge.example"
TOKEN, REVOKE, ME = f"{HOST}/token", f"{HOST}/revoke", f"{HOST}/me"
PROVIDER = OAuthProvider(
    authorization_url=f"{HOST}/authorize",
    token_url=TOKEN,
    userinfo_url=ME,
    revocation_url=REVOKE,
    client_id="app",
    client_secret=Secret("a secret"),
    client_authentication="client_secret_post",
    oauth_scopes=("read", "write"),
)
HOUR = timedelta(hours=1)


class Forge(msgspec.Struct, frozen=True):
    """The config: perhaps with a client of the tenant's own."""

    client_id: str = ""
    client_secret: Secret | None = None


class Nothing(msgspec.Struct, frozen=True):
    """No input."""


@action("token", input=Nothing, output=str)
async def token(call: ActionCall[Forge, object, Nothing]) -> Result[str, ActionFailed]:
    """Which token a handler is given."""
    assert call.access_token is not None
    return Success(call.access_token.value.reveal())


def granted(number: int, **more: object) -> object:
    """A token answer, with a refresh token that is not to be kept."""
    return {"access_token": f"access-{number}", "refresh_token": "r", "expires_in": 3600, **more}


class Scene:
    """As many processes as wanted on one store."""

    def __init__(self, store: Store, http: ScriptedHttp, provider: OAuthProvider) -> None:
        self.store = store
        self.http = http
        self.connector = (
            Connector.create("forge")
            .with_config(Forge)
            .add_action(token)
            .with_oauth(provider)
            .build()
        )
        self.processes = [
            ConnectorManager.create()
            .with_database(store)
            .with_encryption(KEYRING)
            .with_http(http)
            .with_clock(http.clock)
            .add_scope(Organization)
            .add_connector(self.connector)
            .build()
            for _ in range(4)
        ]
        self.at = self.processes[0].scope(ACME).at(self.connector)

    async def call(self, process: int = 0) -> Result[str, CallProblem]:
        """An action of one process, with time passing where it waits."""
        at = self.processes[process].scope(ACME).at(self.connector)
        return await at.action(token).call(Nothing())

    async def record(self) -> ConnectionRecord:
        """The row."""
        record = await self.store.find(KEY)
        assert record is not None
        return record


@asynccontextmanager
async def scene(
    provider: OAuthProvider = PROVIDER, *, file: Path | None = None
) -> AsyncGenerator[Scene, None]:
    """One tenant, not connected yet; the provider gives access-1, access-2, …"""
    clock = ManualClock()
    http = ScriptedHttp(clock)
    store: Store = MemoryStore(clock=clock) if file is None else SQLiteStore(file, clock=clock)
    http.says(TOKEN, *(answer(200, **granted(number)) for number in range(1, 9)))  # type: ignore[arg-type]  # a dict
    http.says(ME, answer(200, sub="ada"))
    http.says(REVOKE, answer(200))
    made = Scene(store, http, provider)
    await store.open()
    try:
        yield made
    finally:
        for process in made.processes:
            await process._engine.renewals.close()
        await store.close()


async def test_it_connects_without_a_person_and_keeps_no_refresh_token() -> None:
    """No user info is asked, no account is known; the declared scopes are asked for."""
    async with scene() as made:
        connection = value_or_raise(await made.at.connect_as_client(Forge()))
        assert connection.authorization is not None
        assert connection.authorization.account is None
        assert connection.authorization.oauth_scopes == ("read", "write")
        assert made.http.asked == [
            (
                0,
                TOKEN,
                {
                    "grant_type": "client_credentials",
                    "scope": "read write",
                    "client_id": "app",
                    "client_secret": "a secret",
                },
            )
        ]
        grant = (await made.record()).grant
        assert grant is not None
        assert (grant.refreshable, grant.refresh_expires_at) == (True, None)
        assert value_or_raise(await made.call()) == "access-1"


async def test_when_it_expires_another_is_asked_for_again_and_again() -> None:
    """By the client's own name each time, never by a refresh token."""
    async with scene() as made:
        value_or_raise(await made.at.connect_as_client(Forge()))
        for number in (2, 3, 4):
            made.http.clock.advance(HOUR)
            assert value_or_raise(await made.call()) == f"access-{number}"
            assert value_or_raise(await made.at.explain()).state == "working"
        assert {form["grant_type"] for _, _, form in made.http.asked} == {"client_credentials"}
        grant = (await made.record()).grant
        assert grant is not None
        assert (grant.generation, grant.refreshable) == (4, True)


@pytest.mark.parametrize("database", ["memory", "sqlite"])
async def test_a_storm_over_four_processes_is_one_request(database: str, tmp_path: Path) -> None:
    """The same lease as for a refresh token."""
    async with scene(file=tmp_path / "db" if database == "sqlite" else None) as made:
        value_or_raise(await made.at.connect_as_client(Forge()))
        made.http.clock.advance(HOUR)
        calls = [asyncio.create_task(made.call(number % 4)) for number in range(52)]
        while not all(call.done() for call in calls):
            await asyncio.sleep(0.005)
            made.http.clock.advance(timedelta(milliseconds=100))
        assert {value_or_raise(call.result()) for call in calls} == {"access-2"}
        assert len(made.http.times(TOKEN)) == 2


@pytest.mark.parametrize(
    "said",
    [
        [answer(400, error="invalid_grant")],
        [answer(500)],
        [answer(502)],
        [None],
        [answer(200)],
        [answer(429)],
    ],
)
async def test_no_failure_means_that_the_grant_is_dead(said: Sequence[object]) -> None:
    """Nothing was spent: no mark, no verdict; after the back-off it works again."""
    async with scene() as made:
        value_or_raise(await made.at.connect_as_client(Forge()))
        made.http.clock.advance(HOUR)
        made.http.says(TOKEN, *said)  # type: ignore[arg-type]  # answers
        assert isinstance(problem_of(await made.call()), RefreshFailed)
        record = await made.record()
        assert (record.status, record.unresolved, record.failures) == ("ok", False, 1)
        made.http.says(TOKEN, answer(200, access_token="access-9", expires_in=60))
        made.http.clock.advance(timedelta(seconds=5))
        assert value_or_raise(await made.call()) == "access-9"
        assert (await made.record()).failures == 0


async def test_who_died_asking_leaves_nothing_to_mend() -> None:
    """The next one waits for the lease to end, asks anew, and clears the mark."""
    async with scene() as made:
        value_or_raise(await made.at.connect_as_client(Forge()))
        made.http.clock.advance(HOUR)
        lease = await made.store.take_lease(
            KEY, generation=1, owner="dead", duration=timedelta(seconds=15)
        )
        assert lease is not None
        call = asyncio.create_task(made.call())
        while not call.done():
            await asyncio.sleep(0.001)
            made.http.clock.advance(timedelta(milliseconds=100))
        assert value_or_raise(call.result()) == "access-2"
        record = await made.record()
        assert (record.status, record.unresolved) == ("ok", False)
        # 15 s of lease, and 1.5 s in which the dead one's answer could still be stored.
        assert made.http.times(TOKEN)[1] >= HOUR.total_seconds() + 16.5


async def test_a_refused_client_is_left_alone_for_a_while() -> None:
    """No tenant can mend it, so every connection of the client waits."""
    async with scene() as made:
        value_or_raise(await made.at.connect_as_client(Forge()))
        made.http.clock.advance(HOUR)
        made.http.says(TOKEN, answer(401, error="invalid_client"))
        for _ in range(20):
            assert isinstance(problem_of(await made.call()), RefreshFailed)
            made.http.clock.advance(timedelta(seconds=2))
        assert len(made.http.times(TOKEN)) == 2


async def test_adopted_tokens_without_a_refresh_token_are_not_taken_for_it() -> None:
    """A person's tokens are never replaced by the client's."""
    async with scene() as made:
        tokens = AdoptedTokens(
            access_token=Secret("theirs"), expires_at=made.http.clock.now() + HOUR
        )
        value_or_raise(await made.at.adopt_as_only_user(Forge(), tokens))
        made.http.clock.advance(HOUR)
        problem = problem_of(await made.call())
        assert problem == NeedsReauth("forge", "needs_reauth")
        assert made.http.times(TOKEN) == []


async def test_neither_takes_the_other_s_place() -> None:
    """A person's account is not replaced by the client, nor the client by a person."""
    async with scene() as made:
        tokens = AdoptedTokens(access_token=Secret("theirs"))
        value_or_raise(await made.at.adopt(Forge(), tokens))
        refused = await made.at.connect_as_client(Forge())
        assert problem_of(refused) == IdentityMismatch("forge")
        value_or_raise(await made.at.disconnect())
        value_or_raise(await made.at.connect_as_client(Forge()))
        assert problem_of(await made.at.adopt(Forge(), tokens)) == IdentityMismatch("forge")


async def test_disconnecting_revokes_the_access_token() -> None:
    """There is nothing else to revoke."""
    async with scene(replace(PROVIDER, revocation_ends="token")) as made:
        value_or_raise(await made.at.connect_as_client(Forge()))
        value_or_raise(await made.at.disconnect())
        made.http.clock.advance(timedelta(seconds=31))
        await revoke_due(made.processes[0]._engine)
        (form,) = [form for _, url, form in made.http.asked if url == REVOKE]
        assert (form["token"], form["token_type_hint"]) == ("access-1", "access_token")


async def test_a_tenant_s_own_client_connects_as_itself_and_has_to_authenticate() -> None:
    """An id without a secret proves nothing; the config's path is told."""
    own = replace(
        PROVIDER,
        tenant_client=TenantClient(id_field="client_id", secret_field="client_secret"),
    )
    async with scene(own) as made:
        refused = await made.at.connect_as_client(Forge("theirs"))
        assert problem_of(refused) == ConfigInvalid("forge", "$.client_secret", "is required")
        assert made.http.asked == []
        value_or_raise(await made.at.connect_as_client(Forge("theirs", Secret("their secret"))))
        form = made.http.asked[0][2]
        assert (form["client_id"], form["client_secret"]) == ("theirs", "their secret")


async def test_a_public_client_of_the_application_is_wrong_wiring() -> None:
    """It could never connect anybody."""
    public = replace(PROVIDER, client_secret=None, client_authentication=None)
    async with scene(public) as made:
        with pytest.raises(WrongWiring, match="authenticates"):
            await made.at.connect_as_client(Forge())


async def test_a_client_that_became_public_needs_somebody_to_connect_again() -> None:
    """The stored token serves to its end, and then there is nothing to ask with."""
    async with scene() as made:
        value_or_raise(await made.at.connect_as_client(Forge()))
        public = replace(PROVIDER, client_secret=None, client_authentication=None)
        later = Scene(made.store, made.http, public)
        assert value_or_raise(await later.call()) == "access-1"
        made.http.clock.advance(HOUR)
        assert problem_of(await later.call()) == NeedsReauth("forge", "needs_reauth")


async def test_what_the_provider_says_is_told_and_nothing_is_stored() -> None:
    """Refused, unreadable, unreachable."""
    async with scene() as made:
        for said, expected in (
            (answer(400, error="invalid_scope"), TokenRefused("forge", "invalid_scope")),
            (answer(200), TokenMalformed("forge", "$.access_token")),
            (None, ProviderUnreachable("forge")),
        ):
            made.http.says(TOKEN, said)
            assert problem_of(await made.at.connect_as_client(Forge())) == expected
        assert await made.store.find(KEY) is None


async def test_connected_by_somebody_else_meanwhile_the_token_is_queued_for_revocation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What stands in the row stays; the token just granted is revoked."""
    async with scene(replace(PROVIDER, revocation_ends="token")) as made:
        send = made.http.send

        async def meanwhile(request, **kwargs):  # type: ignore[no-untyped-def]  # passed through
            monkeypatch.undo()
            answered = await send(request, **kwargs)
            value_or_raise(await made.at.connect_as_client(Forge()))
            return answered

        monkeypatch.setattr(made.http, "send", meanwhile)
        assert isinstance(problem_of(await made.at.connect_as_client(Forge())), Conflict)
        made.http.clock.advance(timedelta(minutes=2))
        await revoke_due(made.processes[0]._engine)
        revoked = [form["token"] for _, url, form in made.http.asked if url == REVOKE]
        assert revoked == ["access-1"]
        assert value_or_raise(await made.call()) == "access-2"
