"""`call.http` over real HTTP: who gets the token, what is repeated, and what nobody sees."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from igniter_connectors import (
    ActionCall,
    ActionFailed,
    ApiClient,
    Connector,
    ConnectorManager,
    Connectors,
    HttpLimits,
    HttpRequest,
    HttpResponse,
    MemoryStore,
    OAuthProvider,
    Principal,
    Secret,
    Webhook,
    WebhookCall,
    WebhookFailed,
    action,
    value_or_raise,
)
from igniter_connectors.adapters.httpx_client import HttpxClient
from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.problem import (
    ApiProblem,
    ApiRateLimited,
    ApiRequestRefused,
    ApiResponseTooLarge,
    ApiUnauthorized,
    ApiUnreachable,
    DatabaseFailed,
    NeedsReauth,
    RefreshFailed,
)
from igniter_connectors.ports import HttpClient, StoreUnavailable
from igniter_connectors.testing import (
    FakeHttp,
    FakeOAuthProvider,
    ManualClock,
    ProviderScript,
    json_response,
    running_provider,
    sign_webhook,
)
from igniter_connectors.typing import HttpFailed
from igniter_connectors.webhooks import StandardWebhooks
from tests.flows.scripted_api import Api, running_api
from tests.sample import CANARY, KEYRING, Organization

ACME = Organization("acme")
KEY = ConnectionKey("organization", "acme", "crm")
OK = HttpResponse(200, body=b'{"id":7}')

Ask = Callable[[ApiClient], Awaitable[object]]


class Nothing(msgspec.Struct, frozen=True):
    """No config, and no input."""


class Note(msgspec.Struct, frozen=True):
    """A webhook's payload."""

    text: str


class Bot(msgspec.Struct, frozen=True):
    """A token that stands in the address, as Telegram has it; a host of the tenant's."""

    token: Secret
    subdomain: str = "acme"


@dataclass
class Handler:
    """What the next handler does with its client, and what came of it."""

    ask: Ask
    answers: list[Any] = field(default_factory=list)

    async def run(self, http: ApiClient) -> None:
        """Asks, and keeps the answer."""
        self.answers.append(await self.ask(http))


@dataclass
class Site:
    """An application with an OAuth connector whose API is apart from its provider."""

    connectors: Connectors[Nothing, Organization]
    connector: Any
    use: Any
    handler: Handler
    provider: FakeOAuthProvider
    clock: ManualClock
    store: MemoryStore

    async def ask(self, ask: Ask) -> Any:
        """What one action's handler got."""
        self.handler.ask = ask
        at = self.connectors.scope(ACME).at(self.connector)
        value_or_raise(await at.action(self.use).call(Nothing()))
        return self.handler.answers[-1]

    def token(self, generation: int) -> str:
        """What is sent with the tokens of this generation: a code, then a pair for each."""
        return f"Bearer {self.provider.issued[2 * generation]}"


async def authorize(connectors: Connectors[Nothing, Organization], connector: Any) -> None:
    """What a person does at the provider's own pages."""
    at = connectors.scope(ACME).at(connector)
    begun = value_or_raise(await at.authorize(Nothing(), subject="ada", return_to="/done"))
    who = Principal(ACME, "ada")
    started = await connectors.handle(HttpRequest("GET", begun.url), principal=who)
    browser = HttpxClient(logger=logging.getLogger("tests.browser"))
    consent = await browser.send(HttpRequest("GET", started.header("location") or ""))
    await browser.close()
    cookie = (started.header("set-cookie") or "").partition(";")[0]
    callback = HttpRequest("GET", consent.unwrap().header("location") or "", (("Cookie", cookie),))
    finished = await connectors.handle(callback, principal=who)
    assert finished.header("location") == "/done?connected=crm"


@asynccontextmanager
async def oauth_site(api: Api, **script: Any) -> AsyncGenerator[Site, None]:
    """The application, its tenant authorized through the provider's own pages."""
    clock = ManualClock()
    store = MemoryStore(clock=clock)
    handler = Handler(lambda http: http.get("/"))

    @action("use", input=Nothing, output=None)
    async def use(call: ActionCall[Nothing, object, Nothing]) -> Result[None, ActionFailed]:
        await handler.run(call.http)
        return Success(None)

    async def on_note(call: WebhookCall[Nothing, object, Note]) -> Result[None, WebhookFailed]:
        await handler.run(call.http)
        return Success(None)

    async with running_provider(ProviderScript(**script)) as provider:
        connector = (
            Connector.create("crm")
            .with_config(Nothing)
            .with_api(f"{api.url}/v1")
            .add_action(use)
            .with_webhook(Webhook(payload=Note, verification=StandardWebhooks(), handler=on_note))
            .with_oauth(
                OAuthProvider(
                    authorization_url=provider.authorization_url,
                    token_url=provider.token_url,
                    client_id=provider.client_id,
                    client_secret=provider.client_secret,
                )
            )
            .build()
        )
        connectors = (
            ConnectorManager.create()
            .with_database(store)
            .with_encryption(KEYRING)
            .with_base_url("http://127.0.0.1:1")
            .with_clock(clock)
            .add_scope(Organization)
            .add_connector(connector)
            .build()
        )
        async with connectors:
            await authorize(connectors, connector)
            yield Site(connectors, connector, use, handler, provider, clock, store)


def getting(path: str) -> Ask:
    """Reads one path."""
    return lambda http: http.get(path)


def sending(request: HttpRequest) -> Ask:
    """Sends one request to wherever it says."""
    return lambda http: http.send_anywhere_without_token(request)


def always(answer: HttpResponse) -> Callable[[HttpRequest], HttpResponse]:
    """The same to everybody."""
    return lambda _: answer


def refusing(refused: set[str | None]) -> Callable[[HttpRequest], HttpResponse]:
    """401 to these authorizations, and 200 to any other."""
    return lambda one: HttpResponse(401) if one.header("authorization") in refused else OK


async def test_a_handler_calls_its_api_with_its_connections_token() -> None:
    """Path below the base, query, JSON, and the answer read as its type."""
    async with running_api(always(OK)) as api, oauth_site(api) as site:
        answer = await site.ask(
            lambda http: http.post("/users", query={"dry": True}, json={"name": "Ada"})
        )
        assert answer.unwrap().decode(dict[str, int]) == Success({"id": 7})
        (request,) = api.requests
        assert (request.method, request.url, request.body) == (
            "POST",
            "/v1/users?dry=true",
            b'{"name":"Ada"}',
        )
        assert request.header("authorization") == site.token(1)
        assert request.header("content-type") == "application/json"


async def test_the_token_goes_to_no_other_origin() -> None:
    """Neither by an address, nor by a redirect, nor by hand."""
    async with running_api(always(OK)) as trap:
        host = trap.url.removeprefix("http://")
        moved = HttpResponse(307, (("Location", f"{trap.url}/"),))
        async with running_api(always(moved)) as api, oauth_site(api) as site:
            own = api.url.removeprefix("http://")
            for path in (
                f"//{host}/x",
                f"/\\{host}/x",
                f"\\\\{host}/x",
                f"{trap.url}/x",
                f"http://{own}@{host}/x",
                f"http:{host}/x",
                f"https://{own}/x",
            ):
                answer = await site.ask(getting(path))
                assert isinstance(answer.failure(), ApiRequestRefused), path
            host_header = await site.ask(lambda http: http.get("/x", headers={"Host": host}))
            assert isinstance(host_header.failure(), ApiRequestRefused)
            assert api.requests == []
            assert (await site.ask(lambda http: http.get("/x"))).unwrap().status == 307
            token = site.token(1)
            for by_hand in (
                HttpRequest("GET", f"{trap.url}/", (("Authorization", token),)),
                HttpRequest("GET", f"{trap.url}/?t={token.removeprefix('Bearer ')}"),
                HttpRequest("POST", f"{trap.url}/", (), token.encode()),
            ):
                answer = await site.ask(sending(by_hand))
                assert isinstance(answer.failure(), ApiRequestRefused)
            assert trap.requests == []
            free = await site.ask(sending(HttpRequest("GET", f"{trap.url}/")))
            assert free == Success(free.unwrap())
            assert trap.authorizations == [None]
            same = await site.ask(lambda http: http.get(f"{api.url}/next?page=2"))
            assert same.unwrap().status == 307
            assert api.authorizations == [token, token]


async def test_a_401_renews_once_and_the_call_succeeds() -> None:
    """A POST too; and the handler's next call begins with the new token."""
    refused: set[str | None] = set()
    async with running_api(refusing(refused)) as api, oauth_site(api) as site:
        refused.add(site.token(1))
        site.clock.advance(timedelta(seconds=60))

        async def twice(http: ApiClient) -> list[object]:
            return [await http.post("/a", body=b"x"), await http.get("/b")]

        first, second = await site.ask(twice)
        assert (first.unwrap().status, second.unwrap().status) == (200, 200)
        assert api.authorizations == [site.token(1), site.token(2), site.token(2)]
        assert [request.body for request in api.requests] == [b"x", b"x", b""]
        assert site.provider.refresh_requests == 1


async def test_a_token_that_was_replaced_goes_nowhere_by_hand_either() -> None:
    """It may live on at the provider for a while."""
    refused: set[str | None] = set()
    async with running_api(refusing(refused)) as api, oauth_site(api) as site:
        refused.add(site.token(1))
        site.clock.advance(timedelta(minutes=5))

        async def renewed(http: ApiClient) -> list[Any]:
            value_or_raise(await http.get("/"))
            headers = ((("Authorization", site.token(one)),) for one in (1, 2))
            return [
                await http.send_anywhere_without_token(HttpRequest("GET", api.url, header))
                for header in headers
            ]

        for answer in await site.ask(renewed):
            assert isinstance(answer.failure(), ApiRequestRefused)
        assert len(api.requests) == 2


async def test_an_api_that_refuses_every_token_is_asked_twice() -> None:
    """One renewal, and none for the token that is just born."""
    async with running_api(always(HttpResponse(401))) as api, oauth_site(api) as site:
        site.clock.advance(timedelta(seconds=60))
        for _ in range(3):
            assert await site.ask(lambda http: http.get("/")) == Failure(ApiUnauthorized("crm"))
        assert site.provider.refresh_requests == 1
        assert len(api.requests) == 4


async def test_a_young_token_is_not_renewed_for_a_401() -> None:
    """At 59 s it stays."""
    async with running_api(always(HttpResponse(401))) as api, oauth_site(api) as site:
        site.clock.advance(timedelta(seconds=59))
        assert await site.ask(lambda http: http.get("/")) == Failure(ApiUnauthorized("crm"))
        assert (len(api.requests), site.provider.refresh_requests) == (1, 0)


async def test_calls_that_meet_a_401_together_make_one_refresh() -> None:
    """Ten handlers, one new token, no grant lost."""
    refused: set[str | None] = set()
    async with running_api(refusing(refused)) as api, oauth_site(api) as site:
        refused.add(site.token(1))
        site.clock.advance(timedelta(minutes=5))
        site.provider.script.answer_after_seconds = 0.05

        async def ten(http: ApiClient) -> list[Any]:
            return list(await asyncio.gather(*(http.get("/") for _ in range(10))))

        answers = await site.ask(ten)
        assert [answer.unwrap().status for answer in answers] == [200] * 10
        assert (site.provider.refresh_requests, site.provider.refused) == (1, 0)


async def test_a_newer_token_in_the_row_is_used_without_a_request() -> None:
    """Somebody else renewed while the handler was at work."""
    refused: set[str | None] = set()
    async with running_api(refusing(refused)) as api, oauth_site(api) as site:
        refused.add(site.token(1))
        site.clock.advance(timedelta(minutes=5))

        async def overtaken(http: ApiClient) -> object:
            site.handler.ask = lambda other: other.get("/other")
            at = site.connectors.scope(ACME).at(site.connector)
            value_or_raise(await at.action(site.use).call(Nothing()))
            return await http.get("/mine")

        assert (await site.ask(overtaken)).unwrap().status == 200
        assert site.provider.refresh_requests == 1
        assert api.authorizations == [
            site.token(1),
            site.token(2),
            site.token(1),
            site.token(2),
        ]


async def test_a_dead_grant_is_told_as_such() -> None:
    """The handler hears that the tenant has to authorize again."""
    async with running_api(always(HttpResponse(401))) as api, oauth_site(api) as site:
        site.provider.revoke_all()
        site.clock.advance(timedelta(minutes=5))
        dead = Failure(NeedsReauth("crm", "needs_reauth"))

        async def twice(http: ApiClient) -> list[object]:
            return [await http.get("/"), await http.get("/")]

        assert await site.ask(twice) == [dead, dead]
        assert site.provider.refresh_requests == 1


async def test_a_connection_that_is_gone_gets_no_other_ones_token() -> None:
    """Disconnected, or connected anew, while the handler was at work; and a database that does
    not answer."""
    async with running_api(always(HttpResponse(401))) as api, oauth_site(api) as site:
        site.clock.advance(timedelta(minutes=5))
        find = site.store.find

        async def disconnected(http: ApiClient) -> object:
            await site.store.disconnect(KEY, revocation=None, now=datetime.now(UTC))
            return await http.get("/")

        async def away(*_: object) -> None:
            raise StoreUnavailable("away")

        async def unanswered(http: ApiClient) -> object:
            site.store.find = away  # type: ignore[method-assign, assignment]  # the outage
            try:
                return await http.get("/")
            finally:
                site.store.find = find  # type: ignore[method-assign]  # its end

        async def connected_anew(http: ApiClient) -> object:
            await site.store.disconnect(KEY, revocation=None, now=datetime.now(UTC))
            await authorize(site.connectors, site.connector)
            return await http.get("/")

        assert await site.ask(unanswered) == Failure(DatabaseFailed())
        assert await site.ask(connected_anew) == Failure(NeedsReauth("crm", "disconnected"))
        assert await site.ask(disconnected) == Failure(NeedsReauth("crm", "disconnected"))
        assert site.provider.refresh_requests == 0


async def test_a_renewal_that_outlasts_the_deadline_is_not_waited_for() -> None:
    """It goes on, and serves the next call."""
    refused: set[str | None] = set()
    async with running_api(refusing(refused)) as api, oauth_site(api) as site:
        refused.add(site.token(1))
        site.clock.advance(timedelta(minutes=5))
        site.provider.script.answer_after_seconds = 0.5
        brief = timedelta(milliseconds=150)
        answer = await site.ask(lambda http: http.get("/", deadline=brief))
        assert answer == Failure(RefreshFailed("crm"))
        assert (await site.ask(lambda http: http.get("/"))).unwrap().status == 200
        assert (site.provider.refresh_requests, site.provider.refused) == (1, 0)


async def test_a_token_that_expires_under_a_handler_is_renewed_before_it_is_sent() -> None:
    """An API may answer 400 to an old one."""
    async with running_api(always(OK)) as api, oauth_site(api) as site:

        async def slow(http: ApiClient) -> object:
            site.clock.advance(timedelta(hours=1))
            return await http.get("/")

        assert (await site.ask(slow)).unwrap().status == 200
        assert api.authorizations == [site.token(2)]


async def test_a_webhooks_handler_has_the_same_client() -> None:
    """Its token is opened when it is needed, and renewed where it has expired."""
    async with running_api(always(OK)) as api, oauth_site(api) as site:
        at = site.connectors.scope(ACME).at(site.connector)
        endpoint = value_or_raise(await at.create_webhook())
        site.handler.ask = lambda http: http.get("/told")
        for generation in (1, 2):
            body = msgspec.json.encode(Note(str(generation)))
            request = sign_webhook(
                StandardWebhooks(), endpoint, body, now=site.clock.now(), event_id=f"e{generation}"
            )
            assert (await site.connectors.handle(request)).status == 204
            await site.connectors.settled()
            assert api.authorizations[-1] == site.token(generation)
            site.clock.advance(timedelta(hours=1))
        assert [request.url for request in api.requests] == ["/v1/told", "/v1/told"]


# --- on a config, with answers that are played ----------------------------------------


@asynccontextmanager
async def bot_site(
    http: HttpClient | None, base: str | None, *, clock: ManualClock | None = None
) -> AsyncGenerator[Callable[..., Awaitable[Any]], None]:
    """What asks as a bot; `default=True` asks on the application's own config."""
    handler = Handler(lambda http: http.get("/"))

    @action("use", input=Nothing, output=None)
    async def use(call: ActionCall[Bot, object, Nothing]) -> Result[None, ActionFailed]:
        await handler.run(call.http)
        return Success(None)

    own = Bot(Secret("application's own"), "own")
    draft = Connector.create("bot").with_config(Bot).with_default_config(own).add_action(use)
    bot = (draft if base is None else draft.with_api(base)).build()
    builder = ConnectorManager.create().with_database(MemoryStore()).with_encryption(KEYRING)
    ready = builder.add_scope(Organization).add_connector(bot)
    ready = ready if http is None else ready.with_http(http)
    connectors = (ready if clock is None else ready.with_clock(clock)).build()
    async with connectors:
        at = connectors.scope(ACME).at(bot)

        async def ask(ask: Ask, *, config: Bot | None = None, default: bool = False) -> Any:
            handler.ask = ask
            if default:
                value_or_raise(await connectors.action(bot, use).call(Nothing()))
                return handler.answers[-1]
            value_or_raise(await at.connect(config or Bot(Secret(CANARY))))
            value_or_raise(await at.action(use).call(Nothing()))
            value_or_raise(await at.disconnect())
            return handler.answers[-1]

        yield ask


async def test_a_config_connector_sends_what_the_handler_gives() -> None:
    """No token of ours; an API key by the handler's hand; a 401 is told."""
    http = FakeHttp([json_response([1]), HttpResponse(401), HttpResponse(200)])
    async with bot_site(http, "https://{subdomain}.example.com/bot{token}") as ask:
        answer = await ask(lambda http: http.get("/me", headers={"Authorization": "Key k"}))
        assert answer.unwrap().decode(list[int]) == Success([1])
        assert await ask(lambda http: http.get("/me")) == Failure(ApiUnauthorized("bot"))
        assert (await ask(lambda http: http.get("/me"), default=True)).unwrap().status == 200
    first, second, third = http.requests
    assert first.url == f"https://acme.example.com/bot{CANARY}/me"
    assert [one.header("authorization") for one in http.requests] == ["Key k", None, None]
    assert second.url == first.url
    assert third.url == "https://own.example.com/botapplication%27s%20own/me"


async def test_a_tenants_host_and_a_missing_base_are_told_before_anything_is_sent() -> None:
    """The handler hears the rule, never the value."""
    http = FakeHttp([])
    async with bot_site(http, "https://{subdomain}.example.com") as ask:
        evil = Bot(Secret("t"), f"evil.com/{CANARY}")
        answer = await ask(lambda http: http.get("/me"), config=evil)
        assert answer == Failure(
            ApiRequestRefused("bot", "the config's subdomain is not one DNS label")
        )
    async with bot_site(http, None) as ask:
        for path in ("/me", "https://api.example.com/me"):
            answer = await ask(getting(path))
            assert "with_api" in answer.failure().reason
    assert http.requests == []


async def test_waits_are_the_clocks_and_end_before_the_deadline() -> None:
    """Retry-After is slept; one that ends at the deadline is told instead."""
    clock = ManualClock()
    limited = HttpResponse(429, (("retry-after", "20"),))
    http = FakeHttp([limited, OK, limited, limited])
    async with bot_site(http, "https://api.example.com", clock=clock) as ask:
        asking = asyncio.ensure_future(ask(lambda http: http.post("/x", body=b"1")))
        await asyncio.sleep(0.05)
        assert len(http.requests) == 1
        clock.advance(timedelta(seconds=20))
        assert await asking == Success(OK)
        asking = asyncio.ensure_future(ask(lambda http: http.post("/x", body=b"1")))
        await asyncio.sleep(0.05)
        clock.advance(timedelta(seconds=20))
        until = clock.now() + timedelta(seconds=20)
        assert await asking == Failure(ApiRateLimited("bot", until))
    assert len(http.requests) == 4


async def test_a_clock_that_ran_past_the_deadline_sends_nothing_more() -> None:
    """A process that was paused during a wait."""
    clock = ManualClock()
    http = FakeHttp([HttpResponse(503, (("retry-after", "5"),))])
    async with bot_site(http, "https://api.example.com", clock=clock) as ask:
        asking = asyncio.ensure_future(ask(lambda http: http.get("/x")))
        await asyncio.sleep(0.05)
        clock.advance(timedelta(seconds=30))
        assert await asking == Failure(ApiUnreachable("bot", sent=True))
    assert len(http.requests) == 1


async def test_one_deadline_counts_for_everything() -> None:
    """An API that never answers is given up when the time is over, not later."""
    async with running_api(lambda _: None) as api, bot_site(None, api.url) as ask:
        async with asyncio.timeout(5):
            answer = await ask(lambda http: http.get("/", deadline=timedelta(milliseconds=200)))
    assert answer == Failure(ApiUnreachable("bot", sent=True))
    assert len(api.requests) == 1


async def test_an_answer_has_the_length_that_the_caller_allows() -> None:
    """1 MiB unless said; the cap holds while the body streams in."""
    length = 1024 * 1024 + 1
    async with running_api(always(HttpResponse(200, body=b"x" * length))) as api:
        async with bot_site(None, api.url) as ask:
            assert await ask(lambda http: http.get("/")) == Failure(
                ApiResponseTooLarge("bot", length - 1)
            )
            whole = await ask(lambda http: http.get("/", limit_bytes=length))
            assert len(whole.unwrap().body) == length
    assert len(api.requests) == 2


async def test_what_is_sent_elsewhere_has_the_same_limits() -> None:
    """One request, its failures as problems, and no repetition."""
    http = FakeHttp(
        [
            HttpResponse(503),
            HttpFailed(sent=False),
            HttpFailed(sent=True),
            OK,
            json_response("x" * 9),
        ]
    )
    request = HttpRequest("GET", "https://other.example/")
    async with bot_site(http, None) as ask:

        async def send(**limits: Any) -> Any:
            return await ask(lambda http: http.send_anywhere_without_token(request, **limits))

        assert (await send()).unwrap().status == 503
        assert await send() == Failure(ApiUnreachable("bot", sent=False))
        assert await send() == Failure(ApiUnreachable("bot", sent=True))
        assert await send() == Success(OK)
        assert await send(limit_bytes=10) == Failure(ApiResponseTooLarge("bot", 10))
    assert http.requests == [request] * 5


# --- what nobody sees -----------------------------------------------------------------


def forms(secret: str) -> set[str]:
    """The ways in which a log could write a secret."""
    octets = secret.encode()
    plain = {secret, quote(secret), quote(secret, safe=""), octets.hex(), repr(secret)[1:-1]}
    return plain | {base64.b64encode(octets).decode().rstrip("=")}


async def test_no_log_shows_a_token(caplog: pytest.LogCaptureFixture) -> None:
    """Neither one in an address nor a bearer's, at DEBUG, in success, 401, 503 and failure."""
    caplog.set_level(logging.DEBUG)
    shown: list[str] = []

    def keep(answer: Result[HttpResponse, ApiProblem]) -> None:
        shown.append(repr(answer))
        if isinstance(answer, Failure):
            problem: ApiProblem = answer.failure()
            shown.extend([problem.message, msgspec.json.encode(problem).decode()])

    statuses = iter([200, 401, 503, 200, 429, 200, 401, 401, 503, 200, 200])

    def by_turns(_: HttpRequest) -> HttpResponse:
        return HttpResponse(next(statuses), (("retry-after", "0"),), CANARY.encode())

    async with running_api(by_turns) as api:
        async with bot_site(None, f"{api.url}/bot{{token}}") as ask:
            keep(await ask(lambda http: http.get(f"/{CANARY}")))
            keep(await ask(lambda http: http.get("/x", query={"q": CANARY})))
            keep(await ask(lambda http: http.get("/x", headers={"X-Key": CANARY})))
            keep(await ask(lambda http: http.post("/x", json={"k": CANARY})))
            keep(await ask(lambda http: http.get(f"//{CANARY}.example")))
            keep(await ask(lambda http: http.get("/x", headers={"X": f"{CANARY}\r\n"})))
            keep(await ask(lambda http: http.get("/x", headers={"Host": CANARY})))
        async with oauth_site(api) as site:
            site.clock.advance(timedelta(minutes=5))
            keep(await site.ask(lambda http: http.get("/")))
            shown.append(repr(site.handler))
            secrets = [*site.provider.issued, site.provider.client_secret.reveal(), CANARY]
    async with bot_site(None, f"{api.url}/bot{{token}}") as ask:
        keep(await ask(lambda http: http.get("/x", deadline=timedelta(seconds=0.1))))
    log = "\n".join(f"{record.name} {record.getMessage()}" for record in caplog.records)
    assert "answered 401" in log
    assert " failed: " in log
    for secret in secrets:
        for form in forms(secret):
            assert form not in log
            assert all(form not in text for text in shown)


async def test_an_exception_out_of_a_handler_shows_no_token(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Careless code quotes its call and its client in what it raises."""
    caplog.set_level(logging.DEBUG)
    raised: list[str] = []

    async def careless(http: ApiClient) -> None:
        answer = await http.get("/")
        raised.append(f"{http!r} {answer!r} {answer.unwrap()!r}")
        raise RuntimeError(raised[-1])

    async with running_api(always(OK)) as api, oauth_site(api) as site:
        site.handler.ask = careless
        at = site.connectors.scope(ACME).at(site.connector)
        failed = await at.action(site.use).call(Nothing())
        assert failed.failure() == ActionFailed("crm", "use", "the handler raised RuntimeError")
        assert raised
        for secret in site.provider.issued:
            assert secret not in caplog.text + raised[0]


# --- shares -------------------------------------------------------------------------------------


async def test_hanging_calls_of_one_tenant_delay_nobody_else() -> None:
    """101 calls that the API never answers: others get through, and the tenant is told why not."""

    @action("read", input=Note, output=None)
    async def read(call: ActionCall[Nothing, object, Note]) -> Result[None, ActionFailed]:
        answer = await call.http.get(call.input.text, deadline=timedelta(seconds=60))
        return Success(None) if is_successful(answer) else call.failed("no")

    @action("hurry", input=Note, output=None)
    async def hurry(call: ActionCall[Nothing, object, Note]) -> Result[None, ActionFailed]:
        answer = await call.http.get(call.input.text, deadline=timedelta(milliseconds=50))
        anywhere = await call.http.send_anywhere_without_token(
            HttpRequest("GET", f"{api.url}/quick"), deadline=timedelta(milliseconds=50)
        )
        return call.failed(
            f"{answer.failure().code} {anywhere.failure().code} {answer.failure().message}"
        )

    def answer(request: HttpRequest) -> HttpResponse | None:
        return None if request.url == "/hang" else HttpResponse(200)

    async with running_api(answer) as api:
        connector = (
            Connector.create("crm")
            .with_config(Nothing)
            .with_api(api.url)
            .add_action(read)
            .add_action(hurry)
            .build()
        )
        connectors = (
            ConnectorManager.create()
            .with_database(MemoryStore())
            .with_encryption(KEYRING)
            .add_scope(Organization)
            .add_connector(connector)
            .build()
        )
        async with connectors:
            slow, other = (connectors.scope(Organization(name)).at(connector) for name in "ab")
            for at in (slow, other):
                value_or_raise(await at.connect(Nothing()))
            calls = [asyncio.create_task(slow.action(read).call(Note("/hang"))) for _ in range(101)]
            limit = HttpLimits().requests_per_tenant
            while len(api.requests) < limit:  # noqa: ASYNC110  # the API tells nobody
                await asyncio.sleep(0.01)
            for _ in range(3):
                value_or_raise(await other.action(read).call(Note("/quick")))
            assert len(api.requests) == limit + 3
            told = (await slow.action(hurry).call(Note("/quick"))).failure()
            code = "CONNECTOR_API_CALLS_AT_LIMIT"
            assert f"{code} {code} " in str(told)
            assert f"all {limit} requests of its tenant were under way" in str(told)
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
            value_or_raise(await slow.action(read).call(Note("/quick")))
