"""A connection's grant from the first authorization to its revocation, over real HTTP."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import msgspec
import pytest
from msgspec.structs import replace

from igniter_connectors import (
    AdoptedTokens,
    Connection,
    ConnectorError,
    MemoryStore,
    Secret,
    problem_of,
    value_or_raise,
)
from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.problem import (
    IdentityMismatch,
    NeedsReauth,
    NotConnected,
)
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.oauth.renew_expiring import renew_expiring
from igniter_connectors.flows.oauth.revoke import revoke_due
from igniter_connectors.flows.oauth.token_source import renewal_of
from igniter_connectors.flows.renewals import Renewals
from igniter_connectors.flows.sealing import open_tokens, seal_tokens
from igniter_connectors.testing import (
    FakeOAuthProvider,
    ManualClock,
    ProviderScript,
    running_provider,
)
from tests.sample import Organization
from tests.web.github import GitHub, Site, WhoAmI, site, who_am_i
from tests.web.test_oauth import come_back, oauth, ticket

ACME = Organization("acme")
KEY = ConnectionKey("organization", "acme", "github")


def another_process(engine: Engine) -> Engine:
    """An engine like that of another process on the same database, with its own refresh tasks."""
    return dataclasses.replace(engine, renewals=Renewals(engine.clock))


class Scene:
    """An application with a provider that can revoke, on a clock that the test advances."""

    def __init__(self, at_site: Site, provider: FakeOAuthProvider, clock: ManualClock) -> None:
        self.site = at_site
        self.provider = provider
        self.clock = clock
        self.engine = at_site.connectors._engine
        self.at = at_site.connectors.scope(ACME).at(at_site.connector)

    async def connect(self, url: str | None = None) -> str:
        """Completes an authorization; returns where the browser is redirected to."""
        async with self.site.browser() as browser:
            callback = await come_back(browser, url or await ticket(self.site))
            return (await browser.get(callback)).headers["location"]

    async def record(self) -> ConnectionRecord:
        """The stored connection."""
        record = await self.engine.store.find(KEY)
        assert record is not None
        return record

    async def revoke_due(self, *, after: timedelta = timedelta(seconds=31)) -> int:
        """Revokes what is due, as the background task does, when the test calls it."""
        self.clock.advance(after)
        return await revoke_due(self.engine)

    async def works(self) -> bool:
        """Whether the provider accepts the stored token in an action."""
        answer = await self.at.action(who_am_i).call(WhoAmI(self.provider.userinfo_url))
        return problem_of(answer) is None


@asynccontextmanager
async def scene(
    script: ProviderScript | None = None, *, ends: str = "grant"
) -> AsyncGenerator[Scene, None]:
    """The scene. Its background task waits, so that only the test revokes."""
    clock = ManualClock()
    async with running_provider(script) as provider:
        described = msgspec.structs.replace(
            oauth(provider), revocation_url=provider.revocation_url, revocation_ends=ends
        )
        async with site(described, store=MemoryStore(clock=clock), clock=clock) as at_site:
            await at_site.connectors._lifecycle.revocations.close()
            yield Scene(at_site, provider, clock)


async def test_disconnecting_revokes_the_grant() -> None:
    """Afterwards: the response does not wait for the provider."""
    async with scene() as made:
        assert await made.connect() == "/?connected=github"
        value_or_raise(await made.at.disconnect())
        assert made.provider.revocation_requests == 0
        assert await made.revoke_due() == 1
        (grant,) = made.provider.grants
        assert grant.is_revoked
        assert await made.revoke_due(after=timedelta(days=1)) == 0


async def test_the_background_task_revokes() -> None:
    """At once, if the token can be revoked without its grant."""
    async with scene(ends="token") as made:
        await made.connect()
        made.site.connectors._lifecycle.revocations.start()
        value_or_raise(await made.at.disconnect())
        for _ in range(100):
            if made.provider.revocation_requests:
                break
            await asyncio.sleep(0.02)
        assert made.provider.grants[0].is_revoked


@pytest.mark.parametrize("trouble", [{"revocation_status": 503}, {"revocation_status": 429}])
async def test_revoking_is_retried_while_the_provider_is_down(trouble: dict[str, int]) -> None:
    """The tokens stay sealed in the queue."""
    async with scene() as made:
        await made.connect()
        value_or_raise(await made.at.disconnect())
        made.provider.script = ProviderScript(**trouble)  # type: ignore[arg-type]  # the case's
        assert await made.revoke_due() == 1
        assert await made.revoke_due(after=timedelta(seconds=1)) == 0
        made.provider.script = ProviderScript()
        assert await made.revoke_due(after=timedelta(hours=1)) == 1
        assert made.provider.grants[0].is_revoked
        assert made.provider.revocation_requests == 2


async def test_revoking_ends_after_twenty_attempts() -> None:
    """Then the tokens are deleted without being revoked."""
    async with scene(ProviderScript(revocation_status=503)) as made:
        await made.connect()
        value_or_raise(await made.at.disconnect())
        for _ in range(30):
            await made.revoke_due(after=timedelta(hours=2))
        assert made.provider.revocation_requests == 20


async def test_a_grant_that_another_connection_uses_is_not_revoked() -> None:
    """If a revocation ends the whole grant. If it ends one token, both tokens are revoked."""
    for ends, revoked in (("grant", 0), ("token", 2)):
        async with scene(ends=ends) as made:
            await made.connect()
            second = made.site.connectors.scope(ACME).at(made.site.connector, account="second")
            began = await second.authorize(GitHub(Secret("hook")), subject="ada")
            await made.connect(value_or_raise(began).url)
            value_or_raise(await made.at.disconnect())
            await made.revoke_due()
            assert made.provider.revocation_requests == revoked


async def test_a_revocation_waits_for_a_pending_authorization() -> None:
    """The provider may return the same grant again, and a revocation would then end it."""
    async with scene() as made:
        await made.connect()
        value_or_raise(await made.at.disconnect())
        async with made.site.browser() as browser:
            callback = await come_back(browser, await ticket(made.site))
            await made.revoke_due()
            assert made.provider.revocation_requests == 0
            assert (await browser.get(callback)).headers["location"] == "/?connected=github"
        await made.revoke_due(after=timedelta(minutes=5))
        # The connection that was made meanwhile lives on a grant of the same account.
        assert made.provider.revocation_requests == 0
        assert await made.works()


async def test_a_callback_after_a_disconnect_connects_nothing() -> None:
    """The code is not exchanged."""
    async with scene() as made, made.site.browser() as browser:
        await made.connect()
        callback = await come_back(browser, await ticket(made.site))
        value_or_raise(await made.at.disconnect())
        requests = made.provider.token_requests
        answer = await browser.get(callback)
        assert answer.headers["location"] == "/?error=CONNECTOR_CONFLICT"
        assert made.provider.token_requests == requests
        assert isinstance(problem_of(await made.at.get()), NotConnected)


async def test_a_disconnect_between_code_and_commit_queues_the_tokens_for_revocation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No other process knows them, so this one revokes them."""
    async with scene() as made, made.site.browser() as browser:
        callback = await come_back(browser, await ticket(made.site))
        send, store = made.engine.http.send, made.engine.store

        async def meanwhile(request, **kwargs):  # type: ignore[no-untyped-def]  # passed through
            answer = await send(request, **kwargs)
            if request.url == made.provider.token_url and await store.find(KEY) is None:
                monkeypatch.undo()
                await made.connect()
                value_or_raise(await made.at.disconnect())
            return answer

        monkeypatch.setattr(made.engine.http, "send", meanwhile)
        answer = await browser.get(callback)
        assert answer.headers["location"] == "/?error=CONNECTOR_CONFLICT"
        await made.revoke_due()
        assert [grant.is_revoked for grant in made.provider.grants] == [True, True]


async def test_a_refresh_between_code_and_commit_does_not_fail_the_authorization(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It raises the generation of the same grant that the authorization replaces."""
    async with scene(ends="token") as made, made.site.browser() as browser:
        await made.connect()
        made.clock.advance(timedelta(hours=1))
        callback = await come_back(browser, await ticket(made.site))
        save, requests = made.engine.store.save_authorized, made.provider.refresh_requests

        async def refresh_first(record, **kwargs):  # type: ignore[no-untyped-def]  # passed through
            monkeypatch.undo()
            assert await made.works()
            return await save(record, **kwargs)

        monkeypatch.setattr(made.engine.store, "save_authorized", refresh_first)
        answer = await browser.get(callback)
        assert answer.headers["location"] == "/?connected=github"
        assert made.provider.refresh_requests == requests + 1
        after = (await made.record()).grant
        assert after is not None
        assert after.generation == 3
        await made.revoke_due()
        assert [grant.is_revoked for grant in made.provider.grants] == [True, False]
        assert await made.works()


async def test_of_two_authorizations_of_one_grant_the_first_callback_wins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The flow compares the grant that the second one began with, not its generation."""
    async with scene(ends="token") as made, made.site.browser() as browser:
        await made.connect()
        callback = await come_back(browser, await ticket(made.site))
        send = made.engine.http.send

        async def meanwhile(request, **kwargs):  # type: ignore[no-untyped-def]  # passed through
            answer = await send(request, **kwargs)
            if request.url == made.provider.token_url:
                monkeypatch.undo()
                await made.connect()
            return answer

        monkeypatch.setattr(made.engine.http, "send", meanwhile)
        answer = await browser.get(callback)
        assert answer.headers["location"] == "/?error=CONNECTOR_CONFLICT"
        await made.revoke_due()
        assert [grant.is_revoked for grant in made.provider.grants] == [True, True, False]
        assert await made.works()


async def test_authorizing_again_revokes_the_token_it_replaces() -> None:
    """It does not revoke the grant, which may be the same as the new one."""
    async with scene(ends="token") as made:
        await made.connect()
        await made.connect()
        assert await made.revoke_due() == 1
        assert [grant.is_revoked for grant in made.provider.grants] == [True, False]
        assert await made.works()


async def test_another_account_is_refused_and_its_tokens_are_revoked() -> None:
    """Unless the application asked to replace the account."""
    async with scene() as made:
        await made.connect()
        made.provider.script = ProviderScript(subject="account-2")
        assert await made.connect() == "/?error=CONNECTOR_IDENTITY_MISMATCH"
        await made.revoke_due()
        assert [grant.is_revoked for grant in made.provider.grants] == [False, True]
        config = GitHub(Secret("hook"))
        began = await made.at.authorize_replacing_account(config, subject="ada")
        assert await made.connect(value_or_raise(began).url) == "/?connected=github"
        authorization = value_or_raise(await made.at.get()).authorization
        assert authorization is not None
        assert authorization.account is not None
        assert authorization.account.subject == "account-2"


async def test_reauthorizing_keeps_the_config_and_the_scopes() -> None:
    """Also a config that was changed during the authorization."""
    async with scene() as made:
        assert isinstance(problem_of(await made.at.reauthorize(subject="ada")), NotConnected)
        await made.connect()
        before = await made.record()
        began = await made.at.reauthorize(subject="ada", oauth_scopes=["repo"], return_to="/done")
        changed = GitHub(Secret("other"), "design")
        value_or_raise(await made.at.update(changed))
        assert await made.connect(value_or_raise(began).url) == "/done?connected=github"
        after = await made.record()
        assert before.grant is not None
        assert after.grant is not None
        assert (after.id, after.grant.generation) == (before.id, 2)
        assert after.grant.oauth_scopes == ("repo",)
        connection: Connection[GitHub] = value_or_raise(await made.at.get())
        assert connection.config == changed


async def test_a_new_authorization_replaces_a_dead_grant() -> None:
    """Until then the connection stays unusable."""
    async with scene() as made:
        await made.connect()
        made.provider.revoke_all()
        made.clock.advance(timedelta(hours=1))
        answer = await made.at.action(who_am_i).call(WhoAmI(made.provider.userinfo_url))
        assert problem_of(answer) == NeedsReauth("github", "needs_reauth")
        began = await made.at.reauthorize(subject="ada")
        assert await made.connect(value_or_raise(began).url) == "/?connected=github"
        assert await made.works()


async def test_adopted_tokens_that_others_use_are_neither_refreshed_nor_revoked() -> None:
    """When they expire, the tenant has to authorize."""
    async with scene() as made:
        tokens = await granted_elsewhere(made)
        connection = value_or_raise(await made.at.adopt(GitHub(Secret("hook")), tokens))
        assert connection.authorization is not None
        assert connection.authorization.account is not None
        assert connection.authorization.account.subject == "account-1"
        assert await made.works()
        requests = made.provider.token_requests
        made.clock.advance(timedelta(hours=1))
        answer = await made.at.action(who_am_i).call(WhoAmI(made.provider.userinfo_url))
        assert problem_of(answer) == NeedsReauth("github", "needs_reauth")
        assert made.provider.token_requests == requests
        value_or_raise(await made.at.disconnect())
        assert await made.revoke_due() == 0


async def test_adopted_tokens_that_nobody_else_uses_are_refreshed() -> None:
    """Like tokens that were granted here."""
    async with scene() as made:
        tokens = await granted_elsewhere(made)
        adopted = await made.at.adopt_as_only_user(GitHub(Secret("hook")), tokens)
        assert problem_of(adopted) is None
        made.clock.advance(timedelta(hours=1))
        assert await made.works()
        assert made.provider.grants[-1].rotations == 1
        value_or_raise(await made.at.disconnect())
        assert await made.revoke_due() == 1


async def test_adopting_judges_identity_first() -> None:
    """The tokens of another account change nothing.

    Those of the same account replace the stored ones.
    """
    async with scene() as made:
        await made.connect()
        before = await made.record()
        made.provider.script = ProviderScript(subject="account-2")
        others = await granted_elsewhere(made)
        refused = await made.at.adopt_as_only_user(GitHub(Secret("hook")), others)
        assert problem_of(refused) == IdentityMismatch("github")
        assert await made.record() == before
        made.provider.script = ProviderScript()
        own = await granted_elsewhere(made)
        value_or_raise(await made.at.adopt_as_only_user(GitHub(Secret("new")), own))
        after = await made.record()
        assert after.grant is not None
        assert (after.id, after.grant.generation) == (before.id, 2)


async def granted_elsewhere(made: Scene) -> AdoptedTokens:
    """Tokens that were granted to another program."""
    other = made.site.connectors.scope(Organization("elsewhere")).at(made.site.connector)
    began = await other.authorize(GitHub(Secret("hook")), subject="ada")
    async with made.site.browser("elsewhere/ada") as browser:
        callback = await come_back(browser, value_or_raise(began).url)
        assert (await browser.get(callback)).headers["location"] == "/?connected=github"
    grant = made.provider.grants[-1]
    key = replace(KEY, identity="elsewhere")
    await made.engine.store.disconnect(key, revocation=None, now=made.clock.now())
    return AdoptedTokens(
        access_token=Secret(grant.access_token),
        refresh_token=Secret(grant.refresh_token),
        expires_at=made.clock.now() + timedelta(hours=1),
    )


async def test_a_refresh_that_loses_its_row_queues_its_tokens_for_revocation() -> None:
    """The tenant disconnects during the refresh, so the new tokens cannot be stored."""
    async with scene(ends="token") as made:
        await made.connect()
        made.provider.script = ProviderScript(answer_late_seconds=0.2)
        made.clock.advance(timedelta(hours=1))
        waiting = asyncio.create_task(made.works())
        for _ in range(500):
            await asyncio.sleep(0.01)
            if made.provider.refresh_requests:
                break
        value_or_raise(await made.at.disconnect())
        assert not await waiting
        made.provider.script = ProviderScript()
        for _ in range(3):
            await made.revoke_due()
        # The old refresh token, whose access token has expired, and both new tokens.
        assert made.provider.grants[0].revocations == 3
        assert made.provider.grants[0].is_revoked


async def test_a_refresh_without_a_response_is_retried_at_once_in_a_grace_period() -> None:
    """No call is needed: the grace period may be shorter than the lease."""
    async with running_provider(ProviderScript(reuse_grace_seconds=60)) as provider:
        described = msgspec.structs.replace(oauth(provider), reuse_grace=timedelta(seconds=60))
        async with site(described) as at_site:
            made = Scene(at_site, provider, ManualClock())
            await made.connect()
            record = await made.record()
            provider.next_scripts.append(ProviderScript(drops="after", reuse_grace_seconds=60))
            task = renewal_of(made.engine, described, KEY, 1)
            problem = await asyncio.shield(task)
            assert getattr(problem, "code", "") == "CONNECTOR_OAUTH_REFRESH_FAILED"
            for _ in range(200):
                current = await made.record()
                if current.grant != record.grant:
                    break
                await asyncio.sleep(0.02)
            assert current.grant is not None
            assert (current.grant.generation, current.unresolved) == (2, False)
            assert provider.grants[0].reuses == 1
            assert not provider.grants[0].is_revoked
            assert await made.works()


async def test_an_unreachable_provider_connects_nothing_and_is_named() -> None:
    """The exchange of the code fails with a problem of its own."""
    async with scene() as made, made.site.browser() as browser:
        callback = await come_back(browser, await ticket(made.site))
        made.provider.script = ProviderScript(drops="before")
        answer = await browser.get(callback)
        assert answer.headers["location"] == "/?error=CONNECTOR_PROVIDER_UNREACHABLE"
        with pytest.raises(ConnectorError):
            value_or_raise(await made.at.get())


async def test_the_upgrade_url_redirects_the_browser_to_the_provider() -> None:
    """Only for the caller's own connection, and only from a page of this site."""
    async with scene() as made:
        await made.connect()
        address = "/connectors/github/oauth/start?account=default&oauth_scopes=repo+gist"
        async with made.site.browser() as browser:
            for site_told in (
                {},
                {"sec-fetch-site": "cross-site"},
                {"sec-fetch-site": "same-site"},
            ):
                assert (await browser.get(address, headers=site_told)).status_code == 403
            same = {"sec-fetch-site": "same-origin"}
            sent = await browser.get(address, headers=same)
            assert sent.status_code == 303
            callback = await come_back(browser, sent.headers["location"])
            asked = httpx.URL((await browser.get(callback)).headers["location"])
            assert asked.params["connected"] == "github"
        grant = (await made.record()).grant
        assert grant is not None
        assert grant.oauth_scopes == ("repo", "gist")
        async with made.site.browser("rival/eve") as stranger:
            assert (await stranger.get(address, headers=same)).status_code == 404


async def test_unused_grants_are_renewed_before_they_expire() -> None:
    """Once, although several processes look for them.

    A grant that is fresh or in use stays as it is.
    """
    async with scene() as made:
        await made.connect()
        record = await made.record()
        assert record.grant is not None
        lapsing = replace(
            record.grant, refresh_expires_at=made.clock.now() + timedelta(days=30), generation=2
        )
        made.clock.advance(timedelta(days=27, seconds=1))
        assert await renew_expiring(another_process(made.engine)) == 0
        tokens = seal_tokens(
            made.engine,
            open_tokens(made.engine, record).unwrap(),
            KEY,
            row=record.id,
            generation=2,
        ).unwrap()
        assert await made.engine.store.save_renewed(
            KEY, row=record.id, generation=1, grant=replace(lapsing, sealed_tokens=tokens)
        )
        sweeps = [
            asyncio.create_task(renew_expiring(another_process(made.engine))) for _ in range(3)
        ]
        for _ in range(300):
            made.clock.advance(timedelta(seconds=0.1))
            await asyncio.sleep(0.01)
            if all(sweep.done() for sweep in sweeps):
                break
        assert max(sweep.result() for sweep in sweeps) == 1
        assert made.provider.grants[0].rotations == 1
        assert await renew_expiring(another_process(made.engine)) == 0
        assert await made.works()
