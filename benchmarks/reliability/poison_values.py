"""Values that no store, header or JSON decoder takes, in every text that comes from outside.

Each value is put into each member of a token answer and of user info, into a callback and into a
config, on three stores. All stores must give the same answer.
"""

import asyncio
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import msgspec
from returns.result import Result, Success
from tests.postgres.databases import Databases
from tests.postgres.server import Server

from benchmarks.reliability.figure import Figure
from igniter_connectors import (
    Connector,
    ConnectorManager,
    Connectors,
    HttpRequest,
    HttpResponse,
    Keyring,
    MemoryStore,
    OAuthConnector,
    OAuthProvider,
    PostgresStore,
    Principal,
    Scope,
    Secret,
    SQLiteStore,
    problem_of,
)
from igniter_connectors.flows.oauth.revoke import revoke_due
from igniter_connectors.stores import Store
from igniter_connectors.typing import HttpFailed

HOST = "https://forge.example"
BASE = "http://127.0.0.1:9"
DEADLINE_SECONDS = 20.0
TOKEN = {"access_token": b'"access"', "refresh_token": b'"refresh"', "expires_in": b"3600"}
USERINFO = {"sub": b'"ada"', "name": b'"Ada"'}
VALUES = (
    b'"a\\u0000b"', b'"\\ud83d"', b'"a \\udc00 b"', b'"\xff"', '"tök"'.encode(), b'"a\\n"',
    b'""', b"9" * 5000, b"1e400", b"-1", b"true", b"[" * 50_000 + b"]" * 50_000,
    b'"' + b"x" * 5000 + b'"',
)  # fmt: skip
TOKEN_FIELDS = (
    "access_token", "refresh_token", "token_type", "scope", "expires_in",
    "refresh_token_expires_in", "x",
)  # fmt: skip
USERINFO_FIELDS = ("sub", "name", "email", "picture", "x")
TEXTS = ("a\x00b", "\ud83d", "a\n", "x" * 5000)


class Organization(Scope, frozen=True, tag="organization"):
    """A kind of tenant."""


class Forge(msgspec.Struct, frozen=True):
    """Config of the connector."""

    hook: Secret
    team: str = "core"


FORGE = Forge(Secret("hook"))
KEYRING = Keyring.from_secret(Keyring.generate())


@dataclass(frozen=True)
class Case:
    """One poisoned value, and where it is."""

    token: Mapping[str, bytes] = field(default_factory=lambda: TOKEN)
    userinfo: Mapping[str, bytes] = field(default_factory=lambda: USERINFO)
    code: str = "code"
    config: Forge = FORGE


def cases() -> Iterator[Case]:
    """Every value in every place; the last case is healthy."""
    for value in VALUES:
        yield from (Case(token=TOKEN | {name: value}) for name in TOKEN_FIELDS)
        yield from (Case(userinfo=USERINFO | {name: value}) for name in USERINFO_FIELDS)
    for text in TEXTS:
        yield Case(code=text)
        yield Case(config=Forge(Secret("hook"), text))
        yield Case(config=Forge(Secret(text)))
    yield Case()


class Provider:
    """Answers as the current case says, and counts exchanges and revocations."""

    def __init__(self) -> None:
        self.case = Case()
        self.exchanges = 0
        self.revoked = 0

    async def send(
        self,
        request: HttpRequest,
        *,
        deadline: timedelta = timedelta(seconds=10),  # noqa: ARG002  # the port's name
        limit_bytes: int = 1024 * 1024,  # noqa: ARG002  # the port's name
    ) -> Result[HttpResponse, HttpFailed]:
        """The HTTP port of the library."""
        path = urlsplit(request.url).path
        self.exchanges += path == "/token"
        self.revoked += path == "/revoke"
        members = {"/token": self.case.token, "/me": self.case.userinfo}.get(path, {})
        body = b",".join(b'"%b":%b' % (name.encode(), value) for name, value in members.items())
        return Success(HttpResponse(200, (), b"{" + body + b"}"))


Manager = Connectors[Forge, Organization]


def manager_on(
    store: Store, provider: Provider
) -> tuple[Manager, OAuthConnector[Forge, None, Forge]]:
    """A manager whose provider is this one."""
    described = OAuthProvider(
        authorization_url=f"{HOST}/authorize",
        token_url=f"{HOST}/token",
        userinfo_url=f"{HOST}/me",
        revocation_url=f"{HOST}/revoke",
        revocation_ends="token",
        client_id="app",
    )
    connector = Connector.create("forge").with_config(Forge).with_oauth(described).build()
    manager = (
        ConnectorManager.create()
        .with_database(store)
        .with_encryption(KEYRING)
        .with_http(provider)
        .with_base_url(BASE)
        .add_scope(Organization)
        .add_connector(connector)
        .build()
    )
    return manager, connector


async def outcomes_on(store: Store, chosen: Sequence[Case]) -> list[str]:
    """What becomes of each case on this store."""
    provider, outcomes = Provider(), list[str]()
    manager, connector = manager_on(store, provider)
    async with manager:
        await manager._lifecycle.revocations.close()
        for number, case in enumerate(chosen):
            provider.case, provider.exchanges, provider.revoked = case, 0, 0
            tenant = Organization(f"t{number}")
            try:
                async with asyncio.timeout(DEADLINE_SECONDS):
                    outcome = await _connect(manager, connector, tenant, case)
                    _ = await revoke_due(manager._engine)
            except TimeoutError:
                outcome = "endless"
            except Exception as error:  # an exception is what this figure counts
                outcome = f"exception {type(error).__name__}"
            is_lost = provider.exchanges and not provider.revoked and _has_tokens(case)
            if is_lost and not outcome.startswith("connected"):
                outcome = f"orphaned {outcome}"
            outcomes.append(outcome)
    return outcomes


async def _connect(
    manager: Manager,
    connector: OAuthConnector[Forge, None, Forge],
    tenant: Organization,
    case: Case,
) -> str:
    """The end of one authorization: the connection as it is stored, or the problem's code."""
    at = manager.scope(tenant).at(connector)
    begun = await at.authorize_without_browser_binding(case.config, subject="ada")
    problem = problem_of(begun)
    if problem is not None:
        return problem.code
    state = parse_qs(urlsplit(begun.unwrap().url).query)["state"][0]
    code = quote(case.code, errors="surrogatepass")
    callback = f"{BASE}/connectors/forge/oauth/callback?code={code}&state={state}"
    answer = await manager.handle(HttpRequest("GET", callback), principal=Principal(tenant, "ada"))
    location = answer.header("location") or str(answer.status)
    if location != "/?connected=forge":
        return location
    connection = (await at.get()).unwrap()
    authorization = connection.authorization
    assert authorization is not None
    scopes, account = authorization.oauth_scopes, authorization.account
    return f"connected {scopes} {account} {connection.config.team!r}"


def _has_tokens(case: Case) -> bool:
    """Whether the answer of a case contains a token that can be revoked."""
    return any(case.token[name] == TOKEN[name] for name in ("access_token", "refresh_token"))


def _count(outcomes: Sequence[Sequence[str]], start: str) -> int:
    return sum(outcome.startswith(start) for each in outcomes for outcome in each)


async def poison_values(every: int = 1) -> Figure:
    """Counts exceptions, endless retries, orphaned grants, and differences between stores.

    `every` takes only each n-th case, and always the last, which is healthy.
    """
    chosen = [*list(cases())[:-1:every], Case()]
    with (
        tempfile.TemporaryDirectory() as folder,
        Server() as server,
        Databases(server.url()).migrated() as url,
    ):
        stores = (MemoryStore(), SQLiteStore(Path(folder) / "connectors.db"), PostgresStore(url))
        outcomes = [await outcomes_on(store, chosen) for store in stores]
    exceptions, endless, orphaned = (
        _count(outcomes, start) for start in ("exception", "endless", "orphaned")
    )
    differences = sum(len(set(each)) > 1 for each in zip(*outcomes, strict=True))
    healthy = all(each[-1].startswith("connected") for each in outcomes)
    return Figure(
        "poison-values",
        f"{len(outcomes[0])} values on 3 stores: {exceptions} exceptions, {endless} endless,"
        f" {orphaned} orphaned grants, {differences} differences between stores",
        "0 exceptions, 0 endless, 0 orphaned, 0 differences",
        healthy and not exceptions and not endless and not orphaned and not differences,
    )
