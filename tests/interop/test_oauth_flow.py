"""The whole OAuth flow against a certified provider over real HTTP, with its consent form."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from igniter_connectors import OAuthProvider, Secret, problem_of, value_or_raise
from igniter_connectors.core.problem import NeedsReauth
from tests.interop.oidc_provider import (
    ClientAuthentication,
    OidcClient,
    running_oidc_provider,
    sign_in_and_consent,
    sign_in_and_deny,
)
from tests.sample import Organization
from tests.web.github import GitHub, Me, Site, WhoAmI, callback_of, site, who_am_i
from tests.web.served import bound_socket

ACME = Organization("acme")


async def connect(at_site: Site, *, login: str = "ada") -> str:
    """Runs the whole browser flow. Returns the last redirect's location."""
    at = at_site.connectors.scope(ACME).at(at_site.connector)
    config = GitHub(Secret("hook"))
    request = value_or_raise(await at.authorize(config, subject="ada", return_to="/done?x=1"))
    async with at_site.browser() as browser:
        begun = await browser.get(request.url)
        assert begun.status_code == 303, begun.text
        returned = await asyncio.to_thread(
            sign_in_and_consent, begun.headers["location"], login=login
        )
        finished = await browser.get(returned)
        assert finished.status_code == 303, finished.text
        assert not browser.cookies
        return finished.headers["location"]


@pytest.mark.parametrize("authentication", ["client_secret_basic", "client_secret_post", "none"])
async def test_a_tenant_connects_and_its_actions_run(
    authentication: ClientAuthentication,
) -> None:
    """For each client authentication method: code, PKCE, exchange, user info, action."""
    listener = bound_socket()
    secret = None if authentication == "none" else "s+c:r/e%t&1 and long enough"
    client = OidcClient("an app", secret, authentication, (callback_of(listener),))
    with running_oidc_provider(clients=[client]) as real:
        provider = OAuthProvider(
            authorization_url=real.authorization_endpoint,
            token_url=real.token_endpoint,
            userinfo_url=real.userinfo_endpoint,
            client_id=client.client_id,
            client_secret=Secret(secret) if secret else None,
            client_authentication=authentication,
            oauth_scopes=("openid", "email"),
            issuer=real.issuer,
            sends_issuer=True,
        )
        async with site(provider, listener=listener) as at_site:
            assert await connect(at_site) == "/done?x=1&connected=github"
            at = at_site.connectors.scope(ACME).at(at_site.connector)
            connection = value_or_raise(await at.get())
            assert connection.config == GitHub(Secret("hook"))
            assert connection.authorization is not None
            assert connection.authorization.account is not None
            assert connection.authorization.account.subject == "ada"
            me = await at.action(who_am_i).call(WhoAmI(real.userinfo_endpoint))
            assert value_or_raise(me) == Me("ada")


async def test_ten_actions_at_expiry_make_one_token_request_and_the_grant_lives() -> None:
    """The provider rotates and revokes on reuse: a second request would end the grant."""
    listener = bound_socket()
    client = OidcClient(
        "app", "a secret of some length", "client_secret_basic", (callback_of(listener),)
    )
    with running_oidc_provider(
        clients=[client], access_token_lifetime=timedelta(seconds=12)
    ) as real:
        provider = OAuthProvider(
            authorization_url=real.authorization_endpoint,
            token_url=real.token_endpoint,
            userinfo_url=real.userinfo_endpoint,
            client_id=client.client_id,
            client_secret=Secret("a secret of some length"),
            oauth_scopes=("openid",),
        )
        async with site(provider, listener=listener) as at_site:
            await connect(at_site)
            at = at_site.connectors.scope(ACME).at(at_site.connector)
            before = real.stats()
            # A lifetime of 12 s minus the margin of 10 s: expired for us after 2 s.
            for round_number in (1, 2):
                await asyncio.sleep(2.1)
                answers = await asyncio.gather(
                    *(at.action(who_am_i).call(WhoAmI(real.userinfo_endpoint)) for _ in range(10))
                )
                assert [value_or_raise(answer) for answer in answers] == [Me("ada")] * 10
                since = real.stats() - before
                assert (since.refresh_requests, since.invalid_grant) == (round_number, 0)
            connection = value_or_raise(await at.get())
            assert connection.authorization is not None
            assert connection.authorization.generation == 3


async def test_a_denied_consent_returns_our_own_code() -> None:
    """There is no row and no token request, and the URL has no text of the provider."""
    listener = bound_socket()
    client = OidcClient("app", None, "none", (callback_of(listener),))
    with running_oidc_provider(clients=[client]) as real:
        provider = OAuthProvider(
            authorization_url=real.authorization_endpoint,
            token_url=real.token_endpoint,
            client_id="app",
            oauth_scopes=("openid",),
        )
        async with site(provider, listener=listener) as at_site:
            at = at_site.connectors.scope(ACME).at(at_site.connector)
            request = value_or_raise(await at.authorize(GitHub(Secret("x")), subject="ada"))
            async with at_site.browser() as browser:
                begun = await browser.get(request.url)
                returned = await asyncio.to_thread(
                    sign_in_and_deny, begun.headers["location"], login="ada"
                )
                assert "error=access_denied" in urlsplit(returned).query
                finished = await browser.get(returned)
            assert finished.headers["location"] == "/?error=CONNECTOR_OAUTH_AUTHORIZATION_DENIED"
            assert problem_of(await at.get()) is not None
            assert real.stats().token_requests == 0


async def test_a_revoked_grant_needs_one_request_and_a_new_authorization() -> None:
    """One request detects it. No further request is sent until the tenant authorizes again."""
    listener = bound_socket()
    client = OidcClient(
        "app", "a secret of some length", "client_secret_post", (callback_of(listener),)
    )
    with running_oidc_provider(
        clients=[client], access_token_lifetime=timedelta(seconds=5)
    ) as real:
        provider = OAuthProvider(
            authorization_url=real.authorization_endpoint,
            token_url=real.token_endpoint,
            userinfo_url=real.userinfo_endpoint,
            client_id=client.client_id,
            client_secret=Secret("a secret of some length"),
            client_authentication="client_secret_post",
            # The refresh token is spent elsewhere, without our knowledge.
            oauth_scopes=("openid",),
        )
        async with site(provider, listener=listener) as at_site:
            await connect(at_site)
            at = at_site.connectors.scope(ACME).at(at_site.connector)
            await revoke_everything(at_site, real.revocation_endpoint, client)
            before = real.stats()
            for _ in range(20):
                answer = await at.action(who_am_i).call(WhoAmI(real.userinfo_endpoint))
                assert problem_of(answer) == NeedsReauth("github", "needs_reauth")
            assert (real.stats() - before).token_requests == 1
            assert value_or_raise(await at.explain()).remedy == "authorize_again"
            assert await connect(at_site) == "/done?x=1&connected=github"
            me = await at.action(who_am_i).call(WhoAmI(real.userinfo_endpoint))
            assert value_or_raise(me) == Me("ada")


async def revoke_everything(at_site: Site, endpoint: str, client: OidcClient) -> None:
    """Revokes the grant at the provider, as a user can on its pages."""
    import httpx

    from igniter_connectors.core.connection.record import ConnectionKey
    from igniter_connectors.core.connector.validation import decode_json
    from igniter_connectors.core.oauth.token_response import TokenSet
    from igniter_connectors.core.sealing.associated_data import Binding
    from igniter_connectors.core.sealing.cipher_cache import Ciphers
    from tests.sample import KEYRING

    record = await at_site.connectors.store.find(ConnectionKey("organization", "acme", "github"))
    assert record is not None
    assert record.grant is not None
    place = Binding(
        "tokens", "organization", "acme", "github", "default", record.id, record.grant.generation
    )
    opened = Ciphers(KEYRING).open(record.grant.sealed_tokens, place, now=0.0)
    assert opened is not None
    tokens = value_of(decode_json(opened, TokenSet).unwrap().refresh_token)
    async with httpx.AsyncClient() as http:
        answer = await http.post(
            endpoint,
            data={
                "token": tokens,
                "client_id": client.client_id,
                "client_secret": client.client_secret,
            },
        )
        assert answer.status_code == 200


def value_of(secret: Secret | None) -> str:
    """The value as a string."""
    assert secret is not None
    return secret.reveal()
