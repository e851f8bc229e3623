"""Each request builder and response judge against the certified `oidc-provider`."""

from __future__ import annotations

import re
import secrets
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from msgspec.structs import replace

from igniter_connectors.core.http.messages import HttpRequest, HttpResponse
from igniter_connectors.core.oauth.authorization_request import authorization_url
from igniter_connectors.core.oauth.callback import judge_callback, parse_callback
from igniter_connectors.core.oauth.client_assertion import SigningContext
from igniter_connectors.core.oauth.client_credentials import (
    client_credentials_request,
    judge_client_credentials,
)
from igniter_connectors.core.oauth.code_exchange import exchange_request, judge_exchange
from igniter_connectors.core.oauth.device_authorization import (
    DeviceAuthorization,
    device_request,
    judge_device,
    judge_poll,
    poll_request,
)
from igniter_connectors.core.oauth.discovery import (
    judge_discovery,
    openid_configuration_request,
    provider_from,
)
from igniter_connectors.core.oauth.dpop import (
    KEY_OCTETS,
    new_dpop_key,
    required_nonce,
    with_proof,
)
from igniter_connectors.core.oauth.id_token import id_token_of, judge_id_token, nonce_of
from igniter_connectors.core.oauth.jwks import judge_keys, keys_request
from igniter_connectors.core.oauth.pkce import new_verifier
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.pushed_authorization import (
    judge_push,
    push_request,
    pushed_authorization_url,
)
from igniter_connectors.core.oauth.refresh import refresh_request
from igniter_connectors.core.oauth.revocation import Revoked, judge_revocation, revoke_request
from igniter_connectors.core.oauth.token_response import TokenSet, judge_token
from igniter_connectors.core.oauth.userinfo import judge_userinfo, userinfo_request
from igniter_connectors.core.problem import TokenRefused
from igniter_connectors.core.secret import Secret
from tests.core.oauth.keys import EC, pem, public

from .oidc_provider import (
    OidcClient,
    OidcProvider,
    new_browser,
    running_oidc_provider,
    sign_in_and_consent,
)

CALLBACK = "http://127.0.0.1:9/callback"
CODE = ("authorization_code", "refresh_token")
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
SCOPES = ("openid", "email", "read")


@pytest.fixture(scope="module")
def server() -> Generator[OidcProvider]:
    """A provider with every extension switched on."""
    keys = {"keys": (public(EC["ES256"], kid="one", alg="ES256", use="sig"),)}
    clients = (
        OidcClient("web", "s+c:r/e%t", "client_secret_basic", (CALLBACK,), CODE),
        OidcClient("tv", None, "none", (), (DEVICE, "refresh_token")),
        OidcClient("machine", "secret", "client_secret_post", (), ("client_credentials",)),
        OidcClient("signer", None, "private_key_jwt", (), ("client_credentials",), keys),
    )
    with running_oidc_provider(
        clients=clients,
        features=("pushedAuthorizationRequests", "dPoP", "deviceFlow", "clientCredentials"),
    ) as running:
        yield running


def now() -> datetime:
    return datetime.now(UTC)


def signing() -> SigningContext:
    return SigningContext(now(), secrets.token_bytes(16))


def sent(request: HttpRequest | None) -> HttpResponse:
    """The provider's response. No redirect is followed."""
    assert request is not None
    answer = httpx.request(
        request.method,
        request.url,
        headers=list(request.headers),
        content=request.body,
        trust_env=False,
    )
    return HttpResponse(answer.status_code, tuple(answer.headers.multi_items()), answer.content)


def found(server: OidcProvider, client_id: str, secret: str | None = None) -> OAuthProvider:
    """The provider as discovered from its metadata."""
    metadata = judge_discovery(
        sent(openid_configuration_request(server.issuer)), server.issuer
    ).unwrap()
    return provider_from(
        metadata,
        client_id=client_id,
        client_secret=None if secret is None else Secret(secret),
        oauth_scopes=SCOPES,
    ).unwrap()


def granted(provider: OAuthProvider, url: str, verifier: str) -> HttpResponse:
    """Signs in at the URL and exchanges the code."""
    back = parse_callback(urlsplit(sign_in_and_consent(url, login="ada")).query)
    assert back is not None
    code = judge_callback(back, provider, connector="x").unwrap()
    return sent(exchange_request(provider, code=code, verifier=verifier, redirect_uri=CALLBACK))


def test_a_code_an_id_token_and_revocation(server: OidcProvider) -> None:
    """Discovery, authorization, ID token, refresh and revocation. Then the grant is gone."""
    provider = found(server, "web", "s+c:r/e%t")
    assert provider.sends_issuer
    verifier = new_verifier(secrets.token_bytes(32))
    url = authorization_url(provider, redirect_uri=CALLBACK, state="s", verifier=verifier)
    answer = granted(provider, url, verifier)
    tokens = judge_exchange(answer, provider, connector="x", received_at=now()).unwrap()
    keys = judge_keys(sent(keys_request(provider)), connector="x").unwrap()
    id_token = id_token_of(answer)
    assert id_token is not None
    claims = judge_id_token(
        id_token,
        keys,
        provider,
        connector="x",
        now=now(),
        nonce=nonce_of(verifier),
        access_token=tokens.access_token,
    ).unwrap()
    assert claims.sub == "ada"
    refresh = tokens.refresh_token
    assert refresh is not None
    revoked = sent(revoke_request(provider, refresh, kind="refresh_token"))
    assert judge_revocation(revoked, provider, received_at=datetime.now(UTC)) == Revoked()
    again = sent(refresh_request(provider, refresh))
    judged = judge_token(again, provider, connector="x", received_at=now())
    assert judged.failure() == TokenRefused("x", "invalid_grant")


def test_an_id_token_of_another_authorization_is_refused(server: OidcProvider) -> None:
    """It has a valid signature, but another nonce, client or access token."""
    provider = found(server, "web", "s+c:r/e%t")
    verifier = new_verifier(secrets.token_bytes(32))
    url = authorization_url(provider, redirect_uri=CALLBACK, state="s", verifier=verifier)
    answer = granted(provider, url, verifier)
    tokens = judge_exchange(answer, provider, connector="x", received_at=now()).unwrap()
    keys = judge_keys(sent(keys_request(provider)), connector="x").unwrap()
    id_token = id_token_of(answer)
    assert id_token is not None

    def reason(judged: OAuthProvider, at: datetime, nonce: str) -> str:
        return (
            judge_id_token(
                id_token,
                keys,
                judged,
                connector="x",
                now=at,
                nonce=nonce,
                access_token=tokens.access_token,
            )
            .failure()
            .reason
        )

    nonce = nonce_of(verifier)
    assert reason(provider, now(), nonce_of("other")) == "belongs to another authorization"
    assert reason(replace(provider, client_id="tv"), now(), nonce) == "is for another client"
    assert reason(provider, now() + timedelta(days=1), nonce) == "has expired"
    assert reason(provider, now() - timedelta(days=1), nonce) == "is not valid yet"


def test_a_pushed_request(server: OidcProvider) -> None:
    """The browser carries only a reference. The code is exchanged as usual."""
    provider = found(server, "web", "s+c:r/e%t")
    verifier = new_verifier(secrets.token_bytes(32))
    answer = sent(push_request(provider, redirect_uri=CALLBACK, state="s", verifier=verifier))
    pushed = judge_push(answer, connector="x", received_at=now()).unwrap()
    url = pushed_authorization_url(provider, pushed)
    assert "code_challenge" not in url
    granting = granted(provider, url, verifier)
    tokens = judge_exchange(granting, provider, connector="x", received_at=now()).unwrap()
    assert tokens.refresh_token is not None
    wrong = push_request(
        provider, redirect_uri="https://evil.example/", state="s", verifier=verifier
    )
    refused = judge_push(sent(wrong), connector="x", received_at=now()).failure()
    assert refused.code == "CONNECTOR_OAUTH_AUTHORIZATION_DENIED"


def test_tokens_bound_to_a_key(server: OidcProvider) -> None:
    """The token works only with a proof of its own key."""
    provider = replace(
        found(server, "web", "s+c:r/e%t"), dpop=True, token_types=frozenset({"dpop"})
    )
    key = new_dpop_key(secrets.token_bytes(KEY_OCTETS))
    verifier = new_verifier(secrets.token_bytes(32))
    url = authorization_url(provider, redirect_uri=CALLBACK, state="s", verifier=verifier)
    back = parse_callback(urlsplit(sign_in_and_consent(url, login="ada")).query)
    assert back is not None
    code = judge_callback(back, provider, connector="x").unwrap()
    request = exchange_request(provider, code=code, verifier=verifier, redirect_uri=CALLBACK)
    tokens = judge_exchange(
        proved(request, key, None), provider, connector="x", received_at=now()
    ).unwrap()
    assert tokens.token_type == "dpop"
    me = userinfo_request(provider, tokens)
    assert me is not None
    account = judge_userinfo(proved(me, key, tokens), provider, connector="x").unwrap()
    assert account.subject == "ada"
    other = new_dpop_key(secrets.token_bytes(KEY_OCTETS))
    assert proved(me, other, tokens).status == 401
    assert sent(me).status in (400, 401)


def proved(request: HttpRequest, key: Secret, tokens: TokenSet | None) -> HttpResponse:
    """Sends a request with a proof, and again if the server requires a nonce."""
    carried = tokens.access_token if tokens is not None else None
    answer = sent(with_proof(request, key, signing=signing(), access_token=carried))
    nonce = required_nonce(answer)
    if nonce is None:
        return answer
    return sent(with_proof(request, key, signing=signing(), access_token=carried, nonce=nonce))


def test_a_client_in_its_own_name(server: OidcProvider) -> None:
    """With a secret and with a signed assertion."""
    machine = replace(
        found(server, "machine", "secret"),
        client_authentication="client_secret_post",
        oauth_scopes=("read",),
    )
    answer = sent(client_credentials_request(machine))
    tokens = judge_client_credentials(answer, machine, connector="x", received_at=now()).unwrap()
    assert tokens.oauth_scopes == ("read",)
    assert tokens.refresh_token is None
    signer = replace(
        machine,
        client_id="signer",
        client_secret=None,
        client_authentication="private_key_jwt",
        client_assertion_key=pem(EC["ES256"]),
        client_assertion_algorithm="ES256",
        client_assertion_key_id="one",
    )
    once = client_credentials_request(signer, signing=signing())
    judged = judge_client_credentials(sent(once), signer, connector="x", received_at=now())
    assert judged.unwrap().oauth_scopes == ("read",)
    by_issuer = replace(signer, client_assertion_audience=server.issuer)
    again = sent(client_credentials_request(by_issuer, signing=signing()))
    assert again.status == 200
    replayed = judge_client_credentials(sent(once), signer, connector="x", received_at=now())
    assert replayed.failure() == TokenRefused("x", "invalid_client")


def test_another_device(server: OidcProvider) -> None:
    """The token request is pending until the user types the code."""
    provider = found(server, "tv")
    answer = sent(device_request(provider))
    device = judge_device(answer, connector="x", received_at=now()).unwrap()
    assert device.interval == timedelta(seconds=5)
    waiting = judge_poll(
        sent(poll_request(provider, device)), provider, device, connector="x", received_at=now()
    ).unwrap()
    assert isinstance(waiting, DeviceAuthorization)
    agree(device)
    tokens = judge_poll(
        sent(poll_request(provider, device)), provider, device, connector="x", received_at=now()
    ).unwrap()
    assert isinstance(tokens, TokenSet)
    assert (
        judge_userinfo(sent(userinfo_request(provider, tokens)), provider, connector="x")
        .unwrap()
        .subject
        == "ada"
    )


def agree(device: DeviceAuthorization) -> None:
    """The user at the other device types the code, confirms, signs in and consents."""
    with new_browser() as browser:
        page = browser.get(str(device.verification_uri_complete), follow_redirects=True)
        for _ in range(8):
            form = dict(re.findall(r'name="(\w+)"[^>]*value="([^"]*)"', page.text))
            form |= {"user_code": device.user_code, "login": "ada", "password": "any"}
            action = re.search(r'<form[^>]*action="([^"]+)"', page.text)
            if action is None:
                return
            there = urljoin(str(page.url), action.group(1))
            page = browser.post(there, data=form, follow_redirects=True)
    raise AssertionError(page.text)
