"""OAuth over HTTP: a flow belongs to the browser and the person that started it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import httpx
import msgspec
import pytest
import trustme
from litestar import Litestar

from igniter_connectors import (
    ConnectorManager,
    HttpRequest,
    MemoryStore,
    OAuthProvider,
    Principal,
    Secret,
    SQLiteStore,
    WrongWiring,
    problem_of,
    value_or_raise,
)
from igniter_connectors.core.problem import NotConnected, ReturnToInvalid
from igniter_connectors.testing import (
    FakeOAuthProvider,
    ManualClock,
    ProviderScript,
    running_provider,
)
from igniter_connectors.web import ConnectorsPlugin
from tests.sample import KEYRING, Organization
from tests.web.github import GitHub, Site, WhoAmI, github, site, who_am_i, who_is_signed_in
from tests.web.mail_site import open_site
from tests.web.served import bound_socket, port_of, served

ACME = Organization("acme")


def oauth(provider: FakeOAuthProvider, issuer: str | None = None) -> OAuthProvider:
    """The description of the scripted provider."""
    return OAuthProvider(
        authorization_url=provider.authorization_url,
        token_url=provider.token_url,
        userinfo_url=provider.userinfo_url,
        client_id=provider.client_id,
        client_secret=provider.client_secret,
        issuer=issuer,
        sends_issuer=issuer is not None,
    )


@asynccontextmanager
async def scene(
    script: ProviderScript | None = None,
    *,
    clock: ManualClock | None = None,
    issuer: str | None = None,
) -> AsyncGenerator[tuple[Site, FakeOAuthProvider, MemoryStore], None]:
    """A provider and a site that uses it."""
    store = MemoryStore(clock=clock)
    async with running_provider(script) as provider:
        async with site(oauth(provider, issuer), store=store, clock=clock) as at_site:
            yield at_site, provider, store


async def ticket(at_site: Site, subject: str = "ada", return_to: str = "") -> str:
    """The URL that the application sends a browser to."""
    at = at_site.connectors.scope(ACME).at(at_site.connector)
    config = GitHub(Secret("hook"))
    return value_or_raise(await at.authorize(config, subject=subject, return_to=return_to)).url


async def come_back(browser: httpx.AsyncClient, url: str) -> str:
    """Opens the ticket and consents. Returns the callback URL without following it."""
    begun = await browser.get(url)
    assert begun.status_code == 303, begun.text
    async with httpx.AsyncClient() as elsewhere:
        consented = await elsewhere.get(begun.headers["location"])
    return consented.headers["location"]


def cookie_header(jar: dict[str, str]) -> dict[str, str]:
    """A `Cookie` header that a client forges."""
    return {"cookie": "; ".join(f"{name}={value}" for name, value in jar.items())}


async def connected(at_site: Site) -> bool:
    """Whether the tenant is connected."""
    answer = await at_site.connectors.scope(ACME).at(at_site.connector).get()
    return not isinstance(problem_of(answer), NotConnected)


async def test_the_flow_over_http_connects() -> None:
    """Ticket, cookie, provider, callback. No cache, no referrer, and the cookie is deleted."""
    async with scene() as (at_site, provider, _), at_site.browser() as browser:
        begun = await browser.get(await ticket(at_site))
        cookie = begun.headers["set-cookie"]
        assert cookie.startswith("igniter-")
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        async with httpx.AsyncClient() as elsewhere:
            consented = await elsewhere.get(begun.headers["location"])
        finished = await browser.get(consented.headers["location"])
        assert finished.headers["location"] == "/?connected=github"
        for answer in (begun, finished):
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["referrer-policy"] == "no-referrer"
        assert not browser.cookies
        assert await connected(at_site)
        assert provider.token_requests == 1


@pytest.mark.parametrize(("other", "status"), [("theme=dark", 303), ("", 400)])
@pytest.mark.parametrize("route", ["plugin", "handle"])
async def test_a_browser_may_divide_its_cookies(route: str, other: str, status: int) -> None:
    """HTTP/2 sends each in a header of its own. A cookie that is given twice is still refused."""
    async with scene() as (at_site, provider, _), at_site.browser() as browser:
        callback = await come_back(browser, await ticket(at_site))
        ((name, value),) = browser.cookies.items()
        own = f"{name}={value}"
        headers = [("cookie", "a=1"), ("cookie", own), ("cookie", other or own)]
        if route == "plugin":
            async with at_site.browser() as other_jar:
                answer = (await other_jar.get(callback, headers=headers)).status_code
        else:
            request = HttpRequest("GET", callback, tuple(headers))
            principal = Principal(ACME, "ada")
            answer = (await at_site.connectors.handle(request, principal=principal)).status
        assert answer == status
        assert provider.token_requests == (1 if other else 0)


async def test_another_browser_neither_finishes_nor_spends_a_flow() -> None:
    """An attacker's code in a victim's session gets a 400: no token request and no row."""
    async with scene() as (at_site, provider, _):
        async with at_site.browser() as attacker, at_site.browser() as victim:
            callback = await come_back(attacker, await ticket(at_site))
            # The victim has a flow of its own under way, with a cookie of its own.
            own = await come_back(victim, await ticket(at_site))
            refused = await victim.get(callback)
            assert refused.status_code == 400
            assert refused.json()["code"] == "CONNECTOR_OAUTH_STATE_INVALID"
            assert provider.token_requests == 0
            assert not await connected(at_site)
            assert (await victim.get(own)).headers["location"] == "/?connected=github"
            assert provider.token_requests == 1


async def test_another_subject_in_the_same_browser_is_refused() -> None:
    """The next person to sign in can neither use the flow nor open the ticket."""
    async with scene() as (at_site, provider, _), at_site.browser() as browser:
        url = await ticket(at_site)
        for session in ("acme/eve", ""):
            opened = await browser.get(url, headers={"x-session": session})
            assert opened.status_code in (400, 401)
        callback = await come_back(browser, url)
        for session in ("acme/eve", ""):
            refused = await browser.get(callback, headers={"x-session": session})
            assert refused.status_code in (400, 401)
        assert provider.token_requests == 0
        assert (await browser.get(callback)).status_code == 303


async def test_the_tenant_is_the_recorded_one() -> None:
    """The same subject at another tenant can neither open the ticket nor finish, nor burn them."""
    rival = {"x-session": "rival/ada"}
    async with scene() as (at_site, provider, store), at_site.browser() as browser:
        url = await ticket(at_site)
        assert (await browser.get(url, headers=rival)).status_code == 400
        callback = await come_back(browser, url)
        assert (await browser.get(callback, headers=rival)).status_code == 400
        assert provider.token_requests == 0
        assert await store.count("organization", "acme") == 0
        finished = await browser.get(callback)
        assert finished.status_code == 303
        assert await store.count("organization", "rival") == 0
        assert await store.count("organization", "acme") == 1


async def test_a_ticket_and_a_state_open_once() -> None:
    """The second time they are unknown."""
    async with scene() as (at_site, provider, _), at_site.browser() as browser:
        url = await ticket(at_site)
        callback = await come_back(browser, url)
        assert (await browser.get(url)).status_code == 400
        cookies = dict(browser.cookies)
        assert (await browser.get(callback)).status_code == 303
        again = await browser.get(callback, headers=cookie_header(cookies))
        assert again.status_code == 400
        assert provider.token_requests == 1


async def test_one_state_a_hundred_times_at_once_makes_one_exchange() -> None:
    """One statement reads and deletes the state."""
    async with scene() as (at_site, provider, _), at_site.browser() as browser:
        callback = await come_back(browser, await ticket(at_site))
        answers = await asyncio.gather(*(browser.get(callback) for _ in range(100)))
        assert sorted(answer.status_code for answer in answers) == [303] + [400] * 99
        assert provider.token_requests == 1


async def test_a_flow_ends_after_ten_minutes() -> None:
    """At the callback, and at the start route."""
    clock = ManualClock()
    async with scene(clock=clock) as (at_site, provider, _), at_site.browser() as browser:
        callback = await come_back(browser, await ticket(at_site))
        late = await ticket(at_site)
        clock.advance(timedelta(minutes=10))
        assert (await browser.get(callback)).status_code == 400
        assert (await browser.get(late)).status_code == 400
        assert provider.token_requests == 0


async def test_no_mutation_of_a_callback_connects_anybody() -> None:
    """Each parameter and header that a client controls is changed: no row, no token request."""
    async with scene() as (at_site, provider, store), at_site.browser() as browser:
        callback = await come_back(browser, await ticket(at_site))
        cookies = dict(browser.cookies)
        parts = urlsplit(callback)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        state = query["state"]
        queries = [
            *[
                {**query, "state": state[:i] + ("A" if state[i] != "A" else "B") + state[i + 1 :]}
                for i in range(len(state))
            ],
            {**query, "state": ""},
            {**query, "state": state + "="},
            {**query, "state": state.swapcase()},
            {"code": query["code"]},
            {"state": state[:-1]},
        ]
        urls = [urlunsplit(parts._replace(query=urlencode(one))) for one in queries]
        urls += [
            f"{callback}&state={state}",
            urlunsplit(parts._replace(path="/connectors/other/oauth/callback")),
            urlunsplit(parts._replace(path="/connectors/github/oauth/start")),
            urlunsplit(parts._replace(path="/connectors/GITHUB/oauth/callback")),
            urlunsplit(parts._replace(path="/connectors/github/oauth/callback/x")),
        ]
        async with at_site.browser() as stranger:
            for url in urls:
                answer = await stranger.get(url, headers=cookie_header(cookies))
                assert 400 <= answer.status_code < 500, url
            (name, nonce) = next(iter(cookies.items()))
            for jar in (
                {},
                {name: nonce[:-1]},
                {name: nonce + "x"},
                {name: ""},
                {name: nonce.swapcase()},
                {name.upper(): nonce},
                {"__Host-" + name: nonce},
                {"igniter-00000000": nonce},
            ):
                answer = await stranger.get(callback, headers=cookie_header(jar))
                assert answer.status_code == 400, jar
            doubled = await stranger.get(
                callback, headers={"cookie": f"{name}={nonce}; {name}={nonce}"}
            )
            assert doubled.status_code == 400
        assert provider.token_requests == 0
        assert await store.count("organization", "acme") == 0
        assert (await browser.get(callback)).status_code == 303


async def test_another_site_cannot_start_a_flow() -> None:
    """Our own pages can still use the ticket."""
    async with scene() as (at_site, _, __), at_site.browser() as browser:
        url = await ticket(at_site)
        refused = await browser.get(url, headers={"sec-fetch-site": "cross-site"})
        assert refused.status_code == 403
        allowed = await browser.get(url, headers={"sec-fetch-site": "same-origin"})
        assert allowed.status_code == 303


@pytest.mark.parametrize("hostile", ["//evil.example", "https://evil.example", "/\\evil", "evil"])
async def test_a_hostile_return_to_is_refused_at_the_start(hostile: str) -> None:
    """There is no open redirect."""
    async with scene() as (at_site, _, __):
        at = at_site.connectors.scope(ACME).at(at_site.connector)
        answer = await at.authorize(GitHub(Secret("x")), subject="ada", return_to=hostile)
        assert problem_of(answer) == ReturnToInvalid("github")


async def test_a_wrong_or_missing_issuer_spends_no_code() -> None:
    """RFC 9207: the flow ends before the code is exchanged."""
    for issuer in ("https://evil.example", ""):
        script = ProviderScript(issuer=issuer)
        async with scene(script, issuer="https://honest.example") as (at_site, provider, _):
            async with at_site.browser() as browser:
                finished = await browser.get(await come_back(browser, await ticket(at_site)))
                assert finished.headers["location"] == "/?error=CONNECTOR_OAUTH_ISSUER_MISMATCH"
                assert provider.token_requests == 0
                assert not await connected(at_site)


async def test_an_unreachable_provider_leaves_no_row() -> None:
    """The query has our code, there is no row, and the tenant can start again."""
    async with running_provider() as provider:
        away = msgspec.structs.replace(oauth(provider), token_url="http://127.0.0.1:9/token")
        async with site(away) as at_site, at_site.browser() as browser:
            finished = await browser.get(await come_back(browser, await ticket(at_site)))
            assert finished.headers["location"] == "/?error=CONNECTOR_PROVIDER_UNREACHABLE"
            assert not await connected(at_site)


async def test_another_account_does_not_replace_the_connected_one() -> None:
    """`IdentityMismatch` before anything is written. Another method replaces the account."""
    async with scene() as (at_site, provider, _), at_site.browser() as browser:
        await browser.get(await come_back(browser, await ticket(at_site)))
        at = at_site.connectors.scope(ACME).at(at_site.connector)
        first = value_or_raise(await at.get())
        provider.script.subject = "account-2"
        finished = await browser.get(await come_back(browser, await ticket(at_site)))
        assert finished.headers["location"] == "/?error=CONNECTOR_IDENTITY_MISMATCH"
        assert value_or_raise(await at.get()) == first
        replacing = value_or_raise(
            await at.authorize_replacing_account(GitHub(Secret("n")), subject="ada")
        )
        finished = await browser.get(await come_back(browser, replacing.url))
        assert finished.headers["location"] == "/?connected=github"
        second = value_or_raise(await at.get())
        assert second.authorization is not None
        assert second.authorization.account is not None
        assert (second.authorization.account.subject, second.id) == ("account-2", first.id)
        assert second.authorization.generation == 2


async def test_a_flow_survives_a_restart(tmp_path: Path) -> None:
    """The state is in the database: one manager starts the flow, and another finishes it."""
    listener = bound_socket()
    file = tmp_path / "connectors.db"
    async with running_provider() as provider:
        async with site(oauth(provider), listener=listener, store=SQLiteStore(file)) as first:
            browser = first.browser()
            callback = await come_back(browser, await ticket(first))
        again = bound_socket(port_of_url(first.origin))
        async with site(oauth(provider), listener=again, store=SQLiteStore(file)) as second:
            finished = await browser.get(callback)
            assert finished.headers["location"] == "/?connected=github"
            assert await connected(second)
        await browser.aclose()


def with_each_letter_changed(text: str) -> list[str]:
    """One text for each letter."""
    return [
        text[:i] + ("A" if letter != "A" else "B") + text[i + 1 :] for i, letter in enumerate(text)
    ]


def port_of_url(origin: str) -> int:
    """The port of a loopback origin."""
    port = urlsplit(origin).port
    assert port is not None
    return port


async def test_over_tls_the_cookie_is_host_bound(tmp_path: Path) -> None:
    """`__Host-` and Secure: the flow works in a browser that checks both."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    key, certificate, ca = tmp_path / "key", tmp_path / "cert", tmp_path / "ca"
    issued.private_key_pem.write_to_path(str(key))
    issued.cert_chain_pems[0].write_to_path(str(certificate))
    authority.cert_pem.write_to_path(str(ca))
    listener = bound_socket()
    origin = f"https://127.0.0.1:{port_of(listener)}"
    async with running_provider() as provider:
        connector = github(oauth(provider))
        connectors = (
            ConnectorManager.create()
            .with_database(MemoryStore())
            .with_encryption(KEYRING)
            .with_base_url(origin)
            .add_scope(Organization)
            .add_connector(connector)
            .build()
        )
        app = Litestar(
            plugins=[ConnectorsPlugin(connectors, principal=who_is_signed_in)], logging_config=None
        )
        trust = ssl.create_default_context(cafile=str(ca))
        async with served(app, listener, key=key, certificate=certificate):
            async with httpx.AsyncClient(
                base_url=origin, headers={"x-session": "acme/ada"}, verify=trust
            ) as browser:
                at = connectors.scope(ACME).at(connector)
                request = value_or_raise(await at.authorize(GitHub(Secret("x")), subject="ada"))
                begun = await browser.get(request.url)
                cookie = begun.headers["set-cookie"]
                assert cookie.startswith("__Host-igniter-")
                assert "; Secure" in cookie
                assert "; Path=/;" in cookie
                assert "Domain" not in cookie
                async with httpx.AsyncClient() as elsewhere:
                    consented = await elsewhere.get(begun.headers["location"])
                finished = await browser.get(consented.headers["location"])
                assert finished.headers["location"] == "/?connected=github"


def test_plain_http_outside_loopback_does_not_build() -> None:
    """Anybody on the network can read a cookie and a code over plain HTTP."""
    with pytest.raises(WrongWiring, match="https"):
        ConnectorManager.create().with_base_url("http://app.example.com")


async def test_an_action_uses_the_token_and_a_form_encoded_answer_is_read() -> None:
    """Some providers answer in form encoding."""
    async with scene(ProviderScript(form_encoded=True)) as (at_site, provider, _):
        async with at_site.browser() as browser:
            await browser.get(await come_back(browser, await ticket(at_site)))
        at = at_site.connectors.scope(ACME).at(at_site.connector)
        me = value_or_raise(await at.action(who_am_i).call(WhoAmI(provider.userinfo_url)))
        assert me.sub == "account-1"


@pytest.mark.parametrize("station", ["start", "callback"])
@pytest.mark.parametrize("key", ["nothing", "NO-KEY", "a.b", "mail"])
async def test_an_oauth_route_that_does_not_exist_is_a_problem(key: str, station: str) -> None:
    """For an unknown connector, for an impossible key, and for a connector without OAuth."""
    async with open_site() as (browser, _):
        answer = await browser.get(f"connectors/{key}/oauth/{station}")
        code = "CONNECTOR_OAUTH_NOT_CONFIGURED" if key == "mail" else "CONNECTOR_NOT_FOUND"
        assert (answer.status_code, answer.json()["code"]) == (404, code)


SAME_SITE = {"sec-fetch-site": "same-origin"}
START = "/connectors/github/oauth/start"


async def test_an_upgrade_asks_for_declared_scopes_alone() -> None:
    """Anybody who is signed in can write that URL; it opens with the declared scopes."""
    async with scene() as (at_site, _, __), at_site.browser() as browser:
        await browser.get(await come_back(browser, await ticket(at_site)))
        for scopes in ("admin", "repo+admin", "repo,gist", "REPO", "%00", "repo%0Dadmin"):
            url = f"{START}?account=default&oauth_scopes={scopes}"
            refused = await browser.get(url, headers=SAME_SITE)
            assert (refused.status_code, refused.json()["code"]) == (
                400,
                "CONNECTOR_PARAMETER_INVALID",
            )
        allowed = f"{START}?account=default&oauth_scopes=repo+gist"
        assert (await browser.get(allowed, headers=SAME_SITE)).status_code == 303


async def test_an_upgrade_never_replaces_an_account_that_nobody_knows() -> None:
    """Without user info the callback could not compare the two accounts."""
    async with running_provider() as provider:
        silent = msgspec.structs.replace(oauth(provider), userinfo_url=None)
        async with site(silent) as at_site, at_site.browser() as browser:
            await browser.get(await come_back(browser, await ticket(at_site)))
            async with at_site.browser("acme/intern") as member:
                refused = await member.get(f"{START}?account=default", headers=SAME_SITE)
            assert refused.status_code == 403
            assert "not known which account" in refused.json()["reason"]


@pytest.mark.parametrize(
    "query", ["ticket={0}&ticket={0}", "ticket={0}&account=default", "account=a&account=b"]
)
async def test_an_ambiguous_start_is_refused_by_both_ways_and_burns_nothing(query: str) -> None:
    """The plugin and `handle` have one rule."""
    async with scene() as (at_site, _, __), at_site.browser() as browser:
        url = await ticket(at_site)
        ambiguous = f"{START}?{query.format(parse_qs(urlsplit(url).query)['ticket'][0])}"
        answered = await browser.get(ambiguous, headers=SAME_SITE)
        request = HttpRequest(
            "GET", f"{at_site.origin}{ambiguous}", (("Sec-Fetch-Site", "same-origin"),)
        )
        handled = await at_site.connectors.handle(request, principal=Principal(ACME, "ada"))
        assert (answered.status_code, answered.content) == (handled.status, handled.body)
        assert handled.status == 400
        assert (await browser.get(url)).status_code == 303
