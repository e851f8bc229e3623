"""Extensions of RFC 6749 through the whole library, against a certified provider."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest
from joserfc.jwk import ECKey
from msgspec.structs import replace
from returns.result import Success

from igniter_connectors import (
    HttpRequest,
    OAuthProvider,
    Secret,
    discover_provider,
    problem_of,
    value_or_raise,
)
from igniter_connectors.adapters.memory.revocations import MemoryRevocations
from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.oauth.dpop import new_dpop_key, required_nonce, with_proof
from igniter_connectors.core.oauth.pkce import challenge_of
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.flows.oauth.revoke import revoke_due
from igniter_connectors.flows.sealing import open_tokens
from igniter_connectors.problems import (
    DiscoveryFailed,
    IdentityMismatch,
    IdTokenInvalid,
    NeedsReauth,
    TokenRefused,
)
from tests.interop.oidc_device import enter_code
from tests.interop.oidc_provider import (
    Feature,
    OidcClient,
    OidcProvider,
    running_oidc_provider,
    sign_in_and_consent,
)
from tests.sample import Organization
from tests.web.github import GitHub, Me, Site, WhoAmI, callback_of, site, who_am_i
from tests.web.served import bound_socket

ACME = Organization("acme")
KEY = ConnectionKey("organization", "acme", "github")
CONFIG = GitHub(Secret("hook"))
SECRET = "a secret of some length"
EVERYTHING: tuple[Feature, ...] = (
    "pushedAuthorizationRequests",
    "dPoP",
    "deviceFlow",
    "clientCredentials",
)


@dataclass
class App:
    """An application with a connector for a real provider."""

    site: Site
    real: OidcProvider

    def __post_init__(self) -> None:
        self.at = self.site.connectors.scope(ACME).at(self.site.connector)
        self.engine = self.site.connectors._engine
        self.authorization_urls: list[str] = []

    async def connect(self, *, changed: tuple[str, str] = ("", "")) -> str:
        """Runs the whole browser flow, with changes to the URL. Returns the last location."""
        begun = value_or_raise(await self.at.authorize(CONFIG, subject="ada"))
        async with self.site.browser() as browser:
            opened = await browser.get(begun.url)
            assert opened.status_code == 303, opened.text
            url = opened.headers["location"].replace(*changed)
            self.authorization_urls.append(url)
            back = await asyncio.to_thread(sign_in_and_consent, url, login="ada")
            return (await browser.get(back)).headers["location"]

    async def tokens(self) -> TokenSet:
        """The tokens in the row."""
        record = await self.site.connectors.store.find(KEY)
        assert record is not None
        return open_tokens(self.engine, record).unwrap()

    async def me(self) -> object:
        """The result of an action that requests user info."""
        answer = await self.at.action(who_am_i).call(WhoAmI(self.real.userinfo_endpoint))
        return problem_of(answer) or value_or_raise(answer)

    async def generation(self) -> int:
        """The grant's generation: the number of token sets so far."""
        authorization = value_or_raise(await self.at.get()).authorization
        assert authorization is not None
        return authorization.generation


async def discovered(
    real: OidcProvider, client: OidcClient, *, key: Secret | None = None
) -> OAuthProvider:
    """The provider as discovered from its metadata."""
    return value_or_raise(
        await discover_provider(
            real.issuer,
            client_id=client.client_id,
            client_secret=Secret(client.client_secret) if client.client_secret else None,
            client_assertion_key=key,
            client_assertion_algorithm="ES256",
            client_assertion_key_id="the-key" if key else None,
            oauth_scopes=("openid", "email"),
        )
    )


@asynccontextmanager
async def running_app(
    *,
    features: Collection[Feature] = (),
    lifetime: timedelta = timedelta(hours=1),
    key: ECKey | None = None,
    client: OidcClient | None = None,
    dpop: bool = False,
    requires_pushed_requests: bool = False,
    requires_dpop_nonce: bool = False,
    **changes: object,
) -> AsyncGenerator[App, None]:
    """An application with the discovered provider, with fields changed by the test."""
    listener = bound_socket()
    client = client or OidcClient("app", SECRET, "client_secret_basic", ())
    if "authorization_code" in client.grant_types:
        client = dataclasses.replace(client, redirect_uris=(callback_of(listener),))
    with running_oidc_provider(
        clients=[client],
        features=features,
        access_token_lifetime=lifetime,
        requires_pushed_requests=requires_pushed_requests,
        requires_dpop_nonce=requires_dpop_nonce,
    ) as real:
        signs = (
            None if key is None else Secret(msgspec.json.encode(key.as_dict(private=True)).decode())
        )
        provider = await discovered(real, client, key=signs)
        if dpop:
            provider = replace(provider, dpop=True, token_types=frozenset({"dpop"}))
        async with site(replace(provider, **changes), listener=listener) as at_site:
            await at_site.connectors._lifecycle.revocations.close()
            yield App(at_site, real)


async def test_discovery_finds_every_endpoint_and_the_flow_runs_on_it() -> None:
    """The ID token is requested and verified, and its subject is the account."""
    async with running_app(features=EVERYTHING) as made:
        provider, real = made.site.connector.provider, made.real
        assert (provider.authorization_url, provider.token_url, provider.userinfo_url) == (
            real.authorization_endpoint,
            real.token_endpoint,
            real.userinfo_endpoint,
        )
        assert provider.revocation_url == real.revocation_endpoint
        assert provider.pushed_authorization_url == f"{real.issuer}/request"
        assert provider.device_authorization_url == f"{real.issuer}/device/auth"
        assert provider.jwks_url == f"{real.issuer}/jwks"
        assert (provider.issuer, provider.sends_issuer) == (real.issuer, True)
        assert await made.connect() == "/?connected=github"
        assert await made.me() == Me("ada")


async def test_a_provider_under_another_name_is_refused() -> None:
    """Its metadata names another issuer, although the right server sent it."""
    with running_oidc_provider(
        clients=[OidcClient("app", SECRET, "client_secret_basic", ("http://127.0.0.1:9/x",))]
    ) as real:
        for name, reason in (
            (f"{real.issuer}/", "the document names another issuer, by the slash at its end"),
            (real.issuer.replace("127.0.0.1", "localhost"), "the document names another issuer"),
            (f"{real.issuer}/other", "the document is not there: the server answered 404"),
        ):
            problem = problem_of(await discover_provider(name, client_id="app"))
            assert problem == DiscoveryFailed(name, reason)
        assert problem_of(await discover_provider(real.issuer, client_id="app")) is None


async def test_the_id_token_alone_names_the_account() -> None:
    """This works without a user info endpoint."""
    async with running_app(userinfo_url=None) as made:
        assert await made.connect() == "/?connected=github"
        authorization = value_or_raise(await made.at.get()).authorization
        assert authorization is not None
        assert authorization.account is not None
        assert authorization.account.subject == "ada"


async def test_an_id_token_of_another_nonce_connects_nobody() -> None:
    """It is genuine and for this client and user, but of another authorization. It is revoked."""
    async with running_app() as made:
        began = value_or_raise(await made.at.authorize(CONFIG, subject="ada")).url
        async with made.site.browser() as browser:
            url = (await browser.get(began)).headers["location"]
            nonce = parse_qs(urlsplit(url).query)["nonce"][0]
            other = url.replace(nonce, "A" * len(nonce))
            back = await asyncio.to_thread(sign_in_and_consent, other, login="ada")
            finished = await browser.get(back)
        code = IdTokenInvalid("github", "").code
        assert finished.headers["location"] == f"/?error={code}"
        assert problem_of(await made.at.get()) is not None
        assert made.real.stats().token_requests == 1


async def test_an_id_token_for_another_audience_connects_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is genuine, fresh and has the right nonce, but is for another client."""
    listener = bound_socket()
    ours = OidcClient("app", SECRET, "client_secret_post", (callback_of(listener),))
    theirs = dataclasses.replace(ours, client_id="another")
    with running_oidc_provider(clients=[ours, theirs]) as real:
        provider = await discovered(real, ours)
        async with site(replace(provider, userinfo_url=None), listener=listener) as at_site:
            made = App(at_site, real)
            send = made.engine.http.send

            async def with_theirs(request, **options):  # type: ignore[no-untyped-def]  # passed through
                answer = await send(request, **options)
                if request.url != real.token_endpoint:
                    return answer
                token = await asyncio.to_thread(
                    id_token_for, theirs, real, made.authorization_urls[-1]
                )
                body = msgspec.json.decode(answer.unwrap().body) | {"id_token": token}
                return Success(replace(answer.unwrap(), body=msgspec.json.encode(body)))

            monkeypatch.setattr(made.engine.http, "send", with_theirs)
            code = IdTokenInvalid("github", "").code
            assert await made.connect() == f"/?error={code}"
            assert problem_of(await made.at.get()) is not None
            monkeypatch.undo()
            assert await made.connect() == "/?connected=github"


def id_token_for(client: OidcClient, real: OidcProvider, url: str) -> str:
    """An ID token for another client, from a flow with the same nonce."""
    verifier = "v" * 43
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    challenge = challenge_of(verifier)
    query |= {"client_id": client.client_id, "code_challenge": challenge}
    url = str(httpx.URL(real.authorization_endpoint, params=query))
    back = sign_in_and_consent(url, login="ada")
    form = {
        "grant_type": "authorization_code",
        "code": parse_qs(urlsplit(back).query)["code"][0],
        "redirect_uri": client.redirect_uris[0],
        "code_verifier": verifier,
        "client_id": client.client_id,
        "client_secret": client.client_secret or "",
    }
    answer = httpx.post(real.token_endpoint, data=form, trust_env=False).json()
    token: str = answer["id_token"]
    return token


@pytest.mark.parametrize("required", [False, True])
async def test_a_pushed_request_leaves_nothing_in_the_url(required: bool) -> None:
    """RFC 9126, also if the provider requires pushed requests."""
    async with running_app(
        features=["pushedAuthorizationRequests"], requires_pushed_requests=required
    ) as made:
        assert made.site.connector.provider.requires_pushed_authorization is required
        assert await made.connect() == "/?connected=github"
        query = parse_qs(urlsplit(made.authorization_urls[0]).query)
        assert query.keys() == {"client_id", "request_uri"}
        assert await made.me() == Me("ada")


async def test_a_provider_that_requires_pushing_refuses_other_requests() -> None:
    """This shows that the provider itself enforces the requirement."""
    async with running_app(
        features=["pushedAuthorizationRequests"],
        requires_pushed_requests=True,
        pushed_authorization_url=None,
        requires_pushed_authorization=False,
    ) as made:
        assert await made.connect() == "/?error=CONNECTOR_OAUTH_AUTHORIZATION_DENIED"


@pytest.mark.parametrize("nonces", [False, True])
async def test_tokens_are_bound_to_a_key_from_the_code_to_the_refresh(nonces: bool) -> None:
    """RFC 9449, with and without the server's nonces. The tokens do not work without a proof."""
    async with running_app(
        features=["dPoP"], lifetime=timedelta(seconds=12), dpop=True, requires_dpop_nonce=nonces
    ) as made:
        assert await made.connect() == "/?connected=github"
        first = await made.tokens()
        assert first.token_type == "dpop"
        assert first.dpop_key is not None
        assert await is_taken(made, first, first.dpop_key)
        async with httpx.AsyncClient(trust_env=False) as http:
            stolen = {"authorization": f"Bearer {first.access_token.reveal()}"}
            answer = await http.get(made.real.userinfo_endpoint, headers=stolen)
            assert answer.status_code in (400, 401)
        assert not await is_taken(made, first, new_dpop_key(bytes(range(40))))
        await asyncio.sleep(2.1)
        _ = await made.me()
        second = await made.tokens()
        assert await made.generation() == 2
        assert second.access_token != first.access_token
        assert second.dpop_key == first.dpop_key
        assert await is_taken(made, second, first.dpop_key)


async def is_taken(made: App, tokens: TokenSet, key: Secret) -> bool:
    """Whether the provider accepts an access token with a proof by this key."""
    token = tokens.access_token
    header = ("Authorization", f"DPoP {token.reveal()}")
    request = HttpRequest("GET", made.real.userinfo_endpoint, (header,))
    nonce = None
    for _ in range(2):
        proven = with_proof(
            request, key, signing=made.engine.signing_context(), access_token=token, nonce=nonce
        )
        answer = (await made.engine.http.send(proven)).unwrap()
        nonce = required_nonce(answer)
        if nonce is None:
            break
    return answer.status == 200


async def test_a_client_that_signs_connects_refreshes_pushes_and_revokes() -> None:
    """RFC 7523 at each endpoint that authenticates the client."""
    key = ECKey.generate_key("P-256", {"kid": "the-key", "alg": "ES256", "use": "sig"})
    public = msgspec.convert(key.as_dict(private=False), dict[str, str])
    jwks = {"keys": [public]}
    client = OidcClient("app", None, "private_key_jwt", (), jwks=jwks)
    async with running_app(
        client=client,
        key=key,
        features=["pushedAuthorizationRequests"],
        lifetime=timedelta(seconds=12),
    ) as made:
        assert made.site.connector.provider.client_authentication == "private_key_jwt"
        assert await made.connect() == "/?connected=github"
        await asyncio.sleep(2.1)
        assert await made.me() == Me("ada")
        assert await made.generation() == 2
        value_or_raise(await made.at.disconnect())
        await revoke_now(made)
        assert made.real.stats().revocations == 2  # both tokens


async def revoke_now(made: App) -> None:
    """Runs every queued revocation now."""
    revocations = made.site.connectors.store.revocations
    assert isinstance(revocations, MemoryRevocations)
    for id in list(revocations._due):
        await revocations.postpone(id, attempts=0, retry_in=timedelta())
    await revoke_due(made.engine)


async def test_disconnecting_ends_the_grant_at_the_provider() -> None:
    """Introspection shows it (RFC 7662), and the refresh token is refused."""
    async with running_app() as made:
        assert await made.connect() == "/?connected=github"
        tokens = await made.tokens()
        assert tokens.refresh_token is not None
        basic = ("app", SECRET)
        async with httpx.AsyncClient(trust_env=False, auth=basic) as http:

            async def is_active() -> bool:
                form = {"token": tokens.access_token.reveal()}
                answer = await http.post(made.real.introspection_endpoint, data=form)
                found: bool = answer.json()["active"]
                return found

            assert await is_active()
            value_or_raise(await made.at.disconnect())
            await revoke_now(made)
            assert not await is_active()
            form = {
                "grant_type": "refresh_token",
                "refresh_token": tokens.refresh_token.reveal(),
            }
            refused = await http.post(made.real.token_endpoint, data=form)
            assert refused.json()["error"] == "invalid_grant"
        assert made.real.stats().revocations == 2  # both tokens


async def test_a_refresh_token_used_elsewhere_ends_the_grant_and_is_reported() -> None:
    """Rotation with reuse detection (RFC 9700 section 4.14) detects a stolen token."""
    async with running_app(lifetime=timedelta(seconds=12)) as made:
        assert await made.connect() == "/?connected=github"
        stolen = (await made.tokens()).refresh_token
        assert stolen is not None
        await asyncio.sleep(2.1)
        assert await made.me() == Me("ada")
        assert (await made.tokens()).refresh_token != stolen
        async with httpx.AsyncClient(trust_env=False, auth=("app", SECRET)) as http:
            form = {"grant_type": "refresh_token", "refresh_token": stolen.reveal()}
            answer = await http.post(made.real.token_endpoint, data=form)
            assert answer.json()["error"] == "invalid_grant"
        await asyncio.sleep(2.1)
        before = made.real.stats()
        for _ in range(5):
            assert await made.me() == NeedsReauth("github", "needs_reauth")
        assert (made.real.stats() - before).token_requests == 1
        assert await made.connect() == "/?connected=github"
        assert await made.me() == Me("ada")


DEVICE_GRANTS = ("urn:ietf:params:oauth:grant-type:device_code", "refresh_token")


async def test_a_code_typed_in_on_another_device_connects_and_refreshes() -> None:
    """RFC 8628: the provider's page and consent, then tokens that rotate as usual."""
    client = OidcClient("app", SECRET, "client_secret_basic", (), DEVICE_GRANTS)
    async with running_app(
        client=client, features=["deviceFlow"], lifetime=timedelta(seconds=12)
    ) as made:
        device = value_or_raise(await made.at.authorize_device(CONFIG))
        assert device.verification_uri == f"{made.real.issuer}/device"
        waiting = asyncio.create_task(device.finished())
        await asyncio.to_thread(
            enter_code, device.verification_uri, device.user_code, login="grace"
        )
        connection = value_or_raise(await waiting)
        assert connection.authorization is not None
        assert connection.authorization.account is not None
        assert connection.authorization.account.subject == "grace"
        await asyncio.sleep(2.1)
        assert await made.me() == Me("grace")
        assert await made.generation() == 2


async def test_another_user_s_device_replaces_the_account_only_on_request() -> None:
    """First it is refused and its tokens are revoked. Then it replaces the earlier account."""
    client = OidcClient("app", SECRET, "client_secret_basic", (), DEVICE_GRANTS)
    async with running_app(client=client, features=["deviceFlow"]) as made:
        begin, replacing = made.at.authorize_device, made.at.authorize_device_replacing_account
        ends: list[str | None] = []
        for begun, login in ((begin, "ada"), (begin, "eve"), (replacing, "eve")):
            device = value_or_raise(await begun(CONFIG))
            await asyncio.to_thread(
                enter_code, device.verification_uri, device.user_code, login=login
            )
            problem = problem_of(await device.finished())
            ends.append(None if problem is None else problem.code)
        assert ends == [None, IdentityMismatch("github").code, None]
        assert await made.me() == Me("eve")


async def test_a_device_that_is_denied_connects_nobody() -> None:
    """The user cancels on the provider's page."""
    client = OidcClient("app", SECRET, "client_secret_basic", (), DEVICE_GRANTS)
    async with running_app(client=client, features=["deviceFlow"]) as made:
        device = value_or_raise(await made.at.authorize_device(CONFIG))
        await asyncio.to_thread(
            enter_code, device.verification_uri, device.user_code, login="ada", decision="deny"
        )
        answer = await device.finished()
        assert problem_of(answer) == TokenRefused("github", "access_denied")
        assert problem_of(await made.at.get()) is not None


async def test_a_device_s_tokens_are_bound_to_a_key() -> None:
    """DPoP with the device grant."""
    client = OidcClient("app", SECRET, "client_secret_basic", (), DEVICE_GRANTS)
    async with running_app(
        client=client, features=["deviceFlow", "dPoP"], dpop=True, requires_dpop_nonce=True
    ) as made:
        device = value_or_raise(await made.at.authorize_device(CONFIG))
        await asyncio.to_thread(enter_code, device.verification_uri, device.user_code, login="ada")
        assert problem_of(await device.finished()) is None
        tokens = await made.tokens()
        assert tokens.dpop_key is not None
        assert await is_taken(made, tokens, tokens.dpop_key)


@pytest.mark.parametrize("dpop", [False, True])
async def test_the_client_connects_in_its_own_name_and_requests_a_new_token(dpop: bool) -> None:
    """RFC 6749 section 4.4: no user, no refresh token, and a token that expires."""
    client = OidcClient("machine", SECRET, "client_secret_post", (), ("client_credentials",))
    features: list[Feature] = ["clientCredentials", "dPoP"] if dpop else ["clientCredentials"]
    async with running_app(
        client=client,
        features=features,
        lifetime=timedelta(seconds=12),
        dpop=dpop,
        client_authentication="client_secret_post",
        oauth_scopes=("read",),
    ) as made:
        connection = value_or_raise(await made.at.connect_as_client(CONFIG))
        assert connection.authorization is not None
        assert connection.authorization.account is None
        first = await made.tokens()
        assert first.refresh_token is None
        await asyncio.sleep(2.1)
        _ = await made.me()
        second = await made.tokens()
        assert await made.generation() == 2
        assert second.access_token != first.access_token
        assert second.dpop_key == first.dpop_key
        assert (second.dpop_key is not None) is dpop
        stats = made.real.stats()
        assert (stats.token_requests, stats.refresh_requests) == (2, 0)
