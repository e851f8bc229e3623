"""What makes a provider unusable or unsafe is found when the application is built."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from igniter_connectors.core.oauth.provider import (
    OAuthProvider,
    TenantClient,
    authentication_of,
)
from igniter_connectors.core.oauth.provider_validation import RESERVED_PARAMETERS, provider_fault
from igniter_connectors.core.secret import Secret

from .providers import PROVIDER, provider

ENDPOINTS = [
    "authorization_url",
    "token_url",
    "userinfo_url",
    "revocation_url",
    "pushed_authorization_url",
    "device_authorization_url",
    "jwks_url",
]
SAFE = [
    "https://provider.example/x",
    "https://provider.example:8443/x?tenant=1",
    "http://localhost:9000/x",
    "http://127.0.0.1:9000/x",
    "http://[::1]/x",
]
UNSAFE = [
    "http://provider.example/x",
    "http://10.0.0.1/x",
    "http://localhost.provider.example/x",
    "ftp://provider.example/x",
    "//provider.example/x",
    "/x",
    "",
    "https://",
    "https:///x",
    "https://user@provider.example/x",
    "https://:password@provider.example/x",
    "https://provider.example/x#fragment",
    "https://provider.example:99999/x",
    "https://[::1/x",
    "https://provider.exa\nmple/x",
    "https://provider.example/\x00",
    "javascript:alert(1)",
]


def test_a_valid_provider_has_no_fault() -> None:
    """Confidential and public, with everything that can be declared."""
    assert provider_fault(PROVIDER) is None
    assert provider_fault(provider(client_secret=None)) is None
    assert provider_fault(provider(issuer="https://provider.example", sends_issuer=True)) is None
    assert provider_fault(provider(authorization_parameters={"prompt": "consent"})) is None
    assert provider_fault(provider(token_parameters={"audience": "api"})) is None


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("url", SAFE)
def test_endpoints_are_https_or_loopback(endpoint: str, url: str) -> None:
    """Plain http is only for this machine."""
    assert provider_fault(provider(**{endpoint: url})) is None


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("url", UNSAFE)
def test_other_endpoints_are_a_fault(endpoint: str, url: str) -> None:
    """Secrets and codes are sent there, so each is checked and named."""
    fault = provider_fault(provider(**{endpoint: url}))
    assert fault is not None
    assert fault.startswith(endpoint)
    assert "password" not in fault


@pytest.mark.parametrize("url", ["https://@provider.example/x", "https://:@provider.example/x"])
def test_an_endpoint_with_an_empty_user_is_a_fault(url: str) -> None:
    """An `@` before the host is a mistake, whatever is before it."""
    assert provider_fault(provider(token_url=url)) is not None


def test_a_client_has_an_id() -> None:
    """An empty environment variable is reported at the start."""
    assert provider_fault(provider(client_id="")) == "client_id is empty"


def test_an_empty_client_secret_is_a_fault() -> None:
    """Reported at the start, not by the `invalid_client` of a tenant."""
    assert provider_fault(provider(client_secret=Secret(""))) is not None


@pytest.mark.parametrize("parameters", ["authorization_parameters", "token_parameters"])
@pytest.mark.parametrize("name", sorted(RESERVED_PARAMETERS))
def test_reserved_parameters_may_not_be_named(parameters: str, name: str) -> None:
    """An extra parameter cannot replace one that makes the flow safe."""
    fault = provider_fault(provider(**{parameters: {"audience": "api", name: "evil"}}))
    assert fault == f"extra parameters may not name {name}"


def test_everything_that_we_send_ourselves_is_reserved() -> None:
    """The list has every parameter of the flow."""
    sent = {"response_type", "client_id", "redirect_uri", "state", "code_challenge", "scope"}
    sent |= {"code_challenge_method", "grant_type", "code", "code_verifier", "refresh_token"}
    assert sent | {"client_secret"} <= RESERVED_PARAMETERS


@pytest.mark.parametrize(
    ("method", "secret", "sound"),
    [
        (None, Secret("x"), True),
        (None, None, True),
        ("client_secret_basic", Secret("x"), True),
        ("client_secret_post", Secret("x"), True),
        ("none", None, True),
        ("client_secret_basic", None, False),
        ("client_secret_post", None, False),
        ("none", Secret("x"), False),
    ],
)
def test_method_and_secret_are_declared_together(
    method: str | None, secret: Secret | None, sound: bool
) -> None:
    """A secret that is never sent, or a method without one, is a mistake."""
    judged = provider(client_authentication=method, client_secret=secret)
    assert (provider_fault(judged) is None) is sound


def test_a_required_issuer_has_to_be_declared() -> None:
    """Nothing can be compared with an issuer that is not declared."""
    assert provider_fault(provider(sends_issuer=True)) == "sends_issuer needs issuer"


def test_how_a_client_authenticates_by_default() -> None:
    """Basic with a secret, `none` without. A declared method comes first."""
    assert authentication_of(PROVIDER) == "client_secret_basic"
    assert authentication_of(provider(client_secret=None)) == "none"
    declared = provider(client_authentication="client_secret_post")
    assert authentication_of(declared) == "client_secret_post"


def test_defaults_are_the_rfcs() -> None:
    """A space between scopes, bearer tokens, and only `invalid_grant` ends a grant."""
    plain = OAuthProvider(authorization_url="a", token_url="t", client_id="c")
    assert plain.oauth_scope_separator == " "
    assert plain.token_types == {"bearer"}
    assert plain.dead_grant_errors == {"invalid_grant"}


def test_a_provider_does_not_show_its_secret() -> None:
    """The `repr` of a connector has no secret."""
    assert "client-secret" not in repr(PROVIDER)


def test_everything_that_the_newer_flows_send_is_reserved() -> None:
    """Device codes, signed clients, revocation; and the password grant, which is not offered."""
    sent = {"device_code", "client_assertion", "client_assertion_type", "token", "nonce"}
    sent |= {"token_type_hint", "request_uri", "request", "dpop_jkt", "response_mode"}
    assert sent | {"username", "password", "assertion", "iss", "error"} <= RESERVED_PARAMETERS


def test_required_pushed_authorization_needs_an_endpoint() -> None:
    """Otherwise nobody could authorize."""
    assert provider_fault(provider(requires_pushed_authorization=True)) == (
        "requires_pushed_authorization needs pushed_authorization_url"
    )
    url = "https://provider.example/par"
    pushing = provider(requires_pushed_authorization=True, pushed_authorization_url=url)
    assert provider_fault(pushing) is None


def test_dpop_needs_its_token_type() -> None:
    """Otherwise every response with such a token would be malformed."""
    assert provider_fault(provider(dpop=True)) == "dpop needs dpop among token_types"
    assert provider_fault(provider(dpop=True, token_types=frozenset({"dpop"}))) is None


SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("field", "longest"),
    [("reuse_grace", timedelta(days=30)), ("refresh_token_lifetime", timedelta(days=3660))],
)
def test_lifetimes_of_refresh_tokens_are_bounded(field: str, longest: timedelta) -> None:
    """More than 0, up to the longest and not a second more."""
    for sound in (None, SECOND, longest):
        assert provider_fault(provider(**{field: sound})) is None
    for odd in (timedelta(), -SECOND, longest + SECOND):
        assert f"{field} must be more than zero" in str(provider_fault(provider(**{field: odd})))


@pytest.mark.parametrize("field", ["expires_at_member", "refresh_expires_at_member"])
def test_the_member_of_an_expiry_has_a_name(field: str) -> None:
    """An empty name is a mistake."""
    assert provider_fault(provider(**{field: "expires_at"})) is None
    assert provider_fault(provider(**{field: ""})) == f"{field} is empty"


class Extras(msgspec.Struct):
    team: str
    hook: Secret | None = None


class Unreadable(msgspec.Struct):
    secret: Secret | str


def test_extras_have_a_type_that_can_be_decoded() -> None:
    """Like a config."""
    assert provider_fault(provider(token_extras=Extras)) is None
    fault = provider_fault(provider(token_extras=Unreadable))
    assert fault is not None
    assert fault.startswith("token_extras cannot be read")


def test_a_tenants_client_replaces_the_applications() -> None:
    """If there is none, a client id is required."""
    client = TenantClient(id_field="client_id", secret_field="client_secret")
    both = provider(client_id="", client_secret=None, tenant_client=client)
    assert provider_fault(both) is None
    assert provider_fault(provider(client_id="", client_secret=None)) == "client_id is empty"
