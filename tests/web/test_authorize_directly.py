"""An authorization without our start route, with a cookie that the application sets or without
one."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
import pytest

from igniter_connectors import (
    Connectors,
    HttpRequest,
    HttpResponse,
    MemoryStore,
    Principal,
    Secret,
    problem_of,
    value_or_raise,
)
from igniter_connectors.problems import OAuthStateInvalid, ReturnToInvalid
from igniter_connectors.testing import FakeOAuthProvider, ProviderScript, running_provider
from tests.sample import Organization
from tests.web.github import GitHub, Site, site
from tests.web.test_oauth import come_back, oauth, ticket

ACME = Organization("acme")
CONFIG = GitHub(Secret("hook"))


class Scene:
    """An application that calls `handle` itself."""

    def __init__(self, at_site: Site, provider: FakeOAuthProvider, store: MemoryStore) -> None:
        self.site = at_site
        self.provider = provider
        self.store = store
        self.at = at_site.connectors.scope(ACME).at(at_site.connector)

    async def callback(self, url: str) -> str:
        """The URL to which the provider redirects the browser."""
        async with httpx.AsyncClient() as browser:
            return (await browser.get(url)).headers["location"]

    async def handle(
        self, callback: str, *, cookie: str | None = None, subject: str = "ada"
    ) -> HttpResponse:
        """The callback route of the application."""
        connectors: Connectors[GitHub, Organization] = self.site.connectors
        headers = () if cookie is None else (("Cookie", cookie),)
        request = HttpRequest("GET", callback, headers)
        return await connectors.handle(request, principal=Principal(ACME, subject))

    async def is_refused(self, answer: HttpResponse) -> bool:
        """Whether it is a 400 without a token request and without a stored row."""
        rows = await self.store.count("organization", "acme")
        return (answer.status, self.provider.token_requests, rows) == (400, 0, 0)


@asynccontextmanager
async def scene(script: ProviderScript | None = None) -> AsyncGenerator[Scene, None]:
    """A provider, and an application that uses it."""
    store = MemoryStore()
    async with running_provider(script) as provider:
        async with site(oauth(provider), store=store) as at_site:
            yield Scene(at_site, provider, store)


async def test_the_application_sets_the_cookie() -> None:
    """The whole flow through `handle`. The callback deletes the cookie."""
    async with scene() as made:
        begun = value_or_raise(
            await made.at.authorize_with_cookie(CONFIG, subject="ada", return_to="/done")
        )
        assert begun.url.startswith(made.provider.authorization_url)
        cookie, *flags = begun.set_cookie.reveal().split("; ")
        assert flags == ["Path=/", "Max-Age=600", "HttpOnly", "SameSite=Lax"]
        assert cookie not in repr(begun)
        callback = await made.callback(begun.url)
        finished = await made.handle(callback, cookie=cookie)
        assert finished.header("location") == "/done?connected=github"
        assert "Max-Age=0" in (finished.header("set-cookie") or "")
        assert problem_of(await made.at.get()) is None
        assert (await made.handle(callback, cookie=cookie)).status == 400


async def test_with_a_cookie_no_other_browser_can_finish() -> None:
    """Without the cookie, with another, or as another subject, it is refused.

    The state stays valid.
    """
    async with scene() as made:
        begun = value_or_raise(await made.at.authorize_with_cookie(CONFIG, subject="ada"))
        other = value_or_raise(await made.at.authorize_with_cookie(CONFIG, subject="ada"))
        callback = await made.callback(begun.url)
        cookie = begun.set_cookie.reveal().partition(";")[0]
        name, _, nonce = cookie.partition("=")
        theirs = other.set_cookie.reveal().partition(";")[0].partition("=")[2]
        for jar in (None, "", f"{name}={theirs}", f"{name}=", f"x={nonce}", f"{cookie}; {cookie}"):
            assert await made.is_refused(await made.handle(callback, cookie=jar)), jar
        answer = await made.handle(callback, cookie=cookie, subject="eve")
        assert await made.is_refused(answer)
        assert (await made.handle(callback, cookie=cookie)).status == 303


async def test_without_a_cookie_any_browser_of_the_subject_can_finish() -> None:
    """Once. The subject has to be the same."""
    async with scene() as made:
        begun = value_or_raise(
            await made.at.authorize_without_browser_binding(CONFIG, subject="cli")
        )
        assert begun.url.startswith(made.provider.authorization_url)
        assert "authorize" not in repr(begun)
        callback = await made.callback(begun.url)
        assert await made.is_refused(await made.handle(callback, subject="eve"))
        finished = await made.handle(callback, subject="cli")
        assert finished.header("location") == "/?connected=github"
        assert problem_of(await made.at.get()) is None
        assert (await made.handle(callback, subject="cli")).status == 400
        assert made.provider.token_requests == 1


async def test_a_flow_with_a_cookie_cannot_finish_without_it() -> None:
    """However the flow began: without the cookie it does not become a flow that needs none."""
    async with scene() as made, made.site.browser() as browser:
        callback = await come_back(browser, await ticket(made.site))
        for jar in (None, "", "igniter-00000000=x"):
            assert await made.is_refused(await made.handle(callback, cookie=jar))
        assert (await browser.get(callback)).status_code == 303


async def test_a_flow_without_a_cookie_cannot_finish_with_one() -> None:
    """So a cookie that an attacker sets is of no use."""
    async with scene() as made:
        begun = value_or_raise(
            await made.at.authorize_without_browser_binding(CONFIG, subject="cli")
        )
        callback = await made.callback(begun.url)
        other = value_or_raise(await made.at.authorize_with_cookie(CONFIG, subject="cli"))
        nonce = other.set_cookie.reveal().partition(";")[0].partition("=")[2]
        from igniter_connectors.core.oauth.state_cookie import cookie_name

        state = httpx.URL(callback).params["state"]
        jar = f"{cookie_name(state, secure=False)}={nonce}"
        assert await made.is_refused(await made.handle(callback, cookie=jar, subject="cli"))


@pytest.mark.parametrize("way", ["authorize_with_cookie", "authorize_without_browser_binding"])
async def test_both_refuse_a_hostile_return_url(way: str) -> None:
    """As `authorize` does."""
    async with scene() as made:
        answer = await getattr(made.at, way)(CONFIG, subject="ada", return_to="//evil.example")
        assert problem_of(answer) == ReturnToInvalid("github")


async def test_an_unknown_state_is_the_same_problem_with_and_without_a_cookie() -> None:
    """The response never shows which of the bindings is wrong."""
    async with scene() as made:
        url = f"{made.site.origin}/connectors/github/oauth/callback?state=x&code=y"
        answers = {(await made.handle(url, cookie=jar)).body for jar in (None, "igniter-x=y")}
        assert len(answers) == 1
        assert OAuthStateInvalid("github").code.encode() in answers.pop()
