"""Several processes refresh one connection; the grant outlives races, crashes and bad weather.

Each process is a engine of its own over one store. A crash cancels everything a process does and
starts another in its place. The clock stands still but for the test, which moves it while anything
waits, so that every interleaving is one that Hypothesis chose and can choose again.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from returns.result import Result

from igniter_connectors import (
    AccessToken,
    HttpRequest,
    HttpResponse,
    Keyring,
    MemoryStore,
    OAuthProvider,
    Secret,
    SQLiteStore,
)
from igniter_connectors.adapters.system import SystemEntropy
from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord, Grant
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.core.problem import TokenProblem
from igniter_connectors.core.sealing.cipher_cache import Ciphers
from igniter_connectors.core.webhook.retry_policy import DeliveryLimits
from igniter_connectors.flows.deliveries import Deliveries
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.event_bus import EventBus
from igniter_connectors.flows.oauth.token_source import access_token
from igniter_connectors.flows.renewals import Renewals
from igniter_connectors.flows.sealing import open_tokens, seal_tokens
from igniter_connectors.ports import Store
from igniter_connectors.problems import NeedsReauth, RefreshFailed
from igniter_connectors.stores import StoreUnavailable
from igniter_connectors.testing import ManualClock
from igniter_connectors.typing import HttpFailed
from tests.flows.model_provider import ModelProvider, Weather
from tests.web.github import GitHub, github

KEY = ConnectionKey("organization", "acme", "github")
KEYRING = Keyring.from_secret(Keyring.generate())
CONNECTOR = github(
    OAuthProvider(
        authorization_url="https://p.example/a",
        token_url="https://p.example/t",
        client_id="app",
        client_secret=Secret("application's own"),
    )
)


@dataclass
class World:
    """A store, a provider, and processes that share them."""

    store: Store
    clock: ManualClock
    provider: ModelProvider
    processes: list[Engine] = field(default_factory=list)
    calls: dict[int, list[asyncio.Task[AccessToken | TokenProblem]]] = field(default_factory=dict)

    def engine(self) -> Engine:
        """One process's."""
        logger = logging.getLogger("tests.refresh")
        return Engine(
            self.store,
            self.provider,
            self.clock,
            SystemEntropy(),
            Ciphers(KEYRING),
            EventBus(None, logger),
            Renewals(self.clock),
            Deliveries(DeliveryLimits(), logger),
            logger,
        )

    def start(self, number: int) -> None:
        """A fresh process in this place."""
        while len(self.processes) <= number:
            self.processes.append(self.engine())
        self.processes[number] = self.engine()

    async def call(self, number: int) -> None:
        """An action in one process asks for the token."""
        record = await self.store.find(KEY)
        assert record is not None
        task = asyncio.create_task(
            access_token(self.processes[number], CONNECTOR, record, GitHub(Secret("hook")))
        )
        self.calls.setdefault(number, []).append(task)

    async def cancel_callers(self, number: int) -> None:
        """Every caller in one process gives up; the process lives."""
        for task in self.calls.pop(number, []):
            task.cancel()
        await asyncio.sleep(0)

    async def crash(self, number: int) -> None:
        """kill -9: nothing of what the process was doing goes on."""
        for task in (
            *self.calls.pop(number, []),
            *self.processes[number].renewals._running.values(),
        ):
            task.cancel()
        await asyncio.sleep(0)
        self.start(number)

    async def pass_time(self, seconds: float, step: float = 0.2) -> None:
        """Moves the clock in steps, letting everybody run in between."""
        elapsed = 0.0
        while elapsed < seconds:
            step = min(step, seconds - elapsed)
            elapsed += step
            for _ in range(6):
                await asyncio.sleep(0)
            self.clock.advance(timedelta(seconds=step))
        for _ in range(6):
            await asyncio.sleep(0)

    async def record(self) -> ConnectionRecord:
        """The row as it is."""
        record = await self.store.find(KEY)
        assert record is not None
        return record

    async def stored_refresh_token(self) -> str:
        """What the row holds."""
        tokens = open_tokens(self.engine(), await self.record()).unwrap()
        assert tokens.refresh_token is not None
        return tokens.refresh_token.reveal()


async def world(
    processes: int, *, grace: timedelta = timedelta(0), store: Store | None = None
) -> World:
    """An expired connection that several processes are about to use."""
    clock = ManualClock()
    made = World(store or MemoryStore(clock=clock), clock, ModelProvider(clock, grace))
    await made.store.open()
    tokens = TokenSet(Secret("access-0"), Secret(made.provider.current), expires_at=clock.now())
    sealed = seal_tokens(made.engine(), tokens, KEY, row="row", generation=1).unwrap()
    grant = Grant(
        sealed,
        1,
        "grant",
        (),
        refreshable=True,
        refreshed_at=clock.now() - timedelta(hours=1),
        expires_at=clock.now(),
    )
    now = clock.now()
    await made.store.insert(
        ConnectionRecord(KEY, "row", b"{}", b"", True, 1, now, now, grant=grant)
    )
    for number in range(processes):
        made.start(number)
    return made


async def test_a_storm_over_four_processes_is_one_request() -> None:
    """52 calls on one expired token: one request, all succeed."""
    made = await world(4)
    for number in range(52):
        await made.call(number % 4)
    await made.pass_time(2)
    answers = [task.result() for tasks in made.calls.values() for task in tasks]
    assert len(answers) == 52
    assert {type(answer) for answer in answers} == {AccessToken}
    assert (made.provider.requests, made.provider.reuses) == (1, 0)
    assert await made.stored_refresh_token() == made.provider.current


async def test_two_sqlite_processes_share_one_refresh(tmp_path: object) -> None:
    """The same statements on a file."""
    made = await world(2, store=SQLiteStore(f"{tmp_path}/c.db"))
    for number in range(10):
        await made.call(number % 2)
    for _ in range(100):
        await asyncio.sleep(0.01)
        made.clock.advance(timedelta(seconds=0.1))
    answers = [task.result() for tasks in made.calls.values() for task in tasks]
    assert {type(answer) for answer in answers} == {AccessToken}
    assert made.provider.requests == 1
    await made.store.close()


async def test_a_crash_between_answer_and_commit_is_told_as_probably_lost() -> None:
    """Without a grace period no client can do better: two requests and the verdict."""
    made = await world(2)
    made.provider.weather = lambda: "answers late"
    await made.call(0)
    await made.pass_time(1)
    await made.crash(0)
    made.provider.weather = lambda: "answers"
    await made.call(1)
    await made.pass_time(30)
    (answer,) = (task.result() for task in made.calls[1])
    assert answer == NeedsReauth("github", "lost_rotation")
    assert made.provider.requests == 2
    await made.call(1)
    await made.pass_time(30)
    assert made.provider.requests == 2


async def test_with_a_grace_that_outlives_the_lease_a_crash_is_recovered_from() -> None:
    """The spent token is answered again."""
    made = await world(2, grace=timedelta(seconds=60))
    made.provider.weather = lambda: "loses the answer"
    await made.call(0)
    await made.pass_time(1)
    assert isinstance(made.calls[0][0].result(), RefreshFailed)
    await made.crash(0)
    made.provider.weather = lambda: "answers"
    await made.call(1)
    await made.pass_time(30)
    assert isinstance(made.calls[1][0].result(), AccessToken)
    assert await made.stored_refresh_token() == made.provider.current


async def test_a_holder_stopped_past_its_lease_still_stores_what_it_was_given() -> None:
    """Its commit lands on row and generation, whoever holds the lease by then."""
    made = await world(2)
    made.provider.weather = lambda: "answers late"
    await made.call(0)
    await made.pass_time(8)
    # The process stops here, with the answer on its way, and the lease ends.
    made.clock.advance(timedelta(seconds=20))
    await made.call(1)
    await made.pass_time(10)
    assert isinstance(made.calls[0][0].result(), AccessToken)
    assert isinstance(made.calls[1][0].result(), AccessToken)
    assert (made.provider.requests, made.provider.reuses) == (1, 0)
    assert await made.stored_refresh_token() == made.provider.current


@pytest.mark.parametrize("weather", ["503", "429", "refused"])
async def test_a_definite_failure_leaves_no_mark(weather: Weather) -> None:
    """Nobody is said later to have lost a rotation because of it."""
    made = await world(2)
    made.provider.weather = lambda: weather
    await made.call(0)
    await made.pass_time(1)
    assert isinstance(made.calls[0][0].result(), RefreshFailed)
    record = await made.record()
    assert (record.lease_owner, record.unresolved, record.failures) == (None, False, 1)
    made.provider.is_revoked = True
    made.provider.weather = lambda: "answers"
    await made.pass_time(10)
    await made.call(1)
    await made.pass_time(10)
    assert made.calls[1][0].result() == NeedsReauth("github", "needs_reauth")


async def test_a_503_after_an_unknown_outcome_does_not_wipe_the_mark() -> None:
    """The verdict is still that the rotation was probably lost."""
    made = await world(1)
    for weather in ("loses the answer", "503", "answers"):
        made.provider.weather = lambda now=weather: now  # type: ignore[misc]  # the loop's own
        await made.call(0)
        await made.pass_time(40)
    assert made.calls[0][-1].result() == NeedsReauth("github", "lost_rotation")


async def test_a_gateways_502_may_stand_before_a_rotation() -> None:
    """Its outcome is unknown: the verdict afterwards is that the rotation was probably lost."""
    made = await world(1)
    for weather in ("rotates behind a 502", "answers"):
        made.provider.weather = lambda now=weather: now  # type: ignore[misc]  # the loop's own
        await made.call(0)
        await made.pass_time(40)
    assert made.calls[0][-1].result() == NeedsReauth("github", "lost_rotation")


async def test_who_takes_over_lets_an_answer_that_arrived_be_stored_first() -> None:
    """A holder whose commit waits for the database past its lease loses nothing."""
    made = await world(2)
    store, save = made.store, made.store.save_renewed
    lease_ends = made.clock.monotonic() + 15.0

    async def away(*args: object, **kwargs: object) -> bool:
        if made.clock.monotonic() < lease_ends + 0.4:
            raise StoreUnavailable("away")
        return await save(*args, **kwargs)  # type: ignore[arg-type]  # passed through

    store.save_renewed = away  # type: ignore[method-assign]  # the database's commit is away
    await made.call(0)
    await made.pass_time(1)
    await made.call(1)
    await made.pass_time(40)
    for number in (0, 1):
        assert isinstance(made.calls[number][0].result(), AccessToken)
    assert (made.provider.requests, made.provider.reuses) == (1, 0)
    assert await made.stored_refresh_token() == made.provider.current


async def test_only_the_token_that_the_lease_returned_is_sent() -> None:
    """Reconnected between the look and the lease, under the same generation: another token."""
    made = await world(1)
    find = made.store.find
    looks = 0

    async def reconnect_after_the_look(key: ConnectionKey) -> ConnectionRecord | None:
        nonlocal looks
        found = await find(key)
        looks += 1
        if looks == 2:  # the caller's own look came first
            assert found is not None
            assert found.grant is not None
            await made.store.disconnect(key, revocation=None, now=made.clock.now())
            tokens = TokenSet(Secret("a"), Secret("refresh-of-another-grant"))
            sealed = seal_tokens(made.engine(), tokens, KEY, row="new", generation=1).unwrap()
            grant = replace(found.grant, sealed_tokens=sealed, grant_id="another")
            assert await made.store.insert(replace(found, id="new", grant=grant))
        return found

    made.store.find = reconnect_after_the_look  # type: ignore[method-assign]  # the race
    sent: list[bytes] = []
    answer = made.provider.send

    async def listen(
        request: HttpRequest,
        *,
        deadline: timedelta = timedelta(seconds=10),
        limit_bytes: int = 0,
    ) -> Result[HttpResponse, HttpFailed]:
        sent.append(request.body)
        return await answer(request, deadline=deadline)

    made.provider.send = listen  # type: ignore[method-assign]  # what goes over the wire
    await made.call(0)
    await made.pass_time(2)
    assert [b"refresh-of-another-grant" in body for body in sent] == [True]


Event = tuple[str, int, Weather]

WEATHERS: list[Weather] = ["answers", "answers", "answers late", "503", "429", "502", "refused"]
LOSSES: list[Weather] = [*WEATHERS, "loses the answer", "rotates behind a 502"]


def events(weathers: list[Weather], *kinds: str) -> st.SearchStrategy[list[Event]]:
    """What happens, to which process, in which weather."""
    one = st.tuples(
        st.sampled_from(["call", "call", "time", "short time", *kinds]),
        st.integers(0, 2),
        st.sampled_from(weathers),
    )
    return st.lists(one, min_size=3, max_size=25)


async def play(made: World, happened: list[Event]) -> None:
    """Plays the events, then fair weather until everything has settled."""
    for kind, number, weather in happened:
        made.provider.weather = lambda now=weather: now  # type: ignore[misc]  # the loop's own
        match kind:
            case "call":
                await made.call(number)
            case "cancel":
                await made.cancel_callers(number)
            case "crash":
                await made.crash(number)
            case "pause":
                made.clock.advance(timedelta(seconds=20))
            case "time":
                await made.pass_time(6)
            case _:
                await made.pass_time(0.3)
        assert made.provider.most_in_flight <= 1
    made.provider.weather = lambda: "answers"
    await made.pass_time(40)
    await made.call(0)
    await made.pass_time(400, step=4)
    await made.call(1)
    await made.pass_time(40)
    for engine in made.processes:
        assert not engine.renewals._running


@given(events(WEATHERS, "cancel"))
def test_without_crashes_and_losses_no_grant_is_ever_lost(happened: list[Event]) -> None:
    """Whatever the order of calls, cancellations, late answers and refusals."""

    async def run() -> None:
        made = await world(3)
        await play(made, [one for one in happened if one[2] != "502"])
        assert not made.provider.is_revoked
        assert made.provider.reuses == 0
        assert await made.stored_refresh_token() == made.provider.current
        assert isinstance(made.calls[1][-1].result(), AccessToken)

    asyncio.run(run())


@given(events(LOSSES, "cancel", "crash"))
def test_with_a_grace_every_crash_and_loss_is_recovered_from(happened: list[Event]) -> None:
    """Where the provider answers a spent token again for long enough."""

    async def run() -> None:
        made = await world(3, grace=timedelta(hours=1))
        await play(made, happened)
        assert not made.provider.is_revoked
        assert await made.stored_refresh_token() == made.provider.current
        assert isinstance(made.calls[1][-1].result(), AccessToken)

    asyncio.run(run())


@given(events(LOSSES, "cancel", "crash"))
def test_without_a_grace_what_is_lost_is_told_and_nothing_else_is_lost(
    happened: list[Event],
) -> None:
    """Either the grant lives and the row holds its token, or the verdict says that it was
    probably lost in rotation; never that the tenant's grant was simply refused."""

    async def run() -> None:
        made = await world(3)
        await play(made, happened)
        record = await made.record()
        if made.provider.is_revoked:
            assert record.status == "lost_rotation"
        else:
            assert record.status == "ok"
            assert await made.stored_refresh_token() == made.provider.current
        crashes = sum(kind == "crash" for kind, _, _ in happened)
        assert made.provider.reuses <= made.provider.lost + crashes

    asyncio.run(run())
