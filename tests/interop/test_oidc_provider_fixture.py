"""The fixture itself, tested only with httpx: behaviour that other tests rely on."""

from __future__ import annotations

import base64
import hashlib
import secrets
import subprocess
import sys
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import IO, cast, final
from urllib.parse import parse_qs, quote_plus, urlencode, urlsplit

import httpx
import msgspec
import pytest

from .oidc_provider import (
    OidcClient,
    OidcProvider,
    ProviderStartError,
    ProviderStats,
    SignInError,
    new_browser,
    running_oidc_provider,
    sign_in_and_consent,
    sign_in_and_deny,
)


class Tokens(msgspec.Struct):
    access_token: str
    refresh_token: str
    expires_in: int
    token_type: str
    scope: str


class Refusal(msgspec.Struct):
    error: str


class UserInfo(msgspec.Struct):
    sub: str
    email: str


class Metadata(msgspec.Struct):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str
    revocation_endpoint: str
    introspection_endpoint: str
    code_challenge_methods_supported: list[str]
    authorization_response_iss_parameter_supported: bool
    pushed_authorization_request_endpoint: str | None = None
    device_authorization_endpoint: str | None = None
    dpop_signing_alg_values_supported: list[str] | None = None


class Introspection(msgspec.Struct):
    active: bool


@final
class Flow:
    """One authorization of one client, without the library."""

    def __init__(self, provider: OidcProvider, client: OidcClient) -> None:
        self.provider = provider
        self.client = client
        self.verifier = secrets.token_urlsafe(48)
        digest = hashlib.sha256(self.verifier.encode()).digest()
        query = {
            "client_id": client.client_id,
            "redirect_uri": client.redirect_uris[0],
            "response_type": "code",
            "scope": "openid email",
            "state": "the-state",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        self.url = f"{provider.authorization_endpoint}?{urlencode(query)}"

    def exchange(self, callback: str, *, verifier: str | None = None) -> httpx.Response:
        form = {
            "grant_type": "authorization_code",
            "code": parameter(callback, "code"),
            "redirect_uri": self.client.redirect_uris[0],
            "code_verifier": verifier or self.verifier,
        }
        return post(self.client, self.provider.token_endpoint, form)

    def refresh(self, refresh_token: str) -> httpx.Response:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return post(self.client, self.provider.token_endpoint, form)

    def tokens(self, *, login: str = "ada") -> Tokens:
        return granted(self.exchange(sign_in_and_consent(self.url, login=login)))

    def is_active(self, token: str) -> bool:
        response = post(self.client, self.provider.introspection_endpoint, {"token": token})
        return msgspec.json.decode(response.content, type=Introspection).active


def post(client: OidcClient, endpoint: str, form: dict[str, str]) -> httpx.Response:
    """Posts a form with the client's registered authentication method."""
    client_id, secret = client.client_id, client.client_secret or ""
    headers: dict[str, str] = {}
    match client.token_endpoint_auth_method:
        case "client_secret_basic":
            pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
            headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        case "client_secret_post":
            form = form | {"client_id": client_id, "client_secret": secret}
        case "none":
            form = form | {"client_id": client_id}
    return httpx.post(endpoint, data=form, headers=headers, trust_env=False)


def parameter(url: str, name: str) -> str:
    return parse_qs(urlsplit(url).query)[name][0]


def granted(response: httpx.Response) -> Tokens:
    assert response.status_code == 200, response.text
    return msgspec.json.decode(response.content, type=Tokens)


def refused(response: httpx.Response) -> str:
    assert response.status_code in {400, 401}, response.text
    return msgspec.json.decode(response.content, type=Refusal).error


def metadata(provider: OidcProvider) -> Metadata:
    url = f"{provider.issuer}/.well-known/openid-configuration"
    return msgspec.json.decode(httpx.get(url, trust_env=False).content, type=Metadata)


@pytest.fixture(params=[0, 1, 2], ids=["basic", "post", "public"])
def flow(oidc_provider: OidcProvider, request: pytest.FixtureRequest) -> Flow:
    return Flow(oidc_provider, oidc_provider.clients[cast("int", request.param)])


def test_code_is_exchanged(flow: Flow) -> None:
    """A code and its verifier return both tokens, for basic, post and public clients."""
    tokens = flow.tokens()
    assert (tokens.token_type, tokens.expires_in) == ("Bearer", 3600)
    assert tokens.scope == "openid email"
    assert flow.is_active(tokens.access_token)


def test_wrong_verifier_is_refused(flow: Flow) -> None:
    """A code without its verifier is refused."""
    callback = sign_in_and_consent(flow.url, login="ada")
    assert refused(flow.exchange(callback, verifier="w" * 64)) == "invalid_grant"


def test_pkce_is_required(flow: Flow) -> None:
    """A request without a challenge is an error, for confidential clients too."""
    callback = sign_in_and_consent(flow.url.replace("code_challenge", "x"), login="ada")
    assert parameter(callback, "error") == "invalid_request"


def test_used_code_is_refused_and_revokes(flow: Flow) -> None:
    """A code that is sent twice is refused, and its tokens are revoked."""
    callback = sign_in_and_consent(flow.url, login="ada")
    tokens = granted(flow.exchange(callback))
    assert refused(flow.exchange(callback)) == "invalid_grant"
    assert refused(flow.refresh(tokens.refresh_token)) == "invalid_grant"


def test_refresh_rotates(flow: Flow) -> None:
    """Each refresh returns another refresh token, which works."""
    first = flow.tokens()
    second = granted(flow.refresh(first.refresh_token))
    third = granted(flow.refresh(second.refresh_token))
    assert len({t.refresh_token for t in (first, second, third)}) == 3
    assert len({t.access_token for t in (first, second, third)}) == 3


def test_reuse_revokes_the_family(flow: Flow) -> None:
    """Reuse of a rotated refresh token also revokes the newest one and its access token."""
    first = flow.tokens()
    second = granted(flow.refresh(first.refresh_token))
    assert refused(flow.refresh(first.refresh_token)) == "invalid_grant"
    assert refused(flow.refresh(second.refresh_token)) == "invalid_grant"
    assert not flow.is_active(second.access_token)


def test_reuse_spares_other_grants(flow: Flow) -> None:
    """Reuse of one user's refresh token does not affect another user's."""
    first, other = flow.tokens(), flow.tokens(login="grace")
    _ = granted(flow.refresh(first.refresh_token))
    assert refused(flow.refresh(first.refresh_token)) == "invalid_grant"
    _ = granted(flow.refresh(other.refresh_token))


def test_revocation_ends_the_grant(flow: Flow) -> None:
    """A revoked refresh token is refused, and its access token is no longer active."""
    tokens = flow.tokens()
    form = {"token": tokens.refresh_token, "token_type_hint": "refresh_token"}
    assert post(flow.client, flow.provider.revocation_endpoint, form).status_code == 200
    assert refused(flow.refresh(tokens.refresh_token)) == "invalid_grant"
    assert not flow.is_active(tokens.access_token)


def test_userinfo_names_the_login(flow: Flow) -> None:
    """The login name is the subject, and an email address comes with it."""
    bearer = {"authorization": f"Bearer {flow.tokens(login='grace').access_token}"}
    response = httpx.get(flow.provider.userinfo_endpoint, headers=bearer, trust_env=False)
    user = msgspec.json.decode(response.content, type=UserInfo)
    assert user == UserInfo(sub="grace", email="grace@example.test")


def test_callback_carries_issuer_and_state(flow: Flow) -> None:
    """The callback has the issuer (RFC 9207) and the state, whether granted or denied."""
    for sign_in in (sign_in_and_consent, sign_in_and_deny):
        callback = sign_in(flow.url, login="ada")
        assert callback.startswith(f"{flow.client.redirect_uris[0]}?")
        assert parameter(callback, "iss") == flow.provider.issuer
        assert parameter(callback, "state") == "the-state"


def test_denied_consent_is_access_denied(flow: Flow) -> None:
    """Cancelling on the consent page returns an error and no code."""
    callback = sign_in_and_deny(flow.url, login="ada")
    assert parameter(callback, "error") == "access_denied"
    assert "code=" not in callback


def test_session_is_remembered(flow: Flow) -> None:
    """A browser that signed in and consented sees no page again."""
    with new_browser() as browser:
        _ = sign_in_and_consent(flow.url, login="ada", browser=browser)
        again = sign_in_and_consent(flow.url, login="unused", browser=browser)
        _ = granted(flow.exchange(again))
        with pytest.raises(SignInError, match="no consent to deny"):
            _ = sign_in_and_deny(flow.url, login="unused", browser=browser)


def test_unregistered_redirect_uri_gets_no_callback(flow: Flow) -> None:
    """A redirect URI that differs by one character gets an error on the provider's own page."""
    with pytest.raises(SignInError, match="400 from the provider"):
        _ = sign_in_and_consent(flow.url.replace("callback", "callback2"), login="ada")


def test_stats_count(flow: Flow) -> None:
    """Each request to the token and revocation endpoints is counted once, refused or not."""
    before = flow.provider.stats()
    tokens = flow.tokens()
    _ = granted(flow.refresh(tokens.refresh_token))
    _ = refused(flow.refresh(tokens.refresh_token))
    _ = post(flow.client, flow.provider.revocation_endpoint, {"token": "unknown"})
    counted = flow.provider.stats() - before
    assert counted == ProviderStats(
        token_requests=3, refresh_requests=2, invalid_grant=1, revocations=1
    )


def test_metadata_names_the_endpoints(oidc_provider: OidcProvider) -> None:
    """The metadata has the endpoints and S256 as the only PKCE method, and no extensions."""
    found = metadata(oidc_provider)
    assert found == Metadata(
        issuer=oidc_provider.issuer,
        authorization_endpoint=oidc_provider.authorization_endpoint,
        token_endpoint=oidc_provider.token_endpoint,
        userinfo_endpoint=oidc_provider.userinfo_endpoint,
        revocation_endpoint=oidc_provider.revocation_endpoint,
        introspection_endpoint=oidc_provider.introspection_endpoint,
        code_challenge_methods_supported=["S256"],
        authorization_response_iss_parameter_supported=True,
    )


def test_options_reach_the_provider(oidc_provider: OidcProvider) -> None:
    """A second provider has its own lifetimes, features and counters."""
    started = time.monotonic()
    with running_oidc_provider(
        clients=oidc_provider.clients,
        access_token_lifetime=timedelta(seconds=1),
        features={"pushedAuthorizationRequests", "dPoP", "deviceFlow", "clientCredentials"},
    ) as other:
        assert time.monotonic() - started < 5
        flow = Flow(other, other.clients[0])
        tokens = flow.tokens()
        assert tokens.expires_in == 1
        time.sleep(1.1)
        assert not flow.is_active(tokens.access_token)
        _ = granted(flow.refresh(tokens.refresh_token))
        found = metadata(other)
        assert found.pushed_authorization_request_endpoint == f"{other.issuer}/request"
        assert found.device_authorization_endpoint == f"{other.issuer}/device/auth"
        assert found.dpop_signing_alg_values_supported
        assert other.stats().token_requests == 2
        other.reset_stats()
        assert other.stats() == ProviderStats(0, 0, 0, 0)
    with pytest.raises(httpx.ConnectError):
        _ = metadata(other)


def test_client_credentials() -> None:
    """A client that is registered for it gets a token without a user."""
    client = OidcClient("machine", "s3cret", "client_secret_basic", (), ("client_credentials",))
    with running_oidc_provider(clients=[client], features={"clientCredentials"}) as provider:
        response = post(client, provider.token_endpoint, {"grant_type": "client_credentials"})
        assert response.status_code == 200, response.text


def test_a_failed_start_raises_with_its_output() -> None:
    """A provider that cannot start raises at once."""
    secretless = OidcClient("a", None, "client_secret_post", ("http://127.0.0.1:9/",))
    with (
        pytest.raises(ProviderStartError, match="client_secret"),
        running_oidc_provider(clients=[secretless]),
    ):
        pass


def test_killed_parent_leaves_no_provider() -> None:
    """If a test run is killed without clean-up, its provider exits too."""
    assert __package__
    program = (
        f"from {__package__}.oidc_provider import running_oidc_provider as running\n"
        "with running(clients=[]) as p: print(p.issuer, flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[1 + __package__.count(".")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as parent:
        stdout: IO[bytes] | None = parent.stdout
        assert stdout is not None
        issuer = stdout.readline().decode().strip()
        assert httpx.get(f"{issuer}/jwks", trust_env=False).status_code == 200
        parent.kill()
    deadline = time.monotonic() + 5

    def ask_until_the_deadline() -> None:
        while time.monotonic() < deadline:
            # The provider may exit in the middle of a response.
            with suppress(httpx.ReadError, httpx.RemoteProtocolError):
                _ = httpx.get(f"{issuer}/jwks", trust_env=False)

    with pytest.raises(httpx.ConnectError):
        ask_until_the_deadline()
