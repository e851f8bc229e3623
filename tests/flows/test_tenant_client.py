"""A tenant that brings its own OAuth client, and a config that leads elsewhere."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest
from returns.result import Result, Success

from igniter_connectors import (
    ActionCall,
    ActionFailed,
    Connector,
    ConnectorManager,
    Connectors,
    HttpRequest,
    MemoryStore,
    OAuthConnector,
    OAuthProvider,
    Principal,
    Secret,
    action,
    problem_of,
    value_or_raise,
)
from igniter_connectors.flows.oauth.revoke import revoke_due
from igniter_connectors.problems import ConfigInvalid, MissingScopes, NeedsReauth
from igniter_connectors.providers import TenantClient
from igniter_connectors.testing import FakeOAuthProvider, ManualClock, running_provider
from tests.sample import KEYRING, Organization

ACME = Organization("acme")
BASE = "http://127.0.0.1:9"


class Desk(msgspec.Struct, frozen=True):
    """A tenant's config: where it is, and its own client if it has one."""

    subdomain: str = "acme"
    client_id: str = ""
    client_secret: Secret | None = None
    signature: str = ""


class Nothing(msgspec.Struct, frozen=True):
    """No input."""


@action("read", input=Nothing, output=str)
async def read(call: ActionCall[Desk, object, Nothing]) -> Result[str, ActionFailed]:
    """Needs no scope."""
    assert call.access_token is not None
    return Success(",".join(call.access_token.oauth_scopes))


@action("write", input=Nothing, output=str, oauth_scopes=["write", "delete"])
async def write(call: ActionCall[Desk, object, Nothing]) -> Result[str, ActionFailed]:
    """Needs two."""
    return Success("written")


class Scene:
    """A manager whose connector is at a provider, and a browser's part played by hand."""

    def __init__(
        self,
        connectors: Connectors[Desk, Organization],
        connector: OAuthConnector[Desk, None, Desk],
        provider: FakeOAuthProvider,
        clock: ManualClock,
    ) -> None:
        self.connectors = connectors
        self.connector = connector
        self.provider = provider
        self.clock = clock
        self.at = connectors.scope(ACME).at(connector)

    async def authorize(self, config: Desk) -> str:
        """Connects; the client that the provider was asked with."""
        who = Principal(ACME, "ada")
        ticket = value_or_raise(await self.at.authorize(config, subject="ada")).url
        begun = await self.connectors.handle(HttpRequest("GET", ticket), principal=who)
        assert begun.status == 303, begun.body
        where, cookie = begun.header("location") or "", begun.header("set-cookie") or ""
        async with httpx.AsyncClient() as browser:
            callback = (await browser.get(where)).headers["location"]
        sent = (("cookie", cookie.partition(";")[0]),)
        finished = await self.connectors.handle(HttpRequest("GET", callback, sent), principal=who)
        assert finished.header("location") == "/?connected=desk"
        return parse_qs(urlsplit(where).query)["client_id"][0]


@asynccontextmanager
async def scene() -> AsyncGenerator[Scene, None]:
    """The provider's endpoints hold a tenant's value in their path's query, as some do."""
    clock = ManualClock()
    async with running_provider() as provider:
        described = OAuthProvider(
            authorization_url=f"{provider.authorization_url}?desk={{subdomain}}",
            token_url=provider.token_url,
            userinfo_url=provider.userinfo_url,
            revocation_url=provider.revocation_url,
            client_id="the-application",
            client_secret=Secret("application's own"),
            oauth_scopes=("read",),
            tenant_client=TenantClient(id_field="client_id", secret_field="client_secret"),
        )
        connector = (
            Connector.create("desk")
            .with_config(Desk)
            .add_action(read)
            .add_action(write)
            .with_oauth(described)
            .build()
        )
        connectors = (
            ConnectorManager.create()
            .with_database(MemoryStore(clock=clock))
            .with_encryption(KEYRING)
            .with_base_url(BASE)
            .with_clock(clock)
            .add_scope(Organization)
            .add_connector(connector)
            .build()
        )
        async with connectors:
            await connectors._lifecycle.revocations.close()
            yield Scene(connectors, connector, provider, clock)


async def test_a_tenant_s_own_client_is_the_one_that_asks() -> None:
    """And the application's where the tenant has none."""
    async with scene() as made:
        assert await made.authorize(Desk()) == "the-application"
        own = Desk(client_id="acme-s", client_secret=Secret("acme's own"))
        assert await made.authorize(own) == "acme-s"
        record = await made.connectors.store.find(made.at._key)
        assert record is not None
        assert record.grant is not None
        assert record.grant.client_id == "acme-s"


@pytest.mark.parametrize(
    ("config", "path"),
    [
        (Desk(subdomain="evil.example/x"), "$.subdomain"),
        (Desk(client_secret=Secret("alone")), "$.client_id"),
    ],
)
async def test_a_config_that_makes_no_provider_is_refused_at_once(config: Desk, path: str) -> None:
    """Where it is given, not when the browser is on its way."""
    async with scene() as made:
        problem = problem_of(await made.at.authorize(config, subject="ada"))
        assert isinstance(problem, ConfigInvalid)
        assert problem.path == path
        await made.authorize(Desk())
        updated = problem_of(await made.at.update(config))
        assert isinstance(updated, ConfigInvalid)
        assert updated.path == path


@pytest.mark.parametrize(
    "changed",
    [
        Desk(subdomain="other"),
        Desk(client_id="acme-s", client_secret=Secret("acme's own")),
    ],
)
async def test_a_config_that_leads_elsewhere_needs_authorizing_and_sends_nothing(
    changed: Desk,
) -> None:
    """The tokens were granted at the old place, and are revoked there."""
    async with scene() as made:
        await made.authorize(Desk())
        requests = made.provider.token_requests
        value_or_raise(await made.at.update(changed))
        answer = await made.at.action(read).call(Nothing())
        assert problem_of(answer) == NeedsReauth("desk", "config_changed")
        explained = value_or_raise(await made.at.explain())
        assert (explained.state, explained.remedy) == ("config_changed", "authorize_again")
        assert made.provider.token_requests == requests
        assert await revoke_due(made.connectors._engine) == 1
        assert made.provider.grants[0].is_revoked
        await made.authorize(changed)
        assert problem_of(await made.at.action(read).call(Nothing())) is None


async def test_a_config_that_leads_nowhere_else_keeps_the_grant() -> None:
    """Only the fields that feed an endpoint or the client count."""
    async with scene() as made:
        await made.authorize(Desk())
        value_or_raise(await made.at.update(Desk(signature="best regards")))
        assert problem_of(await made.at.action(read).call(Nothing())) is None
        made.clock.advance(timedelta(hours=1))
        assert problem_of(await made.at.action(read).call(Nothing())) is None
        assert made.provider.grants[0].rotations == 1


async def test_a_scope_that_was_not_granted_is_missed_before_anything_is_called() -> None:
    """With the address at which the tenant can grant it."""
    async with scene() as made:
        await made.authorize(Desk())
        problem = problem_of(await made.at.action(write).call(Nothing()))
        assert isinstance(problem, MissingScopes)
        assert problem.oauth_scopes == ("delete", "write")
        assert problem.upgrade_url == (
            f"{BASE}/connectors/desk/oauth/start?account=default&oauth_scopes=delete+write"
        )
        who = Principal(ACME, "ada")
        ask = HttpRequest("GET", problem.upgrade_url, (("sec-fetch-site", "same-origin"),))
        sent = await made.connectors.handle(ask, principal=who)
        begun = await made.connectors.handle(
            HttpRequest("GET", sent.header("location") or ""), principal=who
        )
        where = urlsplit(begun.header("location") or "")
        assert parse_qs(where.query)["scope"] == ["read delete write"]
