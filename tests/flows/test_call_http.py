"""A handler calls its connector's API over real HTTP: with the token, and nowhere else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx
import msgspec
import pytest
from returns.pipeline import is_successful
from returns.result import Result, Success

from igniter_connectors import (
    ActionCall,
    ActionFailed,
    ApiRateLimited,
    ApiRequestRefused,
    ApiResponseTooLarge,
    ApiUnauthorized,
    ApiUnreachable,
    Connector,
    ConnectorManager,
    HttpRequest,
    HttpResponse,
    MemoryStore,
    OAuthProvider,
    Principal,
    Problem,
    Secret,
    action,
    problem_of,
    value_or_raise,
)
from igniter_connectors.testing import (
    ManualClock,
    ProviderScript,
    ScriptedProvider,
    running_provider,
)
from igniter_connectors.testing.provider.loopback import Answer, Asked, serving
from tests.sample import KEYRING, Organization

ACME = Organization("acme")
WHO = Principal(ACME, "ada")
SECRET = "in-the-path-7f3a"


class Crm(msgspec.Struct, frozen=True):
    """Nothing but the authorization."""


class Bot(msgspec.Struct, frozen=True):
    """A token that stands in the path, as Telegram's does."""

    bot_token: Secret


class Ask(msgspec.Struct, frozen=True):
    """What the handler is to call."""

    method: str
    path: str
    idempotency_key: str | None = None
    seconds: float = 30.0
    limit_bytes: int = 1024


class Told(msgspec.Struct, frozen=True):
    """What came of it: a status, or the problem's code."""

    status: int = 0
    code: str = ""
    problem: str = ""


async def told(call: ActionCall[Crm | Bot, object, Ask]) -> Told:
    """Calls the API."""
    ask = call.input
    if ask.method == "ELSEWHERE":
        anywhere = await call.http.send_anywhere_without_token(HttpRequest("GET", ask.path))
        return _told(anywhere)
    answer = await call.http.request(
        ask.method,
        ask.path,
        json={"a": 1} if ask.method == "POST" else msgspec.UNSET,
        idempotency_key=ask.idempotency_key,
        deadline=timedelta(seconds=ask.seconds),
        limit_bytes=ask.limit_bytes,
    )
    return _told(answer)


def _told(answer: Result[HttpResponse, Problem]) -> Told:
    if is_successful(answer):
        return Told(answer.unwrap().status)
    problem = answer.failure()
    return Told(0, type(problem).__name__, repr(problem))


@action("ask", input=Ask, output=Told)
async def ask_crm(call: ActionCall[Crm, object, Ask]) -> Result[Told, ActionFailed]:
    """With the connection's token."""
    return Success(await told(call))


@action("ask", input=Ask, output=Told)
async def ask_bot(call: ActionCall[Bot, object, Ask]) -> Result[Told, ActionFailed]:
    """With the token in the address."""
    return Success(await told(call))


class Api:
    """An API that asks the provider whether a token is good, and answers as it is told."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answers: list[Answer] = []
        self.accepts: Callable[[Secret], bool] = lambda _: True

    async def __call__(self, asked: Asked) -> Answer:
        """The next scripted answer, or 200."""
        self.asked.append(asked)
        _, _, token = asked.headers.get("authorization", "").partition(" ")
        if token and not self.accepts(Secret(token)):
            return Answer(401)
        return self.answers.pop(0) if self.answers else Answer(200, body=b"{}")


@asynccontextmanager
async def connected(
    script: ProviderScript | None = None,
) -> AsyncGenerator[
    tuple[Callable[..., Awaitable[Told]], Api, ScriptedProvider, ManualClock], None
]:
    """A CRM whose API is at `/v1` of an origin of its own."""
    clock, api = ManualClock(), Api()
    async with running_provider(script) as provider, serving(api) as origin:
        api.accepts = provider.accepts
        connector = (
            Connector.create("crm")
            .with_config(Crm)
            .with_api(f"{origin}/v1")
            .add_action(ask_crm)
            .with_oauth(
                OAuthProvider(
                    authorization_url=provider.authorization_url,
                    token_url=provider.token_url,
                    client_id="app",
                    client_secret=Secret("s"),
                )
            )
            .build()
        )
        connectors = (
            ConnectorManager.create()
            .with_database(MemoryStore(clock=clock))
            .with_encryption(KEYRING)
            .with_base_url("http://127.0.0.1:9")
            .with_clock(clock)
            .add_scope(Organization)
            .add_connector(connector)
            .build()
        )
        async with connectors, httpx.AsyncClient() as browser:
            at = connectors.scope(ACME).at(connector)
            ticket = value_or_raise(await at.authorize(Crm(), subject="ada")).url
            begun = await connectors.handle(HttpRequest("GET", ticket), principal=WHO)
            callback = (await browser.get(begun.header("location") or "")).headers["location"]
            cookie = (begun.header("set-cookie") or "").partition(";")[0]
            await connectors.handle(
                HttpRequest("GET", callback, (("cookie", cookie),)), principal=WHO
            )

            async def ask(method: str, path: str, **rest: object) -> Told:
                given = msgspec.convert({"method": method, "path": path, **rest}, Ask)
                return value_or_raise(await at.action(ask_crm).call(given))

            yield ask, api, provider, clock


async def test_the_token_goes_to_the_api_and_to_no_other_origin() -> None:
    """However the other origin is written; and a redirect is an answer."""
    async with connected() as (ask, api, provider, _), serving(other := Api()) as elsewhere:
        assert await ask("GET", "/users?page=2") == Told(200)
        (asked,) = api.asked
        assert (asked.path, asked.query) == ("/v1/users", {"page": "2"})
        assert asked.headers["authorization"] == f"Bearer {provider.grants[0].access_token}"
        host = elsewhere.removeprefix("http:")
        for path in (f"{elsewhere}/x", host, f"http:{host}", f"\\{host}", f"/..{host}/../..{host}"):
            answer = await ask("GET", path)
            assert answer.status in (0, 200)
            if answer.status == 0:
                assert answer.code == ApiRequestRefused.__name__
        api.answers = [Answer(307, {"location": f"{elsewhere}/x"})]
        assert await ask("GET", "/moved") == Told(307)
        assert other.asked == []


async def test_a_401_renews_once_and_tries_once_more() -> None:
    """Whatever the method, since nothing was done; and not a token that is a minute young."""
    async with connected() as (ask, api, provider, clock):
        (grant,) = provider.grants
        clock.advance(timedelta(minutes=2))
        grant.access_tokens.clear()
        assert await ask("POST", "/users") == Told(200)
        assert (grant.rotations, len(api.asked)) == (1, 2)
        grant.access_tokens.clear()
        assert (await ask("GET", "/users")).code == ApiUnauthorized.__name__
        assert (grant.rotations, len(api.asked)) == (1, 3)


async def test_only_what_may_be_done_twice_is_repeated_after_trouble() -> None:
    """A POST alone is not, unless it carries an idempotency key; after 429 anything is."""
    async with connected() as (ask, api, _, clock):
        cases = [
            ("GET", 503, None, 2),
            ("POST", 503, None, 1),
            ("POST", 503, "key-1", 2),
            ("POST", 429, None, 2),
        ]
        for method, status, key, requests in cases:
            api.asked.clear()
            api.answers = [Answer(status)]
            running = ask(method, "/users", idempotency_key=key)
            answer = await passing(clock, running)
            assert answer.status == (200 if requests == 2 else status)
            assert len(api.asked) == requests
            keys = {one.headers.get("idempotency-key") for one in api.asked}
            assert keys == {key}


async def test_retry_after_is_waited_for_within_the_deadline_alone() -> None:
    """In seconds or as a date; beyond the deadline the answer comes at once."""
    async with connected() as (ask, api, _, clock):
        at = datetime(2026, 1, 1, tzinfo=UTC)
        for value in ("20", (clock.now() + timedelta(seconds=40)).strftime("%a, %d %b %Y %T GMT")):
            api.answers = [Answer(429, {"retry-after": value})]
            began = clock.monotonic()
            assert (await passing(clock, ask("GET", "/users", seconds=60.0))).status == 200
            assert clock.monotonic() - began >= 15
        assert at < clock.now()
        api.answers = [Answer(429, {"retry-after": "61"})]
        began = clock.monotonic()
        limited = await ask("GET", "/users", seconds=60.0)
        assert limited.code == ApiRateLimited.__name__
        assert clock.monotonic() == began


async def test_what_is_too_large_or_gone_is_a_problem() -> None:
    """And no byte over the cap is kept."""
    async with connected() as (ask, api, _, clock):
        api.answers = [Answer(200, body=b"x" * 1025)]
        assert (await ask("GET", "/users")).code == ApiResponseTooLarge.__name__
        api.answers = [Answer(200, is_dropped=True)]
        assert (await ask("POST", "/users")).code == ApiUnreachable.__name__
        api.answers = [Answer(200, is_dropped=True)] * 4
        assert (await passing(clock, ask("GET", "/users"))).code == ApiUnreachable.__name__


async def test_a_secret_in_the_path_or_the_token_reaches_no_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """At DEBUG, and with the trouble that would make one talk."""
    caplog.set_level(logging.DEBUG)
    api = Api()
    async with serving(api) as origin:
        bot = (
            Connector.create("bot")
            .with_config(Bot)
            .with_api(f"{origin}/bot{{bot_token}}")
            .add_action(ask_bot)
            .build()
        )
        connectors = (
            ConnectorManager.create()
            .with_database(MemoryStore())
            .with_encryption(KEYRING)
            .add_scope(Organization)
            .add_connector(bot)
            .build()
        )
        async with connectors:
            at = connectors.scope(ACME).at(bot)
            value_or_raise(await at.connect(Bot(Secret(SECRET))))
            api.answers = [Answer(200), Answer(500), Answer(200, is_dropped=True)]
            for path in ("/getMe", "/sendMessage", "/sendMessage", "http://evil.example/"):
                answer = await at.action(ask_bot).call(Ask("POST", path))
                assert problem_of(answer) is None
                assert SECRET not in value_or_raise(answer).problem
        assert {asked.path for asked in api.asked} == {
            f"/bot{SECRET}/getMe",
            f"/bot{SECRET}/sendMessage",
        }
    async with connected() as (ask, _, provider, _clock):
        # The browser that the test played is not ours, and talks.
        caplog.clear()
        await ask("GET", "/users")
        for token in provider.issued:
            assert token not in caplog.text
    assert SECRET not in caplog.text


async def test_another_origin_is_reached_by_a_name_that_says_so() -> None:
    """Never with the connection's own token in it."""
    async with connected() as (ask, api, provider, _), serving(other := Api()) as elsewhere:
        assert await ask("ELSEWHERE", elsewhere) == Told(200)
        assert "authorization" not in other.asked[0].headers
        token = provider.grants[0].access_token
        refused = await ask("ELSEWHERE", f"{elsewhere}/?t={token}")
        assert refused.code == ApiRequestRefused.__name__
        assert token not in refused.problem
        assert (len(other.asked), len(api.asked)) == (1, 0)


async def passing(clock: ManualClock, running: Awaitable[Told]) -> Told:
    """Lets the clock run until the call is over."""
    task = asyncio.ensure_future(running)
    while not task.done():
        await asyncio.sleep(0.01)
        clock.advance(timedelta(seconds=0.5))
    return await task
