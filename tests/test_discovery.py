"""Discovery from the issuer alone, over real HTTP, also from hostile servers."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest
from returns.result import Failure, Result, Success

from igniter_connectors import (
    Connector,
    ConnectorManager,
    HttpRequest,
    HttpResponse,
    MemoryStore,
    OAuthProvider,
    Principal,
    Secret,
    discover_provider,
    problem_of,
    value_or_raise,
)
from igniter_connectors.problems import DiscoveryFailed
from igniter_connectors.testing import FakeOAuthProvider, ProviderScript
from igniter_connectors.testing.provider.http_server import Request, Response, serve
from igniter_connectors.typing import HttpFailed
from tests.sample import KEYRING, Organization

CANARY = "zqCanary"
OPENID = "/.well-known/openid-configuration"
RFC8414 = "/.well-known/oauth-authorization-server"
LIMIT = 1024 * 1024


@dataclass
class Describing:
    """The scripted provider, with metadata that a test can change."""

    provider: FakeOAuthProvider = field(default_factory=lambda: FakeOAuthProvider(ProviderScript()))
    answers: dict[str, Response] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def answer(self, asked: Request) -> Response:
        """The metadata, or what the provider answers."""
        self.asked.append(asked.path)
        if "/.well-known/" in asked.path:
            return self.answers.get(asked.path, Response(404))
        return await self.provider.handle(asked)

    @property
    def issuer(self) -> str:
        """The origin of the server."""
        return self.provider.url

    def document(self, **changes: object) -> dict[str, Any]:
        """The true metadata with changes; None removes a member."""
        told = {
            "issuer": self.issuer,
            "authorization_endpoint": self.provider.authorization_url,
            "token_endpoint": self.provider.token_url,
            "userinfo_endpoint": self.provider.userinfo_url,
            "revocation_endpoint": self.provider.revocation_url,
            **changes,
        }
        return {name: value for name, value in told.items() if value is not None}

    def says(
        self,
        body: object,
        *,
        at: str = OPENID,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Sets what the server answers at a path from now on."""
        raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
        self.answers[at] = Response(status, dict(headers or {}), raw)

    async def found(self) -> Result[OAuthProvider, DiscoveryFailed]:
        """Calls the public function."""
        return await discover_provider(
            self.issuer,
            client_id=self.provider.client_id,
            client_secret=self.provider.client_secret,
            oauth_scopes=("read",),
        )

    async def refusal(self) -> str:
        """The reason of the failure. The problem contains the issuer and nothing of the answer."""
        problem = problem_of(await self.found())
        assert isinstance(problem, DiscoveryFailed)
        assert problem.issuer == self.issuer
        assert CANARY not in f"{problem!r} {problem.message}"
        return problem.reason


@asynccontextmanager
async def describing() -> AsyncGenerator[Describing, None]:
    """A server with true metadata, until a test changes it."""
    server = Describing()
    async with serve(server.answer) as server.provider.url:
        server.says(server.document())
        yield server


async def test_a_discovered_provider_is_one_to_connect_with() -> None:
    """From the issuer to a connection, without a single endpoint in the test."""

    class Config(msgspec.Struct, frozen=True):
        """A config without fields."""

    async with describing() as server:
        provider = value_or_raise(await server.found())
        connector = Connector.create("found").with_config(Config).with_oauth(provider).build()
        connectors = (
            ConnectorManager.create()
            .with_database(MemoryStore())
            .with_encryption(KEYRING)
            .with_base_url("http://127.0.0.1:9")
            .add_scope(Organization)
            .add_connector(connector)
            .build()
        )
        async with connectors, httpx.AsyncClient(trust_env=False) as browser:
            at = connectors.scope(Organization("acme")).at(connector)
            begun = value_or_raise(
                await at.authorize_without_browser_binding(Config(), subject="ada")
            )
            assert begun.url.startswith(server.provider.authorization_url)
            back = urlsplit((await browser.get(begun.url)).headers["location"])
            assert parse_qs(back.query).keys() == {"code", "state"}
            finished = await connectors.handle(
                HttpRequest("GET", back.geturl()), principal=Principal(Organization("acme"), "ada")
            )
            assert finished.header("location") == "/?connected=found"
            authorization = value_or_raise(await at.get()).authorization
            assert authorization is not None
            assert authorization.account is not None
            assert authorization.account.subject == "account-1"


async def test_all_that_a_client_says_of_itself_is_the_provider_s() -> None:
    """The values of the client are added to those of the metadata."""
    async with describing() as server:
        server.says(server.document(token_endpoint_auth_methods_supported=["client_secret_post"]))
        provider = value_or_raise(await server.found())
        assert provider == OAuthProvider(
            authorization_url=server.provider.authorization_url,
            token_url=server.provider.token_url,
            userinfo_url=server.provider.userinfo_url,
            revocation_url=server.provider.revocation_url,
            issuer=server.issuer,
            client_id=server.provider.client_id,
            client_secret=server.provider.client_secret,
            client_authentication="client_secret_post",
            oauth_scopes=("read",),
        )
        assert server.asked == [OPENID]


@pytest.mark.parametrize("path", ["", "/tenant"])
async def test_a_server_that_does_not_speak_openid_is_asked_as_rfc_8414_has_it(path: str) -> None:
    """The second document is requested only if the first does not exist."""
    async with describing() as server:
        issuer = f"{server.issuer}{path}"
        server.answers.clear()
        server.says(server.document(issuer=issuer), at=f"{RFC8414}{path}")
        found = await discover_provider(issuer, client_id="c")
        assert value_or_raise(found).token_url == server.provider.token_url
        assert server.asked == [f"{path}{OPENID}", f"{RFC8414}{path}"]


async def test_a_server_that_publishes_nothing_is_asked_everywhere_once() -> None:
    """There are two requests, or three if the issuer has a path."""
    async with describing() as server:
        server.answers.clear()
        assert await server.refusal() == "the document is not there: the server answered 404"
        assert server.asked == [OPENID, RFC8414]
        server.asked.clear()
        assert problem_of(await discover_provider(f"{server.issuer}/a", client_id="c")) is not None
        assert server.asked == [f"/a{OPENID}", f"{RFC8414}/a", f"{OPENID}/a"]


@pytest.mark.parametrize(
    "named", [f"https://{CANARY}.example", "{issuer}.evil.example", "{issuer}/tenant", ""]
)
async def test_another_issuer_s_document_is_refused(named: str) -> None:
    """No other address is requested: the answer is not trustworthy."""
    async with describing() as server:
        server.says(server.document(issuer=named.format(issuer=server.issuer)))
        server.says(server.document(), at=RFC8414)
        assert await server.refusal() == "the document names another issuer"
        assert server.asked == [OPENID]


async def test_the_issuer_is_compared_to_the_character() -> None:
    """An extra slash is reported, because it is the most common mistake."""
    async with describing() as server:
        server.says(server.document(issuer=f"{server.issuer}/"))
        assert (
            await server.refusal() == "the document names another issuer, by the slash at its end"
        )
        found = await discover_provider(f"{server.issuer}/", client_id="c")
        assert value_or_raise(found).issuer == f"{server.issuer}/"


@pytest.mark.parametrize(
    ("member", "field"),
    [
        ("authorization_endpoint", "authorization_url"),
        ("token_endpoint", "token_url"),
        ("userinfo_endpoint", "userinfo_url"),
        ("revocation_endpoint", "revocation_url"),
        ("jwks_uri", "jwks_url"),
    ],
)
@pytest.mark.parametrize(
    "url",
    [f"http://{CANARY}.example/", f"ftp://{CANARY}.example/", f"https://u:{CANARY}@x.example/"],
)
async def test_an_endpoint_that_secrets_may_not_be_sent_to_is_refused(
    member: str, field: str, url: str
) -> None:
    """The reason names the fault in our own words."""
    async with describing() as server:
        server.says(server.document(**{member: url}))
        assert (await server.refusal()).startswith(f"{field} must be https")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(status: int) -> None:
    """A redirect is not followed, not even to a valid document."""
    async with describing() as server:
        there = {"location": f"{server.issuer}{RFC8414}"}
        server.says(b"", status=status, headers=there)
        server.says(server.document(), at=RFC8414)
        assert await server.refusal() == "the server redirects, which is not followed"
        assert server.asked == [OPENID]


@pytest.mark.parametrize("over", [0, 1])
async def test_a_document_of_a_mebibyte_is_read_and_not_a_byte_more(over: int) -> None:
    """The body of a foreign server is read up to a limit."""
    async with describing() as server:
        document = msgspec.json.encode(server.document())
        server.says(document + b" " * (LIMIT + over - len(document)))
        if over:
            assert await server.refusal() == "the document is too long"
        else:
            assert problem_of(await server.found()) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>zqCanary</html>",
        b"[]",
        b'"zqCanary"',
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"issuer":"zqCanary',
    ],
)
async def test_what_is_no_document_is_told_and_not_quoted(body: bytes) -> None:
    """A page that answers at every address is not metadata."""
    async with describing() as server:
        server.says(body, headers={"content-type": "text/html"})
        assert await server.refusal() == "the document cannot be read at $"


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("issuer", None),
        ("issuer", 5),
        ("issuer", [CANARY]),
        ("authorization_endpoint", None),
        ("token_endpoint", {"url": CANARY}),
        ("userinfo_endpoint", 5),
        ("require_pushed_authorization_requests", CANARY),
        ("code_challenge_methods_supported", CANARY),
    ],
)
async def test_a_member_of_another_type_is_named(member: str, value: object) -> None:
    """The reason names the member as the RFC does, and not its value."""
    async with describing() as server:
        server.says(server.document(**{member: value}))
        assert await server.refusal() == f"the document cannot be read at $.{member}"


async def test_a_server_in_trouble_is_not_taken_for_one_that_tells_less() -> None:
    """The other document may lack the keys, and then ID tokens would not be validated."""
    async with describing() as server:
        server.says(server.document(), at=RFC8414)
        for status in (429, 500, 503):
            server.says(b"", status=status)
            assert str(status) in await server.refusal()
        assert set(server.asked) == {OPENID}


async def test_a_connection_that_breaks_is_a_problem() -> None:
    """So is a port on which nothing listens."""
    async with describing() as server:
        server.answers[OPENID] = Response(200, is_dropped=True)
        assert await server.refusal() == "the server cannot be reached"
    assert await server.refusal() == "the server cannot be reached"


async def test_what_the_server_does_not_take_is_told() -> None:
    """PKCE, and the authentication methods of the client."""
    async with describing() as server:
        server.says(server.document(code_challenge_methods_supported=["plain"]))
        assert await server.refusal() == "the server does not take PKCE with S256"
        server.says(server.document(token_endpoint_auth_methods_supported=["private_key_jwt"]))
        told = "the server takes no way to authenticate that this client has"
        assert await server.refusal() == told


async def test_nothing_of_an_answer_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Method, origin and status are logged; path and body are not."""
    caplog.set_level(logging.DEBUG)
    async with describing() as server:
        server.says({"issuer": CANARY}, headers={"x-canary": CANARY})
        _ = await server.refusal()
    assert "200" in caplog.text
    assert CANARY not in caplog.text


class OneAnswer:
    """An HTTP client of the application, which counts its requests."""

    def __init__(self, answer: HttpResponse | HttpFailed) -> None:
        self.asked: list[str] = []
        self._answer = answer

    async def send(
        self,
        request: HttpRequest,
        *,
        deadline: timedelta = timedelta(seconds=10),
        limit_bytes: int = LIMIT,
    ) -> Result[HttpResponse, HttpFailed]:
        """The same answer to every request."""
        assert deadline <= timedelta(seconds=10)
        assert limit_bytes <= LIMIT
        self.asked.append(request.url)
        answer = self._answer
        return Failure(answer) if isinstance(answer, HttpFailed) else Success(answer)


async def test_an_http_client_of_one_s_own_is_used() -> None:
    """For a proxy or a private CA. Metadata over https must not name an http endpoint."""
    issuer = "https://login.example"
    document = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": "https://token.example/",
    }
    http = OneAnswer(HttpResponse(200, (), msgspec.json.encode(document)))
    found = value_or_raise(await discover_provider(issuer, client_id="c", http=http))
    assert (found.issuer, found.token_url) == (issuer, "https://token.example/")
    assert http.asked == [f"{issuer}{OPENID}"]
    document["token_endpoint"] = "http://127.0.0.1:8080/admin"
    http = OneAnswer(HttpResponse(200, (), msgspec.json.encode(document)))
    problem = problem_of(await discover_provider(issuer, client_id="c", http=http))
    assert problem == DiscoveryFailed(issuer, "token_url is not https")


@pytest.mark.parametrize(
    ("issuer", "shown"),
    [
        ("http://login.example", "http://login.example"),
        (f"https://ada:{CANARY}@login.example", "https://login.example"),
        (f"https://login.example/?key={CANARY}", "https://login.example"),
        ("login.example", "-"),
    ],
)
async def test_what_is_no_issuer_is_not_asked(issuer: str, shown: str) -> None:
    """Nothing is sent, and a secret that was pasted into it is not repeated."""
    http = OneAnswer(HttpFailed(sent=False))
    problem = problem_of(await discover_provider(issuer, client_id="c", http=http))
    assert isinstance(problem, DiscoveryFailed)
    assert problem.issuer == shown
    assert http.asked == []


async def test_a_client_that_signs_needs_no_secret() -> None:
    """The key becomes part of the provider, where its form is validated."""
    issuer = "https://login.example"
    document = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
    }
    http = OneAnswer(HttpResponse(200, (), msgspec.json.encode(document)))
    found = await discover_provider(
        issuer,
        client_id="c",
        client_assertion_key=Secret(CANARY),
        client_assertion_algorithm="ES256",
        client_assertion_key_id="one",
        http=http,
    )
    problem = problem_of(found)
    assert isinstance(problem, DiscoveryFailed)
    assert "client_assertion_key" in problem.reason
    assert CANARY not in f"{problem!r} {problem.message}"
