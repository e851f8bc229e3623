"""The whole library against an authorization server built with Authlib."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest
from msgspec.structs import replace

from igniter_connectors import MemoryStore, OAuthProvider, Secret, problem_of, value_or_raise
from igniter_connectors.flows.oauth.revoke import revoke_due
from igniter_connectors.problems import NeedsReauth
from igniter_connectors.testing import ManualClock
from tests.interop.authlib_server import CLIENT_SECRET, ISSUER, AuthlibProvider, running_authlib
from tests.sample import Organization
from tests.web.github import GitHub, Me, Site, WhoAmI, callback_of, site, who_am_i
from tests.web.served import bound_socket

ACME = Organization("acme")
CONFIG = GitHub(Secret("hook"))
BASIC = ("an%20app", "s%2Bc%3Ar%2Fe%25t%261%20of%20some%20length")
"""Both halves form-encoded before they are joined (RFC 6749 section 2.3.1)."""


@dataclass
class App:
    """An application with a connector for Authlib's server."""

    site: Site
    provider: AuthlibProvider
    clock: ManualClock

    def __post_init__(self) -> None:
        self.at = self.site.connectors.scope(ACME).at(self.site.connector)

    async def callback(self) -> tuple[httpx.AsyncClient, str]:
        """The browser and the callback URL that it was sent to."""
        browser = self.site.browser()
        began = value_or_raise(await self.at.authorize(CONFIG, subject="ada")).url
        url = (await browser.get(began)).headers["location"]
        async with httpx.AsyncClient(trust_env=False) as elsewhere:
            answer = await elsewhere.get(url)
        assert answer.status_code == 302, answer.text
        return browser, answer.headers["location"]

    async def connect(self) -> str:
        """The last redirect's location."""
        browser, callback = await self.callback()
        answer = await browser.get(callback)
        await browser.aclose()
        return answer.headers["location"]

    async def me(self) -> object:
        """The result of an action that requests user info."""
        answer = await self.at.action(who_am_i).call(WhoAmI(f"{self.provider.url}/me"))
        return problem_of(answer) or value_or_raise(answer)


@asynccontextmanager
async def running_app(**changes: object) -> AsyncGenerator[App, None]:
    """An application with a connector for the running server."""
    listener, clock = bound_socket(), ManualClock()
    async with running_authlib(callback_of(listener)) as provider:
        described = OAuthProvider(
            authorization_url=f"{provider.url}/authorize",
            token_url=f"{provider.url}/token",
            userinfo_url=f"{provider.url}/me",
            revocation_url=f"{provider.url}/revoke",
            client_id="an app",
            client_secret=Secret(CLIENT_SECRET),
            oauth_scopes=("read", "write"),
            issuer=ISSUER,
            sends_issuer=True,
        )
        async with site(
            replace(described, **changes),
            listener=listener,
            store=MemoryStore(clock=clock),
            clock=clock,
        ) as at_site:
            await at_site.connectors._lifecycle.revocations.close()
            yield App(at_site, provider, clock)


async def test_a_tenant_connects_and_its_actions_run() -> None:
    """Code, PKCE, Basic with form-encoded halves, `iss`, scopes, user info."""
    async with running_app() as made:
        assert await made.connect() == "/?connected=github"
        authorization = value_or_raise(await made.at.get()).authorization
        assert authorization is not None
        assert authorization.oauth_scopes == ("read", "write")
        assert authorization.account is not None
        assert authorization.account.subject == "ada"
        assert await made.me() == Me("ada")
        assert (made.provider.requests, made.provider.refused) == (["authorization_code"], [])


async def test_the_server_checks_pkce() -> None:
    """The server refuses a code without its verifier."""
    async with running_app() as made:
        browser, callback = await made.callback()
        await browser.aclose()
        form = {
            "grant_type": "authorization_code",
            "code": httpx.URL(callback).params["code"],
            "redirect_uri": made.provider.redirect_uri,
            "code_verifier": "x" * 43,
        }
        async with httpx.AsyncClient(trust_env=False, auth=BASIC) as thief:
            answer = await thief.post(f"{made.provider.url}/token", data=form)
        assert answer.json()["error"] == "invalid_grant"


async def test_ten_actions_at_expiry_make_one_request_and_rotation_goes_on() -> None:
    """Each refresh token is used once. Otherwise the server would revoke the grant."""
    async with running_app() as made:
        assert await made.connect() == "/?connected=github"
        for rounds in (1, 2, 3):
            made.clock.advance(timedelta(hours=1))
            answers = await asyncio.gather(*(made.me() for _ in range(10)))
            assert answers == [Me("ada")] * 10
            assert made.provider.requests[1:] == ["refresh_token"] * rounds
        assert made.provider.refused == []
        assert len({token.refresh_token for token in made.provider.tokens}) == 4
        assert not any(token.is_revoked_ for token in made.provider.tokens)


async def test_reuse_elsewhere_ends_the_grant_and_is_reported_once() -> None:
    """A stolen and used refresh token ends the connection visibly."""
    async with running_app() as made:
        await made.connect()
        stolen = made.provider.tokens[0].refresh_token
        made.clock.advance(timedelta(hours=1))
        assert await made.me() == Me("ada")
        async with httpx.AsyncClient(trust_env=False, auth=BASIC) as thief:
            form = {"grant_type": "refresh_token", "refresh_token": stolen}
            assert (await thief.post(f"{made.provider.url}/token", data=form)).status_code == 400
        made.clock.advance(timedelta(hours=1))
        before = len(made.provider.requests)
        for _ in range(5):
            assert await made.me() == NeedsReauth("github", "needs_reauth")
        assert len(made.provider.requests) == before + 1
        assert await made.connect() == "/?connected=github"
        assert await made.me() == Me("ada")


async def test_disconnecting_revokes_at_the_server() -> None:
    """Both the refresh token and the access token."""
    async with running_app() as made:
        await made.connect()
        assert not made.provider.tokens[0].is_revoked_
        value_or_raise(await made.at.disconnect())
        made.clock.advance(timedelta(seconds=31))
        await revoke_due(made.site.connectors._engine)
        assert made.provider.tokens[0].is_revoked_


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"issuer": "https://another.example"}, "CONNECTOR_OAUTH_ISSUER_MISMATCH"),
        ({"client_secret": Secret("wrong")}, "CONNECTOR_OAUTH_TOKEN_FAILED"),
    ],
)
async def test_a_wrong_issuer_or_secret_connects_nobody(
    changes: dict[str, object], code: str
) -> None:
    """The issuer differs from the declared one, or the secret from the registered one."""
    async with running_app(**changes) as made:
        assert await made.connect() == f"/?error={code}"
        assert problem_of(await made.at.get()) is not None


async def test_the_client_connects_in_its_own_name() -> None:
    """RFC 6749 section 4.4. A new token is requested when it expires."""
    async with running_app() as made:
        connection = value_or_raise(await made.at.connect_as_client(CONFIG))
        assert connection.authorization is not None
        assert connection.authorization.oauth_scopes == ("read", "write")
        made.clock.advance(timedelta(hours=1))
        _ = await made.me()
        assert made.provider.requests == ["client_credentials"] * 2
        assert made.provider.refused == []
